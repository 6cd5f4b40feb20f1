import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { expect, it } from "vitest";
import { startConvexThread } from "./thread.ts";

it("runs a folder of functions with an environment of their own, and stops", async () => {
  const convex = await startConvexThread({
    folder: fileURLToPath(new URL("testing", import.meta.url)),
    env: { TEST_GREETING: "from the thread" },
  });
  const environment = makeFunctionReference<"query">("counters:environment");
  const client = new ConvexHttpClient(convex.url, { logger: false });
  expect(await client.query(environment, {})).toBe("from the thread");
  expect(process.env["TEST_GREETING"]).toBeUndefined();
  await convex.close();
  await expect(client.query(environment, {})).rejects.toThrow("fetch failed");
});

it("says why functions cannot be loaded", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convex-"));
  await writeFile(join(folder, "schema.ts"), "export const nothing = 1;");
  await expect(startConvexThread({ folder, env: {} })).rejects.toThrow("has no schema");
  await rm(folder, { recursive: true });
});
