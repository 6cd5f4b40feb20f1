import { Readable } from "node:stream";
import { expect, it } from "vitest";
import type { ByteSource } from "./byteSource.ts";
import { probeBytes } from "./probe.ts";

const MIB = 2 ** 20;

/** An mp4 that says of nearly all its bytes that they are its index; they are zeros. */
const allIndex = (sizeBytes: number): { source: ByteSource; largest: () => number } => {
  const head = Buffer.alloc(32);
  head.writeUInt32BE(24, 0);
  head.write("ftypisom", 4);
  head.write("isomiso2", 16);
  head.writeUInt32BE(sizeBytes - 24, 24);
  head.write("moov", 28);
  let largest = 0;
  const read = function* (start: number, end: number) {
    for (let at = start; at < end; at += MIB) {
      const bytes = Buffer.alloc(Math.min(MIB, end - at));
      if (at < head.length) head.copy(bytes, 0, at);
      yield bytes;
    }
  };
  return {
    largest: () => largest,
    source: {
      sizeBytes,
      open: (start, end) => {
        largest = Math.max(largest, end - start);
        return Promise.resolve(Readable.from(read(start, end)));
      },
    },
  };
};

it("takes no index into memory that is larger than any recording's", async () => {
  const { source, largest } = allIndex(1000 * MIB);
  await expect(probeBytes(source)).rejects.toMatchObject({ code: "invalid_media" });
  expect(largest()).toBeLessThan(128 * MIB);
});
