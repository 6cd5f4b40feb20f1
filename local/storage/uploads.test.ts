// Resumable uploads that are cut, asked after, canceled and outlive a kill; and what a kill leaves.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Storage } from "@google-cloud/storage";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFlakyProxy } from "./testing/flakyProxy.ts";
import { type StorageServer, startStorage } from "./server.ts";
import { verifySigner } from "./testing/signer.ts";
import { type StorageProcess, startStorageProcess } from "./testing/storageProcess.ts";

const CHUNK = 256 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let dataDir: string;
let server: StorageServer | undefined;
let child: StorageProcess | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-uploads-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  if (child) await kill();
  await rm(dataDir, { recursive: true, force: true });
});

const start = async (): Promise<string> => {
  server = await startStorage({ dataDir, verifySigner, buckets: ["media"] });
  return server.origin;
};
const startProcess = async (port?: number): Promise<string> => {
  child = await startStorageProcess(dataDir, port);
  return child.origin;
};
const kill = async (): Promise<void> => {
  const killed = child;
  child = undefined;
  await killed?.kill();
};
const bucketAt = (origin: string) =>
  new Storage({ projectId: "klipstream", apiEndpoint: origin }).bucket("media");

/** The files that hold bytes of objects and uploads. */
const filesOf = async (dir: string): Promise<{ folder: string; sizeBytes: number }[]> => {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.includes("sqlite"));
  return Promise.all(
    files.map(async ({ parentPath, name }) => ({
      folder: relative(dir, parentPath).split(sep)[0] ?? "",
      sizeBytes: (await stat(join(parentPath, name))).size,
    })),
  );
};

const begin = async (origin: string, query = ""): Promise<string> => {
  const response = await fetch(
    `${origin}/upload/storage/v1/b/media/o?uploadType=resumable&name=big${query}`,
    { method: "POST", headers: { "x-upload-content-type": "video/mp4" } },
  );
  expect(response.status).toBe(200);
  return response.headers.get("location") ?? "";
};
const put = (address: string, range: string, body: Uint8Array<ArrayBuffer> = new Uint8Array()) =>
  fetch(address, { method: "PUT", headers: { "content-range": `bytes ${range}` }, body });

describe("in chunks", () => {
  it("each is acknowledged, and the last makes the object", async () => {
    const origin = await start();
    const bytes = randomBytes(2 * CHUNK + 5);
    const address = await begin(origin);
    expect((await put(address, "*/*")).headers.get("range")).toBeNull();
    const first = await put(address, `0-${CHUNK - 1}/*`, bytes.subarray(0, CHUNK));
    expect([first.status, first.headers.get("range")]).toEqual([308, `bytes=0-${CHUNK - 1}`]);
    // Sent twice, as after a lost answer: taken once.
    const both = await put(address, `0-${2 * CHUNK - 1}/*`, bytes.subarray(0, 2 * CHUNK));
    expect(both.headers.get("range")).toBe(`bytes=0-${2 * CHUNK - 1}`);
    expect(await bucketAt(origin).file("big").exists()).toEqual([false]);
    const size = bytes.length;
    const last = await put(address, `${2 * CHUNK}-${size - 1}/${size}`, bytes.subarray(2 * CHUNK));
    expect(last.status).toBe(200);
    expect(await last.json()).toMatchObject({ size: String(size), contentType: "video/mp4" });
    const [read] = await bucketAt(origin).file("big").download();
    expect(sha256(read)).toBe(sha256(bytes));
    // Asked again, it is still complete.
    const status = await put(address, "*/*");
    expect([status.status, ((await status.json()) as { name: string }).name]).toEqual([200, "big"]);
  });

  it("what does not fit is refused", async () => {
    const address = await begin(await start());
    expect((await put(address, "0-99/*", randomBytes(100))).status).toBe(400);
    expect((await put(address, "0-4/5", randomBytes(6))).status).toBe(400);
    expect((await put(address, "5-1/5", randomBytes(5))).status).toBe(400);
    // A gap is answered with how far it is.
    expect((await put(address, `${CHUNK}-${2 * CHUNK - 1}/*`, randomBytes(CHUNK))).status).toBe(
      308,
    );
    expect((await put(address, "*/*")).headers.get("range")).toBeNull();
  });

  it("with a checksum that does not fit at its end it makes no object", async () => {
    const origin = await start();
    const bytes = randomBytes(CHUNK + 5);
    const address = await begin(origin);
    await put(address, `0-${CHUNK - 1}/*`, bytes.subarray(0, CHUNK));
    const last = await fetch(address, {
      method: "PUT",
      headers: {
        "content-range": `bytes ${CHUNK}-${CHUNK + 4}/${CHUNK + 5}`,
        "x-goog-hash": "crc32c=AAAAAA==",
      },
      body: bytes.subarray(CHUNK),
    });
    expect(last.status).toBe(400);
    expect(await bucketAt(origin).file("big").exists()).toEqual([false]);
    expect(await filesOf(dataDir)).toEqual([]);
  });

  it("canceled, it is gone", async () => {
    const address = await begin(await start());
    await put(address, `0-${CHUNK - 1}/*`, randomBytes(CHUNK));
    expect((await fetch(address, { method: "DELETE" })).status).toBe(499);
    expect((await put(address, "*/*")).status).toBe(499);
    expect(await readdir(join(dataDir, "incoming"))).toEqual([]);
  });

  it("what came between is not overwritten", async () => {
    const origin = await start();
    const address = await begin(origin, "&ifGenerationMatch=0");
    await bucketAt(origin).file("big").save("first", { resumable: false });
    expect((await put(address, "0-4/5", Buffer.from("later"))).status).toBe(412);
    expect((await bucketAt(origin).file("big").download())[0].toString("utf8")).toBe("first");
    const again = await fetch(
      `${origin}/upload/storage/v1/b/media/o?uploadType=resumable&name=big&ifGenerationMatch=0`,
      { method: "POST" },
    );
    expect(again.status).toBe(412);
  });
});

