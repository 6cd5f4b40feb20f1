import { expect, it } from "vitest";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { loudnessOf } from "./sound.ts";

const range = (prefix: string, firstLoudnessBin: number) => ({
  prefix,
  firstLoudnessBin,
  firstPixel: 0,
  audioStartSec: 0,
  audioEndSec: 1,
  decodedSec: 1,
});

/** A store whose answers are pieces of a larger buffer, as small ones of Node's are. */
const storeOf = (levels: Record<string, number[]>): ObjectStore => {
  const read = async (name: string) => {
    const bytes = new Uint8Array(Float32Array.from(levels[name.split("/")[0]!] ?? []).buffer);
    const larger = Buffer.alloc(bytes.length + 64, 0xab);
    larger.set(bytes, 17);
    return larger.subarray(17, 17 + bytes.length);
  };
  return { read } as unknown as ObjectStore;
};

it("joins the ranges' levels as they were kept, with nothing where nothing was measured", async () => {
  const store = storeOf({ a: [-20, -30], b: [-40] });
  const levels = await loudnessOf(store, [range("a/", 2), range("b/", 4)]);
  expect([...levels!]).toEqual([Number.NaN, Number.NaN, -20, -30, -40]);
});

it("has no levels without sound", async () => {
  expect(await loudnessOf(storeOf({}), [])).toBeNull();
});
