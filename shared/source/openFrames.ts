// A range of a file that is nothing but frames (MP3, ADTS) as a piece: the bytes around the range,
// through a pipe.
import { Readable } from "node:stream";
import type { z } from "zod";
import type { MediaPiece } from "../media/input.ts";
import { type ByteSource, readRange } from "./byteSource.ts";
import type { FrameIndex } from "./description.ts";
import { framesAround } from "./frames.ts";

/** MP3 frames lean on those before them, and a decoder needs one to begin. */
const RUN_UP_SEC = 1;

/** A stretch of frames through a pipe; ffmpeg counts their time from zero. */
export const openFrames = (
  bytes: ByteSource,
  demuxer: string,
  frames: z.infer<typeof FrameIndex>,
  range: { startSec: number; endSec: number },
  outer?: AbortSignal,
): MediaPiece => {
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  const { fromByte, toByte, sample } = framesAround(
    frames,
    range.startSec - RUN_UP_SEC,
    range.endSec + RUN_UP_SEC,
    bytes.sizeBytes,
  );
  let bytesRead = 0;
  let failure: Error | undefined;
  const read = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of readRange(bytes, fromByte, toByte, signal)) {
        bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (!signal.aborted) failure ??= error as Error;
      throw error;
    }
  };
  const stdin = Readable.from(read(), { objectMode: false, highWaterMark: 256 * 1024 });
  stdin.on("error", () => undefined); // kept in `failure` for whoever does not listen
  return {
    ...range,
    ptsOffsetSec: (sample - frames.skipSamples) / frames.sampleRateHz,
    inputArgs: ["-protocol_whitelist", "pipe", "-f", demuxer, "-i", "pipe:0"],
    stdin,
    muted: [],
    bytesRead: () => bytesRead,
    failure: () => failure,
    close: () => {
      stop.abort(new Error("The piece was closed."));
      stdin.destroy();
      return Promise.resolve();
    },
  };
};
