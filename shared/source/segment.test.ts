import { createCipheriv } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FileServer, type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import { downloadAhead } from "./downloadAhead.ts";
import { type ClosableFetch, createGuardedFetch } from "./fetch.ts";
import { fetchSegment, mutedName, RenditionParts } from "./segment.ts";

const files: Record<string, ServedFile> = {};
let server: FileServer;
let net: ClosableFetch;

beforeAll(async () => {
  server = await startFileServer(files);
  net = createGuardedFetch(standInNet({ "cdn.example": server.address }));
});
afterAll(async () => {
  await net.close();
  await server.close();
});
afterEach(() => {
  for (const path of Object.keys(files)) delete files[path];
});

const segment = (path: string, over: object = {}) => ({
  uri: `https://cdn.example${path}`,
  startSec: 0,
  durationSec: 2,
  discontinuity: 0,
  muted: false,
  ...over,
});
const load = async (
  path: string,
  over: object = {},
  options: { headBytes?: number; mayBeMuted?: boolean } = {},
) => {
  const keys = [{ uri: "https://cdn.example/key" }];
  const parts = new RenditionParts({ maps: [], keys }, net);
  const found = await fetchSegment(segment(path, over), parts, net, {
    mayBeMuted: false,
    ...options,
  });
  return { text: found.bytes.toString("latin1"), muted: found.muted };
};

describe("a segment", () => {
  it.each([
    ["as it is named", "/1.ts", "/1.ts", false, { text: "x", muted: false }],
    ["muted since the list was made", "/1.ts", "/1-muted.ts", true, { text: "x", muted: true }],
    ["listed as unmuted", "/1-unmuted.ts", "/1-muted.ts", false, { text: "x", muted: true }],
  ])("%s", async (_what, asked, there, mayBeMuted, found) => {
    files[there] = { body: Buffer.from("x") };
    expect(await load(asked, {}, { mayBeMuted })).toEqual(found);
  });

  it("that is gone is gone, where the site renames nothing", async () => {
    files["/1-muted.ts"] = { body: Buffer.from("x") };
    await expect(load("/1.ts")).rejects.toMatchObject({ code: "video_not_found" });
  });

  it.each([true, false])("is cut out of its file (server knows ranges: %s)", async (ranges) => {
    files["/all.ts"] = { body: Buffer.from("0123456789"), ranges };
    const byteRange = { offset: 3, length: 4 };
    expect((await load("/all.ts", { byteRange })).text).toBe("3456");
    expect((await load("/all.ts", { byteRange }, { headBytes: 2 })).text).toBe("34");
    expect((await load("/all.ts", {}, { headBytes: 2 })).text).toBe("01");
  });

  it("is not read beyond its cap, whatever its list or its server says", async () => {
    files["/big.ts"] = { body: Buffer.alloc(2000) };
    const parts = new RenditionParts({ maps: [], keys: [] }, net);
    const capped = (over: object) =>
      fetchSegment(segment("/big.ts", over), parts, net, { mayBeMuted: false, maxBytes: 1000 });
    const large = { code: "video_too_large" };
    await expect(capped({})).rejects.toMatchObject(large);
    await expect(capped({ byteRange: { offset: 0, length: 1001 } })).rejects.toMatchObject(large);
    expect((await capped({ byteRange: { offset: 999, length: 1000 } })).bytes).toHaveLength(1000);
    files["/big.ts"].ranges = false;
    const before = server.bytesSent();
    await expect(capped({ byteRange: { offset: 999, length: 10 } })).rejects.toMatchObject(large);
    expect(server.bytesSent() - before).toBeLessThanOrEqual(2000);
  });

  it("is decrypted, and so is its beginning alone", async () => {
    const key = Buffer.alloc(16, 7);
    const iv = "0".repeat(31) + "5";
    const clear = "a segment of more than one block of sixteen bytes";
    const cipher = createCipheriv("aes-128-cbc", key, Buffer.from(iv, "hex"));
    files["/key"] = { body: key };
    files["/1.ts"] = { body: Buffer.concat([cipher.update(clear), cipher.final()]) };
    expect((await load("/1.ts", { key: 0, iv })).text).toBe(clear);
    expect((await load("/1.ts", { key: 0, iv }, { headBytes: 40 })).text).toBe(clear.slice(0, 32));
    files["/key"] = { body: Buffer.alloc(16, 8) };
    await expect(load("/1.ts", { key: 0, iv })).rejects.toMatchObject({ code: "invalid_media" });
    files["/key"] = { body: Buffer.from("<html>") };
    await expect(load("/1.ts", { key: 0, iv })).rejects.toMatchObject({ code: "invalid_playlist" });
  });

  it.each([
    ["https://x.example/a/1.ts", "https://x.example/a/1-muted.ts"],
    ["https://x.example/a/1-unmuted.ts?x=1", "https://x.example/a/1-muted.ts?x=1"],
    ["https://x.example/a/1-muted.ts", null],
    ["https://x.example/a/1", null],
  ])("%s without its sound is %s", (uri, muted) => {
    expect(mutedName(uri)).toBe(muted);
  });
});

describe("downloading ahead", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);

  /** Runs the list with downloads that end only when they are told to. */
  const watched = (limits: { parallel: number; bytes: number }, size: number) => {
    let running = 0;
    let most = 0;
    let held = 0;
    let mostHeld = 0;
    const download = async (item: number) => {
      running += 1;
      most = Math.max(most, running);
      held += size;
      mostHeld = Math.max(mostHeld, held);
      // Later ones finish first.
      for (let turn = 0; turn < (item % 5 === 0 ? 9 : 1); turn += 1) await Promise.resolve();
      running -= 1;
      return { size, item };
    };
    const results = downloadAhead(items, limits, () => size, download);
    const take = async () => {
      const order: number[] = [];
      for await (const { item } of results) {
        order.push(item);
        await Promise.resolve();
        held -= size;
      }
      return order;
    };
    return { take, most: () => most, mostHeld: () => mostHeld };
  };

  it("keeps the order and the number under way", async () => {
    const run = watched({ parallel: 4, bytes: 1e9 }, 1);
    expect(await run.take()).toEqual(items);
    expect(run.most()).toBe(4);
  });

  it("holds no more bytes than it may, and goes on where one item is more than that", async () => {
    const run = watched({ parallel: 32, bytes: 10 }, 3);
    expect(await run.take()).toEqual(items);
    expect(run.mostHeld()).toBeLessThanOrEqual(12);
    const large = watched({ parallel: 32, bytes: 10 }, 50);
    expect(await large.take()).toEqual(items);
    expect(large.most()).toBe(1);
  });

  it("fails when the failed one's turn comes", async () => {
    const seen: number[] = [];
    const results = downloadAhead(
      items,
      { parallel: 8, bytes: 1e9 },
      () => 1,
      (item) =>
        item === 3 ? Promise.reject(new Error("gone")) : Promise.resolve({ size: 1, item }),
    );
    const read = async () => {
      for await (const { item } of results) seen.push(item);
    };
    await expect(read()).rejects.toThrow("gone");
    expect(seen).toEqual([0, 1, 2]);
  });
});
