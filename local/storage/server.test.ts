// Storage through the official client: what it writes, reads, lists and refuses.
import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Bucket, type GetFilesOptions, Storage } from "@google-cloud/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StorageServer, startStorage } from "./server.ts";
import { verifySigner } from "./testing/signer.ts";

let dataDir: string;
let server: StorageServer;
let storage: Storage;
let bucket: Bucket;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-storage-"));
  server = await startStorage({ dataDir, verifySigner, buckets: ["media"] });
  storage = new Storage({
    projectId: "klipstream",
    apiEndpoint: server.origin,
    retryOptions: { autoRetry: false },
  });
  bucket = storage.bucket("media");
});
afterAll(async () => {
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const save = (name: string, text: string) => bucket.file(name).save(text, { resumable: false });
const load = async (name: string) => (await bucket.file(name).download())[0].toString("utf8");

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
      await save(name, name);
      expect(await load(name)).toBe(name);
      await bucket.file(name).delete();
    }
    await expect(save("line\nbreak", "x")).rejects.toMatchObject({ code: 400 });
    await expect(save("x".repeat(1025), "x")).rejects.toMatchObject({ code: 400 });
  });

  it("a stream of unknown length is written whole", async () => {
    const bytes = randomBytes(3_000_000);
    const chunks = Array.from({ length: 30 }, (_, at) => bytes.subarray(at * 1e5, (at + 1) * 1e5));
    await pipeline(Readable.from(chunks), bucket.file("stream.bin").createWriteStream());
    expect(sha256((await bucket.file("stream.bin").download())[0])).toBe(sha256(bytes));
  });

  it("a checksum that does not fit is refused, and leaves what was there", async () => {
    await save("checked", "old");
    await expect(
      bucket.file("checked").save("new", { resumable: false, metadata: { crc32c: "AAAAAA==" } }),
    ).rejects.toMatchObject({ code: 400 });
    expect(await load("checked")).toBe("old");
  });

  it("what was written with gzip is read unpacked, and packed by who can", async () => {
    const text = "again and ".repeat(1000);
    await bucket.file("packed").save(text, { gzip: true, resumable: false });
    expect(await load("packed")).toBe(text);
    const path = `${server.origin}/storage/v1/b/media/o/packed?alt=media`;
    // Node's own fetch unpacks; a plain request shows what is sent.
    const get = async (headers: Record<string, string>): Promise<Buffer> => {
      const sent = request(path, { headers }).end();
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      return buffer(response);
    };
    expect((await get({ "accept-encoding": "gzip" })).length).toBeLessThan(text.length / 10);
    const plain = await get({});
    expect(plain.toString("utf8")).toBe(text);
  });
});

describe("preconditions", () => {
  it("of many writers that expect nothing there, one wins", async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, writer) =>
        bucket.file("once").save(`writer ${writer}`, {
          resumable: writer % 2 === 0,
          preconditionOpts: { ifGenerationMatch: 0 },
        }),
      ),
    );
    const winners = results.flatMap(({ status }, writer) =>
      status === "fulfilled" ? [writer] : [],
    );
    expect(winners).toHaveLength(1);
    const codes = results.flatMap((result) =>
      result.status === "rejected" ? [Number((result.reason as { code: unknown }).code)] : [],
    );
    expect(new Set(codes)).toEqual(new Set([412]));
    expect(await load("once")).toBe(`writer ${winners[0]}`);
  });

  it("a generation is replaced once, and deleted once", async () => {
    const file = bucket.file("generations");
    await file.save("one", { resumable: false });
    const ifGenerationMatch = Number(file.metadata.generation);
    await file.save("two", { resumable: false, preconditionOpts: { ifGenerationMatch } });
    const stale = { ifGenerationMatch };
    await expect(
      file.save("three", { resumable: false, preconditionOpts: stale }),
    ).rejects.toMatchObject({ code: 412 });
    await expect(file.delete(stale)).rejects.toMatchObject({ code: 412 });
    await expect(
      bucket.file("generations", { generation: ifGenerationMatch }).download(),
    ).rejects.toMatchObject({ code: 404 });
    await file.delete({ ifGenerationMatch: Number((await file.getMetadata())[0].generation) });
    expect(await file.exists()).toEqual([false]);
  });

  it("metadata changes its own generation, and only that", async () => {
    const file = bucket.file("metadata");
    await file.save("x", { resumable: false, metadata: { metadata: { a: "1", b: "2" } } });
    const { generation, metageneration } = file.metadata;
    await file.setMetadata({ contentType: "text/x-new", metadata: { b: null, c: "3" } });
    const [after] = await file.getMetadata();
    expect(after).toMatchObject({
      generation,
      contentType: "text/x-new",
      metadata: { a: "1", c: "3" },
    });
    expect(after.metadata).not.toHaveProperty("b");
    expect(Number(after.metageneration)).toBe(Number(metageneration) + 1);
    await expect(
      file.setMetadata({ metadata: { d: "4" } }, { ifMetagenerationMatch: Number(metageneration) }),
    ).rejects.toMatchObject({ code: 412 });
  });
});

