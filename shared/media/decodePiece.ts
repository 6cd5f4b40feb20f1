// Decodes the sound of one piece onto a time line, from the first packet that is read to where the
// time line ends; and where clips are made, lets the same ffmpeg encode the picture beside it.
import type { Readable } from "node:stream";
import { PICTURE_LIMITS } from "./encoding.ts";
import { hasCoarseClock } from "./coarseClock.ts";
import { feed, type Ffmpeg, type FfmpegExit, startFfmpeg } from "./ffmpeg.ts";
import { readFrameList } from "./frameList.ts";
import type { MediaPiece } from "./input.ts";
import { SampleBuffer } from "./sampleBuffer.ts";
import type { Timeline } from "./timeline.ts";

const MIB = 1024 * 1024;

export interface PieceOptions {
  timeline: Timeline;
  /** What the sound is converted to, where it is not that already. */
  sampleRateHz: number;
  channels: number;
  /** Waits until whatever the time line feeds takes more. */
  drained: () => Promise<void>;
  ffmpeg: Ffmpeg;
  signal: AbortSignal | undefined;
  onProgress: () => void;
  /**
   * A second output of the same run, such as the picture. ffmpeg is then left to end by itself, so
   * the sound is cut at `untilPtsSec` (a time in the piece).
   */
  beside?: { args: string[]; untilPtsSec: number; memoryBytes: number };
}

/** Whether ffmpeg ended because the piece has no sound, which is nobody's fault. */
export const hadNoSound = (exit: FfmpegExit): boolean =>
  /matches no streams|does not contain any stream/.test(exit.stderr);

/**
 * @returns how ffmpeg ended; where we stopped it, having all we want, it ended well
 * @throws {StageError} what the source failed with, `stage_timeout`; the reason of an abort
 */
export const decodePiece = async (
  piece: MediaPiece,
  options: PieceOptions,
): Promise<FfmpegExit> => {
  const { timeline, sampleRateHz, channels, drained, beside } = options;
  const coarse = hasCoarseClock(piece.inputArgs);
  const child = startFfmpeg(
    options.ffmpeg,
    [
      // All that is read is wanted, from the first packet on: it is cut by sample number here.
      ["-copyts", "-noaccurate_seek", "-threads", beside ? "2" : "1"],
      [...(beside ? PICTURE_LIMITS : []), ...piece.inputArgs],
      ["-map", "0:a:0", "-c:a", "pcm_s16le", "-map_metadata", "-1"],
      ["-ar", `${sampleRateHz}`, "-ac", `${channels}`],
      beside ? ["-af", `atrim=end=${beside.untilPtsSec.toFixed(6)}`] : [],
      // Not flushed frame by frame: that would be a write, and a waking up here, for each.
      ["-f", "tee", "[f=s16le:flush_packets=0]pipe:1|[f=framecrc:flush_packets=0]pipe:3"],
      coarse
        ? ["-map", "0:a:0", "-c", "copy", "-copypriorss", "1", "-f", "framecrc", "pipe:4"]
        : [],
      beside?.args ?? [],
    ].flat(),
    {
      input: piece.stdin !== undefined,
      extraOutputs: coarse ? 2 : 1,
      memoryBytes: beside?.memoryBytes ?? 1024 * MIB,
      signal: options.signal,
    },
  );
  const fed = feed(piece.stdin, child);

  timeline.startPiece(piece.ptsOffsetSec, coarse);
  const [frames, packets] = child.extra as [Readable, Readable?];
  const listsRead = Promise.all([
    readFrameList(frames, ({ ptsSec, sizeBytes }) =>
      timeline.announce({ ptsSec, samples: Math.floor(sizeBytes / (channels * 2)) }),
    ),
    packets && readFrameList(packets, ({ ptsSec }) => timeline.announcePacket(ptsSec)),
  ]);
  listsRead.catch(() => undefined); // awaited below, unless the samples fail first

  const pending = new SampleBuffer();
  const layPending = (): void => pending.take((pcm, from, to) => timeline.lay(pcm, from, to));
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (timeline.done && !beside) break;
    if (timeline.done) continue;
    pending.append(chunk);
    layPending();
    options.onProgress();
    await drained();
  }
  const enough = timeline.done && !beside;
  if (enough) {
    child.stop();
  } else {
    await listsRead;
    timeline.endPiece();
    layPending();
    await drained();
  }
  const exit = await child.exited;
  const failure = (await fed) ?? piece.failure?.();
  if (enough) return { ...exit, code: 0, signal: null };
  if (failure) throw failure;
  return exit;
};
