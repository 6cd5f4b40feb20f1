// Matroska and FLV round timestamps to a millisecond, some fifty samples. ffmpeg carries the rounding
// of the first packet it reads through all that follow, so ranges read apart would lie up to a
// millisecond apart. Many rounded timestamps together tell where the first one really was.

/** Demuxers whose timestamps are rounded by more than a sample. */
const COARSE_DEMUXERS = ["matroska", "webm", "matroska,webm", "flv", "live_flv", "kux"];
/** Timestamps that are looked at: a full period of the rounding at 44.1 kHz and 1,024 samples. */
export const CLOCK_PACKETS = 441;
/** A timestamp further off than this is no rounding but a gap. */
const MAX_ROUNDING_SEC = 0.0021;

export const hasCoarseClock = (inputArgs: readonly string[]): boolean =>
  COARSE_DEMUXERS.includes(inputArgs[inputArgs.lastIndexOf("-f") + 1] ?? "");

const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
};

/**
 * How much later than its rounded timestamp the first packet really begins.
 * @param packetSec timestamps of the packets, in order, seconds
 * @param frameSec  length of every packet's sound, seconds
 * @returns seconds, within rounding; 0 for a single packet
 */
export const clockCorrectionSec = (packetSec: readonly number[], frameSec: number): number => {
  const [first] = packetSec;
  if (first === undefined) return 0;
  const offs: number[] = [];
  for (const [n, sec] of packetSec.slice(0, CLOCK_PACKETS).entries()) {
    const off = sec - (first + n * frameSec);
    if (Math.abs(off) > MAX_ROUNDING_SEC) break;
    offs.push(off);
  }
  return median(offs);
};
