// The text subtitles inside a source, as WebVTT.
import { StageError } from "../contract/errors.ts";
import { checkExit, feed, type Ffmpeg, startFfmpeg } from "./ffmpeg.ts";
import type { MediaPiece } from "./input.ts";
import { joinVtt } from "./vtt.ts";

const MIB = 1024 * 1024;
const MAX_BYTES = 32 * MIB;

/** Reads one subtitle track of a piece as it stands in the file's own time. */
const readTrack = async (
  piece: MediaPiece,
  track: number,
  { ffmpeg, signal }: { ffmpeg: Ffmpeg; signal?: AbortSignal | undefined },
): Promise<string> => {
  const child = startFfmpeg(
    ffmpeg,
    [
      ["-copyts", ...piece.inputArgs, "-map", `0:s:${track}`, "-map_metadata", "-1"],
      ["-flush_packets", "0", "-f", "webvtt", "pipe:1"],
    ].flat(),
    { input: piece.stdin !== undefined, memoryBytes: 1024 * MIB, signal },
  );
  const fed = feed(piece.stdin, child);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_BYTES) continue;
    child.stop();
    throw new StageError("invalid_captions", "The video's subtitles are larger than 32 MiB.");
  }
  const exit = await child.exited;
  const failure = (await fed) ?? piece.failure?.();
  if (failure) throw failure;
  if (sizeBytes === 0) checkExit(exit, "The video's subtitles cannot be read.");
  return Buffer.concat(chunks).toString("utf8");
};

/**
 * The text of a subtitle track.
 * @param options.track as FFmpeg counts subtitle streams (`0:s:N`)
 * @returns WebVTT, times in seconds after time zero of the video
 * @throws {StageError} `invalid_media` where the track cannot be read, `invalid_captions` where it
 *   is larger than 32 MiB, what the source failed with
 */
export const extractSubtitles = async (options: {
  pieces: AsyncIterable<MediaPiece>;
  track: number;
  ffmpeg: Ffmpeg;
  signal?: AbortSignal | undefined;
}): Promise<string> => {
  const parts: { vtt: string; offsetSec: number }[] = [];
  for await (const piece of options.pieces) {
    try {
      const vtt = await readTrack(piece, options.track, options);
      parts.push({ vtt, offsetSec: piece.ptsOffsetSec });
    } finally {
      await piece.close();
    }
  }
  return joinVtt(parts);
};
