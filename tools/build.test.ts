import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildFunctions } from "./build.ts";

const NODE_MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const FRAMEWORK = join(
  dirname(createRequire(import.meta.url).resolve("@google-cloud/functions-framework")),
  "main.js",
);

let outDir = "";
let source = "";
beforeAll(async () => {
  // Where the packages that are left out are found.
  outDir = await mkdtemp(join(NODE_MODULES, ".build-test-"));
  source = await buildFunctions(join(outDir, "functions"));
});
afterAll(() => rm(outDir, { recursive: true, force: true }));

/** The status of the first answer. */
const firstAnswer = async (target: string, path: string): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const child = spawn(process.execPath, [FRAMEWORK, `--source=${source}`, `--target=${target}`], {
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      FUNCTION_TARGET: target,
      GOOGLE_CLOUD_PROJECT: "project",
      BUCKET: "bucket",
      CONVEX_URL: "http://127.0.0.1:1",
    },
    stdio: "ignore",
  });
  try {
    while (child.exitCode === null) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST" }).catch(
        () => null,
      );
      if (answer) return answer.status;
    }
    throw new Error(`${target} ended with ${child.exitCode}.`);
  } finally {
    child.kill("SIGKILL");
  }
};

describe("the bundle", () => {
  // Those with the most in them: the guarded fetch, a provider, the lexicons.
  it.each(["ingest", "transcribe", "analyze"])(
    "loads %s, which settles a message it cannot read",
    async (name) => {
      expect(await firstAnswer(name, "/")).toBe(204);
    },
  );

  it("answers for submit as the sources do: no key, no entry", async () => {
    expect(await firstAnswer("submit", "/v1/analysis")).toBe(401);
  });

  it("holds the program that is started by its file name", () => {
    expect(existsSync(join(dirname(source), "whisperChild.ts"))).toBe(true);
  });
});
