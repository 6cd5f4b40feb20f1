// Starts every function of the catalog once in the image that is being made, which fails where one does
// not answer, and keeps what Node compiled for it, so that instances need not: the Dockerfile runs it
// with the image's own Node, under the account that instances run under, since both are part of the
// cache's name. On a processor of another kind Node leaves the cache aside.
import { CATALOG } from "../functions/catalog.ts";
import { firstRequest, timeStart } from "./startUp.ts";

const [program, ...args] = process.argv.slice(2);
if (program === undefined) throw new Error("Usage: node compileImage.ts <what an instance runs>");
for (const spec of CATALOG) {
  const { tookMs } = await timeStart({
    command: [program, ...args],
    env: { ...(process.env as Record<string, string>), FUNCTION_TARGET: spec.name },
    request: firstRequest(spec),
    endWith: "SIGTERM",
  });
  process.stdout.write(`${spec.name} answers after ${tookMs.toFixed(0)} ms\n`);
}
