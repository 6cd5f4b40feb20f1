// The collector's bucket, with the real client, against storage on this machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Storage } from "@google-cloud/storage";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pagesOf } from "#shared/assets/beside.ts";
import type { CollectedBucket } from "#shared/assets/ports.ts";
import { createCollectedBucket } from "#shared/cloud/collectedBucket.ts";
import type { ObjectStore } from "#shared/cloud/objectStore.ts";
import { createObjectStore } from "#shared/cloud/storage.ts";
import { type StorageServer, startStorage } from "./server.ts";
import { SIGNER, verifySigner } from "./testing/signer.ts";

let dataDir: string;
let server: StorageServer;
let store: ObjectStore;
let bucket: CollectedBucket;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-collected-"));
  server = await startStorage({ dataDir, verifySigner, buckets: ["media"] });
  const storage = new Storage({
    projectId: "klipstream",
    apiEndpoint: server.origin,
    credentials: SIGNER,
    retryOptions: { autoRetry: false },
  });
  store = createObjectStore({ bucket: "media", storage });
  bucket = createCollectedBucket({ bucket: "media", storage, pageSize: 2 });
});
afterAll(async () => {
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const keysFrom = async (prefix: string, from: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of pagesOf((cursor) => bucket.page(prefix, from, cursor)))
    keys.push(key);
  return keys;
};
const put = (name: string, body = "x") =>
  store.put(name, body, { contentType: "text/plain", onlyIfAbsent: false });

it("lists what is below a prefix from a key on, page by page, with what a delete needs", async () => {
  const before = Date.now() - 1;
  for (const name of ["jobs/b/2", "jobs/a/1", "jobs/b/é", "jobs/b/10", "other/1"]) await put(name);
  expect(await keysFrom("jobs/", "jobs/a/2")).toEqual(["jobs/b/10", "jobs/b/2", "jobs/b/é"]);
  const { items, next } = await bucket.page("jobs/", "jobs/b/2", null);
  expect([items.length, next]).toEqual([2, null]);
  expect((await bucket.page("jobs/", "jobs/b/10", null)).next).not.toBeNull();
  expect(items[0]).toEqual(await bucket.stat("jobs/b/2"));
  expect(items[0]).toMatchObject({ key: "jobs/b/2", sizeBytes: 1 });
  expect(items[0]?.generation).toMatch(/^\d+$/);
  expect(items[0]?.writtenAt).toBeGreaterThan(before);
  expect(items[0]?.writtenAt).toBeLessThanOrEqual(Date.now());
});

it("has no object under a name that none can have", async () => {
  for (const name of [`jobs/${"x".repeat(1500)}`, "jobs/a\nb"])
    expect(await bucket.stat(name)).toBeNull();
});

it("deletes the generation that was seen, and no other", async () => {
  await put("jobs/c/1");
  const seen = await bucket.stat("jobs/c/1");
  await put("jobs/c/1", "written again");
  expect(await bucket.deleteGeneration("jobs/c/1", seen?.generation ?? "")).toBe(false);
  const now = await bucket.stat("jobs/c/1");
  expect(await bucket.deleteGeneration("jobs/c/1", now?.generation ?? "")).toBe(true);
  expect(await bucket.stat("jobs/c/1")).toBeNull();
  // By another collector, say.
  expect(await bucket.deleteGeneration("jobs/c/1", now?.generation ?? "")).toBe(true);
});
