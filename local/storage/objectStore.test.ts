// The pipeline's object store, with the real client, against storage on this machine.
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Storage } from "@google-cloud/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ObjectStore } from "#shared/cloud/objectStore.ts";
import { createObjectStore } from "#shared/cloud/storage.ts";
import { type FlakyProxy, startFlakyProxy } from "./testing/flakyProxy.ts";
import { type StorageServer, startStorage } from "./server.ts";
import { SIGNER, verifySigner } from "./testing/signer.ts";

let dataDir: string;
let server: StorageServer;
let store: ObjectStore;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-store-"));
  server = await startStorage({ dataDir, verifySigner, buckets: ["media"] });
  store = createObjectStore({
    bucket: "media",
    storage: new Storage({
      projectId: "klipstream",
      apiEndpoint: server.origin,
      credentials: SIGNER,
      retryOptions: { autoRetry: false },
    }),
    signingOrigin: server.origin,
  });
});
afterAll(async () => {
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const inChunks = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    ),
    { objectMode: false },
  );
const contentType = "application/octet-stream";

describe("put", () => {
  it.each([
    ["nothing", 0],
    ["a few bytes", 10],
    ["more than one request", 6_000_000],
  ])("bytes: %s", async (name, sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    const info = await store.put(`bytes/${name}`, bytes, { contentType: "x/y" });
    expect(info).toMatchObject({
      name: `bytes/${name}`,
      sizeBytes,
      contentType: "x/y",
      sha256: sha256(bytes),
    });
    expect(await store.stat(`bytes/${name}`)).toEqual(info);
    expect(sha256(await store.read(`bytes/${name}`))).toBe(sha256(bytes));
  });

  it.each([
    ["that is held", 1000],
    ["that is sent resumably", 17_000_000],
  ])("a stream %s", async (name, sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    const info = await store.put(`stream/${name}`, inChunks(bytes, 65_536), { contentType: "x/y" });
    expect(info).toMatchObject({ sizeBytes, contentType: "x/y", sha256: sha256(bytes) });
    expect(await store.stat(`stream/${name}`)).toEqual(info);
    expect(sha256(await buffer(store.stream(`stream/${name}`)))).toBe(sha256(bytes));
    expect(await store.list("tmp/")).toEqual([]);
  });

  it("what is there stays, and is the answer", async () => {
    const first = await store.put("once", "first", { contentType });
    expect(await store.put("once", "second", { contentType })).toEqual(first);
    const long = inChunks(randomBytes(2_000_000), 65_536);
    expect(await store.put("once", long, { contentType })).toEqual(first);
    expect(Buffer.from(await store.read("once")).toString("utf8")).toBe("first");
  });

  it("what is there stays, and is the answer at once, where the other was half sent", async () => {
    const bytes = randomBytes(300_000);
    const first = await store.put("there", bytes, { contentType });
    expect(await store.put("there", bytes, { contentType })).toEqual(first);
  });

  it("replaces when told so, whoever else writes", async () => {
    const options = { contentType, onlyIfAbsent: false };
    await store.put("often", "first", options);
    await Promise.all(["a", "b", "c"].map((text) => store.put("often", text, options)));
    expect(["a", "b", "c"]).toContain(Buffer.from(await store.read("often")).toString("utf8"));
  });

  it("a stream that breaks leaves nothing", async () => {
    const bytes = randomBytes(3_000_000);
    const broken = Readable.from(
      (async function* () {
        yield bytes;
        await Promise.resolve();
        throw new Error("the source broke");
      })(),
    );
    await expect(store.put("broken", broken, { contentType })).rejects.toMatchObject({
      code: "storage_unavailable",
    });
    expect(await store.stat("broken")).toBeNull();
    expect(await store.list("tmp/")).toEqual([]);
  });

  it("an abort ends it and leaves nothing", async () => {
    const controller = new AbortController();
    const endless = Readable.from(
      (async function* () {
        for (let sent = 0; ; sent += 1) {
          if (sent === 40) controller.abort(new Error("enough"));
          yield randomBytes(65_536);
          await new Promise(setImmediate);
        }
      })(),
    );
    await expect(
      store.put("endless", endless, { contentType, signal: controller.signal }),
    ).rejects.toThrow("enough");
    expect(await store.stat("endless")).toBeNull();
    expect(endless.destroyed).toBe(true);
  });
});

describe("reading", () => {
  it("a range, to both ends inclusive", async () => {
    await store.put("digits", "0123456789", { contentType });
    const part = async (range: { start: number; end?: number }) =>
      (await buffer(store.stream("digits", range))).toString("utf8");
    expect(await part({ start: 2, end: 4 })).toBe("234");
    expect(await part({ start: 0, end: 0 })).toBe("0");
    expect(await part({ start: 7 })).toBe("789");
  });

  it("what is missing is null to ask for, an error to read", async () => {
    expect(await store.stat("missing")).toBeNull();
    await expect(store.read("missing")).rejects.toMatchObject({ code: "not_found" });
    await expect(buffer(store.stream("missing", { start: 5 }))).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(store.copy("missing", "to")).rejects.toMatchObject({ code: "not_found" });
    await store.delete("missing");
  });

  it("lists below a prefix, all or some", async () => {
    for (const name of ["l/a", "l/b", "l/c", "m"]) await store.put(name, name, { contentType });
    expect((await store.list("l/")).map(({ name }) => name)).toEqual(["l/a", "l/b", "l/c"]);
    expect(await store.list("l/", 2)).toHaveLength(2);
    expect(await store.list("none/")).toEqual([]);
  });
});

