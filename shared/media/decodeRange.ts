// One decode of one range gives everything that later stages ask of its sound: audio for
// recognition, waveform peaks and loudness. Sound comes from ffmpeg as samples on one pipe and the
// frames' timestamps on another, and is cut by sample number here.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { decodePiece, hadNoSound } from "./decodePiece.ts";
import { checkExit, type Ffmpeg, type FfmpegExit } from "./ffmpeg.ts";
import { FlacEncoder } from "./flacEncoder.ts";
import type { MediaPiece } from "./input.ts";
import { LOUDNESS_BINS_PER_SEC, LoudnessMeter, PeakMeter } from "./meters.ts";
import { Timeline } from "./timeline.ts";

/** Sound that ends this much before its range does counts as cut off. */
const TRUNCATED_SEC = 1;

export interface DecodeOptions {
  /** In order of time; read from `startSec - padSec` to `endSec + padSec`, where there is that much. */
  pieces: AsyncIterable<MediaPiece>;
  /** Seconds after time zero, on the grid of pixels (`startSec` is rounded to it). */
  startSec: number;
  /** On the grid too, or the end of the source. */
  endSec: number;
  /** Decoded beyond both ends for recognition. Default 5. */
  padSec?: number;
  /** Of the source. Peaks are of these samples. */
  sampleRateHz: number;
  channels: number;
  samplesPerPixel: number;
  /** Where the audio file is made. */
  scratchDir: string;
  ffmpeg: Ffmpeg;
  signal?: AbortSignal | undefined;
  /** 0 to 1. */
  onProgress?: (fraction: number) => void;
}

interface Stretch {
  startSec: number;
  endSec: number;
}

export interface DecodedRange {
  /** FLAC, 16 kHz, mono; silence where the source has no sound. */
  audioPath: string;
  /** What the audio file covers, seconds after time zero. */
  audioStartSec: number;
  audioEndSec: number;
  /** Min, max, min, max, … at 16 bit, from pixel `firstPixel` on. */
  peaks: Int16Array;
  firstPixel: number;
  /**
   * dB below full scale per 100 ms, from bin `firstLoudnessBin` on; silence is -100, NaN where the
   * site silenced the sound.
   */
  loudnessDb: Float32Array;
  firstLoudnessBin: number;
  /** Sound that the source had between `audioStartSec` and `audioEndSec`; 0 where it had none. */
  decodedSec: number;
  /** Time of the first sample of the pieces read; null without sound. */
  firstSoundSec: number | null;
  /** Silenced by the site, clipped to the range; those that touch are one. */
  muted: Stretch[];
  /** Whether the sound ends, or the pieces do, more than a second before they should. */
  truncated: boolean;
  /** ffmpeg's messages where it gave up before the end of a piece; for a log. */
  damage: string[];
  bytesRead: number;
}

/**
 * Decodes one range.
 * @throws {StageError} `invalid_media` where nothing at all can be decoded; what the source failed
 *   with; `stage_timeout`, `resources_exhausted`; the reason of an abort. No file is left then.
 */
export const decodeRange = async (options: DecodeOptions): Promise<DecodedRange> => {
  const { sampleRateHz, channels, samplesPerPixel, padSec = 5, signal, ffmpeg } = options;
  const pad = Math.round(padSec * sampleRateHz);
  const firstPixel = Math.round((options.startSec * sampleRateHz) / samplesPerPixel);
  const first = firstPixel * samplesPerPixel;
  const end = Math.max(first, Math.round(options.endSec * sampleRateHz));
  const range = { start: Math.max(0, first - pad), end: end + pad, sampleRateHz, channels };
  const audioPath = join(options.scratchDir, "audio.flac");

  const peaks = new PeakMeter(first, end, channels, samplesPerPixel);
  const loudness = new LoudnessMeter(first, end, channels, sampleRateHz);
  const encoder = new FlacEncoder(ffmpeg, { path: audioPath, sampleRateHz, channels, signal });
  const timeline = new Timeline([peaks, loudness, encoder], range);
  const onProgress = (): void =>
    options.onProgress?.((timeline.at - range.start) / Math.max(1, range.end - range.start));

  const muted: DecodedRange["muted"] = [];
  const failures: FfmpegExit[] = [];
  let covered = range.start;
  let bytesRead = 0;
  try {
    for await (const piece of options.pieces) {
      try {
        const exit = await decodePiece(piece, {
          timeline,
          sampleRateHz,
          channels,
          drained: () => encoder.drained(),
          ffmpeg,
          signal,
          onProgress,
        });
        if (exit.code !== 0 && !hadNoSound(exit)) failures.push(exit);
      } finally {
        await piece.close();
        bytesRead += piece.bytesRead();
      }
      covered = Math.max(covered, Math.round(piece.endSec * sampleRateHz));
      muted.push(...clip(piece.muted, options.startSec, options.endSec));
      if (timeline.done) break;
    }
    const [failure] = failures;
    if (failure && timeline.decoded === 0) checkExit(failure);

    const soundEnd = timeline.at;
    const audioEnd = Math.max(soundEnd, Math.min(covered, range.end));
    // Where sound stops in the middle of a pixel, zeros count for it if the silence is a long one,
    // but not at the source's end. By length, since every range must judge alike.
    if (audioEnd - soundEnd >= pad) timeline.fillTo(audioEnd);
    else encoder.silence(audioEnd - soundEnd);
    await encoder.finish();

    return {
      audioPath,
      audioStartSec: range.start / sampleRateHz,
      audioEndSec: audioEnd / sampleRateHz,
      peaks: peaks.finish(),
      firstPixel,
      loudnessDb: withoutMuted(loudness.finish(), loudness.firstBin, muted),
      firstLoudnessBin: loudness.firstBin,
      decodedSec: timeline.decoded / sampleRateHz,
      firstSoundSec: timeline.firstSound === null ? null : timeline.firstSound / sampleRateHz,
      muted: joined(muted),
      truncated:
        audioEnd - soundEnd > TRUNCATED_SEC * sampleRateHz ||
        end - audioEnd > TRUNCATED_SEC * sampleRateHz,
      damage: failures.map((exit) => exit.stderr.trim()),
      bytesRead,
    };
  } catch (error) {
    await encoder.cancel();
    await rm(audioPath, { force: true });
    throw error;
  }
};

const clip = (stretches: Stretch[], startSec: number, endSec: number): Stretch[] =>
  stretches
    .map((s) => ({ startSec: Math.max(s.startSec, startSec), endSec: Math.min(s.endSec, endSec) }))
    .filter((s) => s.startSec < s.endSec);

/** Segments are cut a few samples apart. */
const TOUCH_SEC = 0.1;

const joined = (stretches: readonly Stretch[]): Stretch[] => {
  const found: Stretch[] = [];
  for (const { startSec, endSec } of stretches) {
    const last = found.at(-1);
    if (last && startSec - last.endSec < TOUCH_SEC) last.endSec = Math.max(last.endSec, endSec);
    else found.push({ startSec, endSec });
  }
  return found;
};

const withoutMuted = (
  levels: Float32Array,
  firstBin: number,
  muted: readonly Stretch[],
): Float32Array => {
  const binOf = (sec: number): number => Math.round(sec * LOUDNESS_BINS_PER_SEC) - firstBin;
  for (const { startSec, endSec } of muted)
    levels.fill(Number.NaN, Math.max(0, binOf(startSec)), Math.max(0, binOf(endSec)));
  return levels;
};