describe("cut off", () => {
  it("goes on from what had arrived, while the old request still hangs", async () => {
    const origin = await start();
    const bytes = randomBytes(4_000_000);
    const address = await begin(origin);
    const stalled = Promise.withResolvers<void>();
    const body = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 1_000_000);
        await stalled.promise;
      })(),
    );
    const first = fetch(address, {
      method: "PUT",
      headers: { "content-range": "bytes 0-*/*" },
      body: Readable.toWeb(body) as ReadableStream,
      duplex: "half",
    });
    const outcome = first.then(
      () => "answered",
      () => "cut",
    );
    const arriving = join(
      dataDir,
      "incoming",
      new URL(address).searchParams.get("upload_id") ?? "",
    );
    const arrived = async () => (existsSync(arriving) ? (await stat(arriving)).size : 0);
    const received = 1_000_000;
    while ((await arrived()) < received) await new Promise(setImmediate);
    // Asking ends the request that hangs, and says what it brought.
    expect((await put(address, "*/*")).headers.get("range")).toBe(`bytes=0-${received - 1}`);
    expect(await outcome).toBe("cut");
    stalled.resolve();
    const size = bytes.length;
    const last = await put(address, `${received}-${size - 1}/${size}`, bytes.subarray(received));
    expect(last.status).toBe(200);
    const [read] = await bucketAt(origin).file("big").download();
    expect(sha256(read)).toBe(sha256(bytes));
  });

  it("the official client goes on after its connection broke", async () => {
    const proxy = await startFlakyProxy(await start());
    const bytes = randomBytes(5_000_000);
    proxy.cuts = [{ direction: "up", afterBytes: 2_000_000 }];
    const file = bucketAt(proxy.origin).file("big");
    const chunks = Array.from({ length: 50 }, (_, at) => bytes.subarray(at * 1e5, (at + 1) * 1e5));
    await pipeline(
      Readable.from(chunks),
      file.createWriteStream({ chunkSize: 8 * CHUNK, preconditionOpts: { ifGenerationMatch: 0 } }),
    );
    expect(proxy.cuts).toEqual([]);
    expect(sha256((await file.download())[0])).toBe(sha256(bytes));
    await proxy.close();
  });
});

