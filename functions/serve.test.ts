import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";

const FRAMEWORK = join(
  dirname(createRequire(import.meta.url).resolve("@google-cloud/functions-framework")),
  "main.js",
);
const SOURCE = fileURLToPath(new URL("./main.ts", import.meta.url));

it("does not start an instance with a bad environment, and says all that is wrong with it", async () => {
  const args = [FRAMEWORK, `--source=${SOURCE}`, "--target=status"];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"], PORT: "0", FUNCTION_TARGET: "status", RANGE_SEC: "long" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(code).toBe(1);
  expect(said).toMatch(/GOOGLE_CLOUD_PROJECT[\s\S]*BUCKET[\s\S]*CONVEX_URL[\s\S]*RANGE_SEC/);
});
