// The ranges' peaks and loudness as one run over the whole video, from time zero.
import type { ObjectStore } from "../../cloud/objectStore.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import {
  type WaveformHeader,
  bytesToPeaks,
  joinPeaks,
  waveformDat,
  waveformJson,
} from "../../media/waveform.ts";
import { stagePrefix } from "../key.ts";
import type { StageObject } from "../stage.ts";
import { LOUDNESS, MediaSummary, PEAKS } from "./media.ts";
import type { Plan } from "./plan.ts";

interface Range extends MediaSummary {
  prefix: string;
}

/** The media results in order of time. */
export const rangesOf = (input: TaskInput): Range[] =>
  (input.upstream.media ?? [])
    .filter((output) => output !== null)
    .map(({ key, summary }) => ({
      ...MediaSummary.parse(summary),
      prefix: stagePrefix("media", key),
    }));

async function* peaksOf(store: ObjectStore, ranges: readonly Range[]) {
  // Where analysis begins later, the picture of the sound is flat up to there.
  const firstPixel = ranges[0]?.firstPixel ?? 0;
  if (firstPixel > 0) yield { firstPixel: 0, peaks: new Int16Array(2 * firstPixel) };
  for (const range of ranges) {
    const peaks = bytesToPeaks(await store.read(range.prefix + PEAKS));
    yield { firstPixel: range.firstPixel, peaks };
  }
}

/** `audiowave.json` and `audiowave.dat`; none without sound. */
export const waveformObjects = (
  store: ObjectStore,
  plan: Plan,
  ranges: readonly Range[],
  bits: 8 | 16,
): StageObject[] => {
  const { audio } = plan.source;
  const last = plan.ranges.at(-1);
  if (!audio || !last) return [];
  const header: WaveformHeader = {
    sampleRateHz: audio.sampleRateHz,
    samplesPerPixel: plan.samplesPerPixel,
    bits,
    length: last.endPixel,
  };
  const peaks = () => joinPeaks(peaksOf(store, ranges));
  return [
    {
      name: "audiowave.json",
      contentType: "application/json",
      body: waveformJson(header, peaks()),
    },
    {
      name: "audiowave.dat",
      contentType: "application/octet-stream",
      body: waveformDat(header, peaks()),
    },
  ];
};

/** Level per 100 ms from time zero, dB below full scale, NaN before the first range; null without sound. */
export const loudnessOf = async (
  store: ObjectStore,
  ranges: readonly Range[],
): Promise<Float32Array | null> => {
  if (ranges.length === 0) return null;
  const parts = await Promise.all(
    ranges.map(async ({ prefix, firstLoudnessBin }) => {
      const bytes = await store.read(prefix + LOUDNESS);
      return { firstLoudnessBin, values: new Float32Array(Uint8Array.from(bytes).buffer) };
    }),
  );
  const ends = parts.map(({ firstLoudnessBin, values }) => firstLoudnessBin + values.length);
  const whole = new Float32Array(Math.max(...ends)).fill(Number.NaN);
  for (const { firstLoudnessBin, values } of parts) whole.set(values, firstLoudnessBin);
  return whole;
};
