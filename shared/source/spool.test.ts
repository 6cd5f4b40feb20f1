import { Readable } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { memoryStore } from "../../tests/memoryStore.ts";
import type { FetchResponse } from "./fetch.ts";
import { spool } from "./spool.ts";

afterEach(() => void vi.restoreAllMocks());

/** 100 chunks, each of which takes this long. @returns how many were taken */
const spooled = async (chunkMs: number, announced: string | undefined): Promise<number> => {
  let now = 0;
  let taken = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const chunks = function* () {
    for (; taken < 100; taken += 1) {
      now += chunkMs;
      yield Buffer.alloc(64 * 1024);
    }
  };
  const headers = announced === undefined ? {} : { "content-length": announced };
  const response = { status: 200, headers, body: Readable.from(chunks(), { highWaterMark: 1 }) };
  const store = memoryStore("bucket");
  const options = { maxBytes: 10 ** 9, totalMs: 540_000 };
  const fetch = () => Promise.resolve(response as unknown as FetchResponse);
  try {
    await spool(fetch, "https://slow.example/a.mp4", store, "spool", options);
    expect(await store.stat("spool")).toMatchObject({ sizeBytes: 6_553_600 });
  } catch (error) {
    expect(error).toMatchObject({ code: "stage_timeout" });
    expect(await store.stat("spool")).toBeNull();
  }
  return taken;
};

it.each([
  ["a server that will be done in time is read to the end", 2_000, "6553600", 100],
  ["one that will not is given up as soon as that is clear", 7_000, "6553600", 20],
  ["of one that does not say how much there is, it never is", 7_000, undefined, 100],
])("%s", async (_name, chunkMs, announced, most) => {
  const taken = await spooled(chunkMs, announced);
  expect(taken).toBeLessThanOrEqual(most);
  expect(taken === 100).toBe(most === 100);
});