describe("reading", () => {
  it("ranges, to both ends inclusive", async () => {
    await save("range", "0123456789");
    const part = async (range: { start?: number; end?: number }) =>
      (await buffer(bucket.file("range").createReadStream(range))).toString("utf8");
    expect(await part({ start: 2, end: 4 })).toBe("234");
    expect(await part({ start: 7 })).toBe("789");
    expect(await part({ end: -3 })).toBe("789");
    expect(await part({ start: 8, end: 50 })).toBe("89");
    await expect(part({ start: 10 })).rejects.toMatchObject({ code: 416 });
  });

  it("what is missing is a 404", async () => {
    await expect(load("missing")).rejects.toMatchObject({ code: 404 });
    await expect(storage.bucket("no-such-bucket").file("x").getMetadata()).rejects.toMatchObject({
      code: 404,
    });
    await expect(storage.bucket("no-such-bucket").file("x").save("x")).rejects.toMatchObject({
      code: 404,
    });
  });

  it("an object that is replaced while it is read is read to its own end", async () => {
    const bytes = randomBytes(5_000_000);
    const file = bucket.file("replaced");
    await file.save(bytes, { resumable: false });
    const stream = file.createReadStream({ start: 0 });
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (chunks.length === 0) await bucket.file("replaced").save("short", { resumable: false });
      chunks.push(chunk);
    }
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(bytes));
    expect(await load("replaced")).toBe("short");
  });
});

describe("listing", () => {
  beforeAll(async () => {
    const names = ["a/1", "a/2", "a/b/1", "a/b/2", "a/é", "b/1", "top"];
    for (const name of names) await save(`list/${name}`, name);
  });
  const list = async (query: GetFilesOptions) => {
    const [files, , answer] = await bucket.getFiles({ autoPaginate: false, ...query });
    const names = files.map(({ name }) => name.replace("list/", ""));
    return { names, prefixes: (answer as { prefixes?: string[] }).prefixes ?? [] };
  };

  it("what begins with a prefix, in the order of its bytes", async () => {
    expect((await list({ prefix: "list/a/" })).names).toEqual([
      "a/1",
      "a/2",
      "a/b/1",
      "a/b/2",
      "a/é",
    ]);
    expect((await list({ prefix: "list/zzz" })).names).toEqual([]);
  });

  it("with a delimiter, folders stand for what is in them", async () => {
    expect(await list({ prefix: "list/", delimiter: "/" })).toEqual({
      names: ["top"],
      prefixes: ["list/a/", "list/b/"],
    });
    expect(await list({ prefix: "list/a/", delimiter: "/" })).toEqual({
      names: ["a/1", "a/2", "a/é"],
      prefixes: ["list/a/b/"],
    });
  });

  it("between two offsets", async () => {
    expect(
      (await list({ prefix: "list/", startOffset: "list/a/b/2", endOffset: "list/b/1" })).names,
    ).toEqual(["a/b/2", "a/é"]);
  });

  it.each([1, 2, 3, 7])("in pages of %i nothing is lost or doubled", async (maxResults) => {
    for (const delimiter of [undefined, "/"]) {
      const seen: string[] = [];
      let query: Record<string, unknown> | null = { prefix: "list/", maxResults, delimiter };
      while (query) {
        const [files, next, answer]: [{ name: string }[], unknown, unknown] = await bucket.getFiles(
          {
            autoPaginate: false,
            ...query,
          },
        );
        seen.push(
          ...((answer as { prefixes?: string[] }).prefixes ?? []),
          ...files.map(({ name }) => name),
        );
        query = next as Record<string, unknown> | null;
      }
      const all = await list({ prefix: "list/", ...(delimiter ? { delimiter } : {}) });
      expect(seen.sort()).toEqual(
        [...all.prefixes, ...all.names.map((name) => `list/${name}`)].sort(),
      );
    }
  });
});

