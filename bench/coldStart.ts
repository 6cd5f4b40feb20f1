// How long an instance takes from the start of its process to its first answer: the bundle that is
// deployed and the sources as they are, beside the framework with a function that does nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFunctions } from "../tools/build.ts";
import { FRAMEWORK, folderInProject, writeBareFunction } from "./bareFunction.ts";
import { type Bench, median } from "./row.ts";
import { tie } from "./scratch.ts";

const ROUNDS = 9;
const SOURCES = fileURLToPath(new URL("../functions/main.ts", import.meta.url));

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

interface Start {
  source: string;
  target: string;
  path: string;
  method: "GET" | "POST";
}

/** @returns ms */
const timeStart = async ({ source, target, path, method }: Start): Promise<number> => {
  const port = await freePort();
  const startMs = performance.now();
  const child = tie(
    spawn(process.execPath, [FRAMEWORK, `--source=${source}`, `--target=${target}`], {
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "production",
        FUNCTION_TARGET: target,
        GOOGLE_CLOUD_PROJECT: "project",
        BUCKET: "bucket",
        CONVEX_URL: "http://127.0.0.1:1",
        PORT: String(port),
      },
      stdio: "ignore",
    }),
  );
  const answer = () =>
    fetch(`http://127.0.0.1:${port}${path}`, { method }).then(
      async (response) => {
        await response.arrayBuffer();
        return true;
      },
      () => false,
    );
  while (!(await answer())) {
    if (child.exitCode !== null) throw new Error(`${target} ended with ${child.exitCode}.`);
    // Asking without pause would take the processor from whom it waits for.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const tookMs = performance.now() - startMs;
  child.kill("SIGKILL");
  await once(child, "exit");
  return tookMs;
};

export const run: Bench = async function* () {
  using folder = folderInProject();
  const bundle = await buildFunctions(join(folder.path, "functions"));
  const bare: Start = {
    source: writeBareFunction(folder.path),
    target: "bare",
    path: "/",
    method: "GET",
  };
  const functions = [
    { target: "status", path: "/health", method: "GET" },
    { target: "submit", path: "/v1/analysis", method: "POST" },
    { target: "media", path: "/", method: "POST" },
  ] as const;
  for (const one of functions) {
    const took = { bare: [] as number[], bundle: [] as number[], sources: [] as number[] };
    const ratios = { bundle: [] as number[], sources: [] as number[] };
    // In turns, so that a busy machine slows all.
    for (let i = 0; i < ROUNDS; i += 1) {
      const bareMs = await timeStart(bare);
      const bundleMs = await timeStart({ ...one, source: bundle });
      const sourcesMs = await timeStart({ ...one, source: SOURCES });
      took.bare.push(bareMs);
      took.bundle.push(bundleMs);
      took.sources.push(sourcesMs);
      ratios.bundle.push(bundleMs / bareMs);
      ratios.sources.push(sourcesMs / bareMs);
    }
    for (const form of ["bundle", "sources"] as const) {
      yield {
        name: `process start to first answer: ${one.target}, ${form}`,
        ours: median(took[form]),
        peer: median(took.bare),
        unit: "ms",
        ratio: median(ratios[form]),
        ...(form === "bundle" ? { goal: "≤ 2" } : {}),
        note:
          form === "bundle"
            ? "peer: the framework with a function that does nothing; as `npm run build` makes it, to deploy"
            : "as they are read, and as the local cloud runs them (there with a compile cache)",
      };
    }
  }
};