describe("killed", () => {
  it("an upload goes on where it was acknowledged", async () => {
    const bytes = randomBytes(3 * CHUNK);
    const address = await begin(await startProcess());
    await put(address, `0-${2 * CHUNK - 1}/*`, bytes.subarray(0, 2 * CHUNK));
    await kill();
    const origin = await start();
    const moved = `${origin}${new URL(address).pathname}${new URL(address).search}`;
    expect((await put(moved, "*/*")).headers.get("range")).toBe(`bytes=0-${2 * CHUNK - 1}`);
    const size = bytes.length;
    const last = await put(moved, `${2 * CHUNK}-${size - 1}/${size}`, bytes.subarray(2 * CHUNK));
    expect(last.status).toBe(200);
    // The official client checks the checksum, which was computed anew over the part before.
    expect(sha256((await bucketAt(origin).file("big").download())[0])).toBe(sha256(bytes));
  });

  it("in the middle of a chunk, the official client goes on by itself when it is back", async () => {
    const origin = await startProcess();
    const proxy = await startFlakyProxy(origin);
    const bytes = randomBytes(6_000_000);
    // The first chunk is acknowledged, of the second a part is there.
    proxy.cuts = [{ direction: "up", afterBytes: 3_000_000 }];
    proxy.onCut = async () => {
      const arrived = async () => (await filesOf(dataDir))[0]?.sizeBytes ?? 0;
      while ((await arrived()) <= 8 * CHUNK) await new Promise(setImmediate);
      await kill();
      await startProcess(Number(new URL(origin).port));
    };
    const chunks = Array.from({ length: 60 }, (_, at) => bytes.subarray(at * 1e5, (at + 1) * 1e5));
    await pipeline(
      Readable.from(chunks),
      bucketAt(proxy.origin)
        .file("big")
        .createWriteStream({ chunkSize: 8 * CHUNK, preconditionOpts: { ifGenerationMatch: 0 } }),
    );
    expect(proxy.cuts).toEqual([]);
    expect(sha256((await bucketAt(origin).file("big").download())[0])).toBe(sha256(bytes));
    expect(await filesOf(dataDir)).toEqual([{ folder: "objects", sizeBytes: bytes.length }]);
    await proxy.close();
  });

  it("in the middle of writing: what was whole is whole, the rest is not there", async () => {
    const origin = await startProcess();
    const whole = randomBytes(300_000);
    await bucketAt(origin).file("whole").save(whole, { resumable: false });
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          yield randomBytes(65_536);
          if ((await readdir(join(dataDir, "incoming"))).length > 0) await kill();
        }
      })(),
    );
    await expect(
      fetch(`${origin}/upload/storage/v1/b/media/o?uploadType=media&name=half`, {
        method: "POST",
        body: Readable.toWeb(endless) as ReadableStream,
        duplex: "half",
      }),
    ).rejects.toThrow("fetch failed");
    expect(await readdir(join(dataDir, "incoming"))).toHaveLength(1);

    const bucket = bucketAt(await start());
    expect(await readdir(join(dataDir, "incoming"))).toEqual([]);
    expect((await bucket.getFiles())[0].map(({ name }) => name)).toEqual(["whole"]);
    expect(sha256((await bucket.file("whole").download())[0])).toBe(sha256(whole));
  });

  it("between the rename and the index: the file is removed, or given back to its upload", async () => {
    const address = await begin(await start());
    await put(address, `0-${CHUNK - 1}/*`, randomBytes(CHUNK));
    const id = new URL(address).searchParams.get("upload_id") ?? "";
    await server?.close();
    const objectPath = async (name: string): Promise<string> => {
      const shard = join(dataDir, "objects", name.slice(0, 2));
      await mkdir(shard, { recursive: true });
      return join(shard, name);
    };
    await rename(join(dataDir, "incoming", id), await objectPath(id));
    await writeFile(await objectPath("f".repeat(32)), "nobody names this");
    const origin = await start();
    const moved = `${origin}${new URL(address).pathname}${new URL(address).search}`;
    expect((await put(moved, "*/*")).headers.get("range")).toBe(`bytes=0-${CHUNK - 1}`);
    expect(await readdir(join(dataDir, "objects", "ff"))).toEqual([]);
  });
});

it("a large object takes no memory", async () => {
  const origin = await startProcess();
  const sizeBytes = 160 * 1024 * 1024;
  const block = randomBytes(1024 * 1024);
  const rss = async (): Promise<number> => {
    child?.child.send("memory");
    const [bytes] = (await once(child?.child as NodeJS.EventEmitter, "message")) as [number];
    return bytes;
  };
  const before = await rss();
  const blocks = Readable.from(Array.from({ length: 160 }, () => block));
  const response = await fetch(
    `${origin}/upload/storage/v1/b/media/o?uploadType=media&name=large`,
    {
      method: "POST",
      body: Readable.toWeb(blocks) as ReadableStream,
      duplex: "half",
    },
  );
  expect(await response.json()).toMatchObject({ size: String(sizeBytes) });
  const written = await rss();
  let read = 0;
  const download = await fetch(`${origin}/b/media/o/large?alt=media`);
  for await (const chunk of download.body as unknown as AsyncIterable<Uint8Array>)
    read += chunk.length;
  expect(read).toBe(sizeBytes);
  const after = await rss();
  expect(Math.max(written, after) - before).toBeLessThan(100 * 1024 * 1024);
});
