import { expect, it } from "vitest";
import { memoryStore } from "../../../tests/memoryStore.ts";
import { peaksToBytes, readWaveformDat } from "../../media/waveform.ts";
import { stagePrefix } from "../key.ts";
import type { StageObject } from "../stage.ts";
import { LOUDNESS, PEAKS } from "./media.ts";
import type { Plan } from "./plan.ts";
import { loudnessOf, rangesOf, waveformObjects } from "./sound.ts";
import type { TaskInput } from "../../contract/ledger.ts";

const BYTES = { contentType: "application/octet-stream" };

/** Two ranges of two pixels each, of which the first begins at pixel 3. */
const setUp = async () => {
  const store = memoryStore();
  const parts = [
    {
      key: "a",
      firstPixel: 3,
      peaks: [-256, 256, -512, 512],
      firstLoudnessBin: 3,
      loud: [-10, -20],
    },
    { key: "b", firstPixel: 5, peaks: [-768, 768, -1024, 1024], firstLoudnessBin: 5, loud: [-30] },
  ];
  for (const { key, peaks, loud } of parts) {
    const prefix = stagePrefix("media", key);
    await store.put(prefix + PEAKS, peaksToBytes(Int16Array.from(peaks)), BYTES);
    const levels = new Uint8Array(Float32Array.from(loud).buffer);
    await store.put(prefix + LOUDNESS, levels, BYTES);
  }
  const input = {
    upstream: {
      media: parts.map(({ key, firstPixel, firstLoudnessBin }) => ({
        key,
        summary: { firstPixel, firstLoudnessBin, audioStartSec: 0, audioEndSec: 1, decodedSec: 1 },
      })),
    },
  } as unknown as TaskInput;
  const plan = {
    source: { audio: { codec: "pcm", sampleRateHz: 8000, channels: 1 } },
    samplesPerPixel: 64,
    ranges: [
      { startPixel: 3, endPixel: 5 },
      { startPixel: 5, endPixel: 7 },
    ],
  } as unknown as Plan;
  return { store, ranges: rangesOf(input), plan };
};

const bytesOf = async (object: StageObject | undefined): Promise<Buffer> => {
  if (!object) throw new Error("There is no such object.");
  const chunks: Buffer[] = [];
  for await (const chunk of object.body as AsyncIterable<Uint8Array>)
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

it("joins ranges on one grid, flat before the stretch that was analysed", async () => {
  const { store, ranges, plan } = await setUp();
  const [, dat] = waveformObjects(store, plan, ranges, 8);
  const waveform = readWaveformDat(await bytesOf(dat));
  expect(waveform).toMatchObject({ sampleRateHz: 8000, samplesPerPixel: 64, length: 7 });
  expect([...waveform.data]).toEqual([0, 0, 0, 0, 0, 0, -1, 1, -2, 2, -3, 3, -4, 4]);
});

it("puts levels on the video's time, and measures nothing before", async () => {
  const { store, ranges } = await setUp();
  expect([...((await loudnessOf(store, ranges)) ?? [])]).toEqual([NaN, NaN, NaN, -10, -20, -30]);
});

it("makes no waveform where there is no sound", async () => {
  const { store, plan } = await setUp();
  const silent = { ...plan, source: { ...plan.source, audio: null }, ranges: [] };
  expect(waveformObjects(store, silent, [], 8)).toEqual([]);
  expect(await loudnessOf(store, [])).toBeNull();
});
