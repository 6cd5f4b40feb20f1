// Fetches one range of the source and decodes it once: audio for recognition, waveform peaks and
// loudness. Transcribing range n needs only media n, since a range is decoded beyond both its ends.
import type { ObjectStore } from "../../cloud/objectStore.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import type { Warning } from "../../contract/warnings.ts";
import { z } from "zod";
import { StageError } from "../../contract/errors.ts";
import { decodeRange } from "../../media/decodeRange.ts";
import type { Ffmpeg } from "../../media/ffmpeg.ts";
import type { MediaPiece } from "../../media/input.ts";
import { peaksToBytes } from "../../media/waveform.ts";
import type { GuardedFetch } from "../../source/fetch.ts";
import { openRange } from "../../source/open.ts";
import type { StageDefinition } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { type Plan, pixelSec, readPlan } from "./plan.ts";

export const AUDIO = "audio.flac";
/** Int16, little-endian: min, max of each pixel. */
export const PEAKS = "peaks.s16";
/** Float32, little-endian: dB below full scale per 100 ms. */
export const LOUDNESS = "loudness.f32";

const PAD_SEC = 5;

/** What later stages need to know of a range without opening its objects. */
export const MediaSummary = z.object({
  firstPixel: z.int(),
  firstLoudnessBin: z.int(),
  audioStartSec: z.number(),
  audioEndSec: z.number(),
  decodedSec: z.number(),
});
export type MediaSummary = z.infer<typeof MediaSummary>;

export interface MediaDeps {
  store: ObjectStore;
  fetch: GuardedFetch;
  ffmpeg: () => Promise<Ffmpeg>;
}

const rangeOf = (plan: Plan, { index }: TaskInput) => {
  const range = plan.ranges[index];
  if (!range) throw new StageError("internal", `There is no range ${index}.`);
  const secondsPerPixel = pixelSec(plan);
  return {
    startSec: range.startPixel * secondsPerPixel,
    endSec: Math.min(range.endPixel * secondsPerPixel, plan.source.durationSec),
  };
};

const loudnessToBytes = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Passes pieces on, and keeps them for what they have to say afterwards. */
async function* remember(pieces: AsyncIterable<MediaPiece>, opened: MediaPiece[]) {
  for await (const piece of pieces) {
    opened.push(piece);
    yield piece;
  }
}

const clock = (sec: number): string =>
  `${Math.floor(sec / 60)}:${String(Math.floor(sec % 60)).padStart(2, "0")}`;

export const mediaStage = (deps: MediaDeps): StageDefinition => ({
  stage: "media",
  version: STAGE_VERSIONS.media,
  inputs: async (input) => {
    const plan = await readPlan(deps.store, input);
    const { identity, samplesPerPixel } = plan;
    return { identity, samplesPerPixel, audio: plan.source.audio, ...rangeOf(plan, input) };
  },
  run: async (input, { signal, scratchDir, progress }) => {
    const plan = await readPlan(deps.store, input);
    const { audio } = plan.source;
    if (!audio) throw new StageError("internal", "There is no sound to decode.");
    const { startSec, endSec } = rangeOf(plan, input);
    const padded = { startSec: startSec - PAD_SEC, endSec: endSec + PAD_SEC };
    const { fetch, store } = deps;
    const opened: MediaPiece[] = [];
    const pieces = openRange(plan.source, { ...padded, track: "audio" }, { fetch, store, signal });
    const decoded = await decodeRange({
      pieces: remember(pieces, opened),
      startSec,
      endSec,
      padSec: PAD_SEC,
      sampleRateHz: audio.sampleRateHz,
      channels: audio.channels,
      samplesPerPixel: plan.samplesPerPixel,
      scratchDir,
      ffmpeg: await deps.ffmpeg(),
      signal,
      onProgress: progress,
    });
    const between = (from: number, to: number) => `between ${clock(from)} and ${clock(to)}`;
    const warnings: Warning[] = [];
    if (decoded.truncated)
      warnings.push({
        code: "media_truncated",
        message: `The sound ${between(startSec, endSec)} ends early.`,
      });
    // Read after decoding: a piece finds out while it is read.
    for (const gap of opened.flatMap(({ missing }) => missing ?? []))
      warnings.push({
        code: "media_damaged",
        message: `The sound ${between(gap.startSec, gap.endSec)} could not be fetched.`,
      });
    for (const muted of decoded.muted)
      warnings.push({
        code: "segments_muted",
        message: `The site muted the sound ${between(muted.startSec, muted.endSec)}.`,
      });
    const { firstPixel, firstLoudnessBin, audioStartSec, audioEndSec, decodedSec } = decoded;
    const summary: MediaSummary = {
      firstPixel,
      firstLoudnessBin,
      audioStartSec,
      audioEndSec,
      decodedSec,
    };
    const bytes = "application/octet-stream";
    return {
      objects: [
        { name: AUDIO, contentType: "audio/flac", body: { path: decoded.audioPath } },
        { name: PEAKS, contentType: bytes, body: peaksToBytes(decoded.peaks) },
        { name: LOUDNESS, contentType: bytes, body: loudnessToBytes(decoded.loudnessDb) },
      ],
      summary,
      warnings,
    };
  },
});