describe("copies", () => {
  it("keep bytes and metadata, or take new ones, and outlive their source", async () => {
    const source = bucket.file("copy/source");
    await source.save("bytes", {
      resumable: false,
      contentType: "text/x-test",
      metadata: { metadata: { a: "1" } },
    });
    await source.copy(bucket.file("copy/same"));
    await source.copy(bucket.file("copy/other"), {
      contentType: "text/plain",
      metadata: { b: "2" },
    });
    await source.delete();
    expect(await load("copy/same")).toBe("bytes");
    expect((await bucket.file("copy/same").getMetadata())[0]).toMatchObject({
      contentType: "text/x-test",
      metadata: { a: "1" },
    });
    expect((await bucket.file("copy/other").getMetadata())[0]).toMatchObject({
      contentType: "text/plain",
      metadata: { b: "2" },
    });
    await bucket.file("copy/same").copy(bucket.file("copy/same"));
    expect(await load("copy/same")).toBe("bytes");
  });

  it("composed of several, in order, checked by crc32c", async () => {
    for (const name of ["1", "2", "3"]) await save(`part/${name}`, `part ${name};`);
    const whole = bucket.file("part/whole");
    await bucket.combine(
      ["1", "2", "3"].map((name) => bucket.file(`part/${name}`)),
      whole,
    );
    expect(await load("part/whole")).toBe("part 1;part 2;part 3;");
    const [metadata] = await whole.getMetadata();
    expect(metadata.componentCount).toBe(3);
    expect(metadata).not.toHaveProperty("md5Hash");
  });
});

describe("buckets", () => {
  it("are made, found, changed, listed and removed when empty", async () => {
    const made = storage.bucket("made-here");
    await made.create();
    await expect(made.create()).rejects.toMatchObject({ code: 409 });
    await made.setCorsConfiguration([{ origin: ["https://a.test"], method: ["GET"] }]);
    expect((await made.getMetadata())[0].cors).toEqual([
      { origin: ["https://a.test"], method: ["GET"] },
    ]);
    expect((await storage.getBuckets())[0].map(({ name }) => name)).toContain("made-here");
    await made.file("x").save("x");
    await expect(made.delete()).rejects.toMatchObject({ code: 409 });
    await made.file("x").delete();
    await made.delete();
    expect(await made.exists()).toEqual([false]);
    await expect(storage.bucket("Not_A_Bucket!").create()).rejects.toMatchObject({ code: 400 });
  });
});

describe("the other spelling", () => {
  it("the paths of STORAGE_EMULATOR_HOST are the same API", async () => {
    await save("spelling", "same");
    const path = "/b/media/o/spelling";
    const short = await (await fetch(`${server.origin}${path}`)).json();
    const long = await (await fetch(`${server.origin}/storage/v1${path}`)).json();
    expect(short).toEqual(long);
    expect(await (await fetch((long as { mediaLink: string }).mediaLink)).text()).toBe("same");
  });
});

describe("who asks", () => {
  it("a web page has no access to the JSON API", async () => {
    const response = await fetch(`${server.origin}/b/media/o`, {
      headers: { origin: "https://evil.test", "sec-fetch-mode": "cors" },
    });
    expect(response.status).toBe(403);
  });

  it("a name that leads here by a trick is not answered", async () => {
    const { port } = new URL(server.origin);
    const status = await new Promise<number | undefined>((resolve) => {
      request(
        { port, host: "127.0.0.1", path: "/b/media/o", headers: { host: `evil.test:${port}` } },
        (response) => resolve(response.resume().statusCode),
      ).end();
    });
    expect(status).toBe(403);
  });

  it.each([
    ["a path that is not percent-encoding", "GET", "/b/media/o/%E0%A4", 400],
    ["an unknown collection", "GET", "/b/media/acl", 501],
    ["a method that is not there", "PUT", "/b/media", 405],
    ["a precondition that is no number", "GET", "/b/media/o/x?ifGenerationMatch=new", 400],
    ["an upload of no kind", "POST", "/upload/storage/v1/b/media/o?name=x", 400],
    [
      "metadata that is no object",
      "POST",
      "/upload/storage/v1/b/media/o?uploadType=multipart",
      400,
    ],
    ["an unknown upload", "PUT", "/upload/storage/v1/b/media/o?upload_id=../../x", 404],
  ])("%s is refused", async (_, method, path, status) => {
    const response = await fetch(`${server.origin}${path}`, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: status } });
  });
});

it("a second server is refused the folder", async () => {
  await expect(startStorage({ dataDir, verifySigner })).rejects.toThrow("Another process");
});