it("a copy keeps type, checksum and bytes, and replaces", async () => {
  const info = await store.put("from", "bytes", { contentType: "text/x-test" });
  await store.put("to", "old", { contentType });
  expect(await store.copy("from", "to")).toEqual({ ...info, name: "to" });
  expect(await store.stat("to")).toEqual({ ...info, name: "to" });
});

describe("addresses", () => {
  it("a signed one reads, under the name it is to be saved as", async () => {
    await store.put("clips/01.mp4", "movie", { contentType: "video/mp4" });
    const url = await store.signedUrl("clips/01.mp4", {
      expiresSec: 60,
      downloadAs: 'Möwe "1".mp4',
    });
    expect(url.startsWith(`${server.origin}/media/clips/01.mp4?`)).toBe(true);
    const response = await fetch(url);
    expect(await response.text()).toBe("movie");
    expect(response.headers.get("content-disposition")).toBe(
      `attachment; filename="M_we _1_.mp4"; filename*=UTF-8''M%C3%B6we%20%221%22.mp4`,
    );
  });

  it("none lives longer than twelve hours", async () => {
    await expect(store.signedUrl("x", { expiresSec: 43_201 })).rejects.toThrow(RangeError);
    await expect(store.signedUrl("x", { expiresSec: 0 })).rejects.toThrow(RangeError);
  });

  it("an upload that a page continues", async () => {
    const origin = "http://localhost:3000";
    const address = await store.createUpload("uploads/talk.mp4", {
      contentType: "video/mp4",
      sizeBytes: 5,
      origin,
    });
    const response = await fetch(address, { method: "PUT", body: "movie", headers: { origin } });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(await store.stat("uploads/talk.mp4")).toMatchObject({
      contentType: "video/mp4",
      sizeBytes: 5,
    });
  });
});

it("storage that is away is said so", async () => {
  const gone = await startStorage({
    dataDir: join(dataDir, "gone"),
    verifySigner,
    buckets: ["media"],
  });
  const away = createObjectStore({
    bucket: "media",
    storage: new Storage({
      projectId: "k",
      apiEndpoint: gone.origin,
      retryOptions: { autoRetry: false },
    }),
  });
  await gone.close();
  await expect(away.put("x", "x", { contentType })).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  await expect(away.stat("x")).rejects.toMatchObject({ code: "storage_unavailable" });
  await expect(away.read("x")).rejects.toMatchObject({ code: "storage_unavailable" });
});

describe("over a network that breaks", () => {
  let proxy: FlakyProxy;
  let flaky: ObjectStore;
  beforeAll(async () => {
    proxy = await startFlakyProxy(server.origin);
    flaky = createObjectStore({
      bucket: "media",
      storage: new Storage({ projectId: "klipstream", apiEndpoint: proxy.origin }),
    });
  });
  afterAll(() => proxy?.close());

  it("a read goes on where it was cut off", async () => {
    const bytes = randomBytes(4_000_000);
    await store.put("cut", bytes, { contentType });
    proxy.cuts = [
      { direction: "down", afterBytes: 1_000_000 },
      { direction: "down", afterBytes: 1_500_000 },
    ];
    expect(sha256(await flaky.read("cut"))).toBe(sha256(bytes));
    proxy.cuts = [{ direction: "down", afterBytes: 800_000 }];
    const part = await buffer(flaky.stream("cut", { start: 1_000_000, end: 2_999_999 }));
    expect(sha256(part)).toBe(sha256(bytes.subarray(1_000_000, 3_000_000)));
    expect(proxy.cuts).toEqual([]);
  });

  it("a read never joins two generations", async () => {
    await store.put("replaced", randomBytes(4_000_000), { contentType });
    proxy.cuts = [{ direction: "down", afterBytes: 1_000_000 }];
    proxy.onCut = async () => {
      await store.put("replaced", randomBytes(4_000_000), { contentType, onlyIfAbsent: false });
    };
    await expect(flaky.read("replaced").then(sha256)).rejects.toMatchObject({ code: "not_found" });
    proxy.onCut = () => undefined;
  });

  it("a stream's upload goes on where it was cut off", async () => {
    const bytes = randomBytes(12_000_000);
    proxy.cuts = [{ direction: "up", afterBytes: 3_000_000 }];
    const info = await flaky.put("up", inChunks(bytes, 65_536), { contentType });
    expect(info).toMatchObject({ sizeBytes: bytes.length, sha256: sha256(bytes) });
    expect(sha256(await store.read("up"))).toBe(sha256(bytes));
    expect(proxy.cuts).toEqual([]);
  });
});
