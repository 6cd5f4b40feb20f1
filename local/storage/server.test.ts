// Storage through the official client: what it writes, reads, lists and refuses.
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Bucket, Storage } from "@google-cloud/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StorageServer, startStorage } from "./server.ts";
import { SIGNER, verifySigner } from "./testKeys.ts";

let dataDir: string;
let server: StorageServer;
let bucket: Bucket;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-storage-"));
  server = await startStorage({ dataDir, verifySigner, buckets: ["media"] });
  bucket = new Storage({
    projectId: "klipstream",
    apiEndpoint: server.origin,
    credentials: SIGNER,
    retryOptions: { autoRetry: false },
  }).bucket("media");
});
afterAll(async () => {
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("writing", () => {
  it.each([
    ["in one request", { resumable: false }],
    ["resumable", { resumable: true }],
    ["in chunks", { resumable: true, chunkSize: 256 * 1024 }],
  ] as const)(
    "an object written %s reads back the same, checked by crc32c",
    async (name, options) => {
      const bytes = randomBytes(700_001);
      const file = bucket.file(`writing/${name}.bin`);
      await file.save(bytes, {
        ...options,
        contentType: "application/x-test",
        metadata: { metadata: { sha256: sha256(bytes) } },
      });
      const [read] = await file.download();
      expect(sha256(read)).toBe(sha256(bytes));
      const [metadata] = await file.getMetadata();
      expect(metadata).toMatchObject({
        size: "700001",
        contentType: "application/x-test",
        metadata: { sha256: sha256(bytes) },
        md5Hash: createHash("md5").update(bytes).digest("base64"),
      });
    },
  );

  it("an empty object is an object", async () => {
    for (const resumable of [false, true]) {
      const file = bucket.file(`empty-${resumable}`);
      await file.save("", { resumable });
      expect((await file.download())[0]).toHaveLength(0);
    }
  });

  it("names that look like paths stay names", async () => {
    for (const name of ["../../etc/passwd", "a/../b", "ü/😀 %2F?#&+.txt", "/absolute", "b//c/"]) {
      await bucket.file(name).save(name, { resumable: false });
      expect((await bucket.file(name).download())[0].toString("utf8")).toBe(name);
      await bucket.file(name).delete();
    }
    await expect(bucket.file("line\nbreak").save("x")).rejects.toMatchObject({ code: 400 });
  });

  it("a stream of unknown length is written whole", async () => {
    const bytes = randomBytes(3_000_000);
    const chunks = Array.from({ length: 30 }, (_, at) => bytes.subarray(at * 1e5, (at + 1) * 1e5));
    await pipeline(Readable.from(chunks), bucket.file("stream.bin").createWriteStream());
    expect(sha256((await bucket.file("stream.bin").download())[0])).toBe(sha256(bytes));
  });
});

describe("signed URLs", () => {
  it("a signed address reads the object", async () => {
    const file = bucket.file("signed/read ü.txt");
    await file.save("signed", { contentType: "text/plain" });
    const [url] = await file.getSignedUrl({
      version: "v4",
      action: "read",
      expires: Date.now() + 60_000,
      responseDisposition: 'attachment; filename="x y.txt"',
    });
    const response = await fetch(url);
    expect(await response.text()).toBe("signed");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="x y.txt"');
  });
});

it("ranges", async () => {
  const file = bucket.file("range");
  await file.save("0123456789");
  expect((await buffer(file.createReadStream({ start: 2, end: 4 }))).toString()).toBe("234");
});
