import { expect, it } from "vitest";
import { memoryStore } from "../../tests/memoryStore.ts";
import type { SourceDescription } from "./description.ts";
import { openRange } from "./open.ts";

const describeFile = async (demuxer: string) => {
  const store = memoryStore();
  await store.put("f", Buffer.alloc(1000), { contentType: "video/mp2t" });
  const description: SourceDescription = {
    provider: "upload",
    identity: null,
    durationSec: 100,
    startPtsSec: 1.4,
    audio: null,
    video: { codec: "h264", width: 320, height: 180 },
    playable: { kind: "file", location: { in: "bucket", object: "f" }, sizeBytes: 1000, demuxer },
    warnings: [],
  };
  return { store, description };
};

it.each([
  // MPEG-TS has no index: without a longer run-up a clip would begin between two key frames.
  ["mpegts", "video", "18.000"],
  ["mpegts", "audio", "29.000"],
  ["mov", "video", "29.000"],
] as const)(
  "reads %s for its %s from %s s on, for a range from 30 s",
  async (demuxer, track, at) => {
    const { store, description } = await describeFile(demuxer);
    const fetch = () => Promise.reject(new Error("not asked for"));
    const range = { startSec: 30, endSec: 40, track };
    for await (const piece of openRange(description, range, { fetch, store })) {
      const { inputArgs } = piece;
      await piece.close();
      expect(inputArgs[inputArgs.indexOf("-ss") + 1]).toBe(at);
    }
    expect.assertions(1);
  },
);
