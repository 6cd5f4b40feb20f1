// The seam between sources and media: a stretch of a source that ffmpeg can read.
import type { Readable } from "node:stream";

/**
 * One stretch that is continuous in its own clock. A range of a file is one piece; a range of an
 * HLS recording is one piece for every run between discontinuities.
 */
export interface MediaPiece {
  /** Stretch of the video's time that the piece is read for, seconds after time zero. */
  startSec: number;
  endSec: number;
  /** Time in the video = presentation time in the piece + this. */
  ptsOffsetSec: number;
  /** Arguments up to and with `-i`; never a stranger's address. */
  inputArgs: string[];
  /** What ffmpeg reads where the input is `pipe:0`. */
  stdin?: Readable;
  /** Stretches without sound by the site's doing, in the video's time. */
  muted: { startSec: number; endSec: number }[];
  /**
   * Stretches that could not be had although the rest could, in the video's time. Like `muted` it
   * may grow while the piece is read.
   */
  missing?: { startSec: number; endSec: number }[];
  /** Bytes fetched so far, for progress and counters. */
  bytesRead(): number;
  /**
   * What reading the source failed with, if it did (the network, not the media): ffmpeg sees no
   * more than an early end, which must not pass for a truncated file.
   */
  failure?(): Error | undefined;
  /** Frees what the piece holds (a loopback server, a download); safe to call twice. */
  close(): Promise<void>;
}
