// `npm run check`: everything that is not a test. Each step's output is shown only when it fails,
// and all steps run, so that one run tells all that is wrong.
import { spawn } from "node:child_process";
import { checkCodegen } from "./codegen.ts";
import { bundleConvex } from "./bundleConvex.ts";

const FOLDERS = [
  "functions",
  "shared",
  "convex",
  "local",
  "bench",
  "deploy",
  "samples",
  "tests",
  "tools",
];
/** Fewer modules than this means that dependency-cruiser did not understand the sources. */
const MIN_CRUISED_MODULES = 150;

interface Outcome {
  ok: boolean;
  output: string;
}

const run = (command: string, args: string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (chunk: Buffer) => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.once("error", reject);
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });

const cruise = async (): Promise<Outcome> => {
  const config = ["--config", ".dependency-cruiser.json"];
  const { ok, output } = await run("depcruise", [...config, ...FOLDERS]);
  const modules = Number(/\((\d+) modules/.exec(output)?.[1] ?? 0);
  return modules >= MIN_CRUISED_MODULES
    ? { ok, output }
    : { ok: false, output: `${output}\nOnly ${modules} modules were seen.` };
};

/** A step of our own: no output is good news. */
const own = async (step: () => Promise<string[]>): Promise<Outcome> => {
  const problems = await step();
  return { ok: problems.length === 0, output: problems.join("\n") };
};

const STEPS: [name: string, step: () => Promise<Outcome>][] = [
  ["types", () => run("tsc", ["--noEmit", "-p", "."])],
  ["lint", () => run("oxlint", ["--type-aware", "--deny-warnings"])],
  ["format", () => run("oxfmt", ["--check", "."])],
  ["unused", () => run("knip", [])],
  ["dependencies", cruise],
  ["convex codegen", () => own(checkCodegen)],
  ["convex bundle", () => own(bundleConvex)],
];

let failed = 0;
for (const [name, step] of STEPS) {
  const startedMs = performance.now();
  const { ok, output } = await step();
  const took = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  process.stdout.write(`${ok ? "ok  " : "FAIL"}  ${name}  ${took}\n`);
  if (!ok) {
    failed += 1;
    process.stdout.write(`${output}\n`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
