// The one grid that all ranges of a source fall on: waveform pixels, counted from time zero.

export interface TimeRange {
  /** Seconds after time zero. */
  startSec: number;
  endSec: number;
}

/**
 * Cuts a stretch of a source into ranges of about the same length that meet on pixel boundaries.
 * @param maxSec longest range; default 300
 * @returns one range at least; the first begins on the pixel that `startSec` falls in, the last
 *   ends at `endSec`
 */
export const cutRanges = (
  source: { startSec: number; endSec: number; sampleRateHz: number; samplesPerPixel: number },
  maxSec = 300,
): TimeRange[] => {
  const pixelSec = source.samplesPerPixel / source.sampleRateHz;
  const first = Math.floor(source.startSec / pixelSec + 1e-6);
  const pixels = Math.max(1, Math.ceil(source.endSec / pixelSec) - first);
  const count = Math.ceil(pixels / Math.max(1, Math.floor(maxSec / pixelSec)));
  const edge = (n: number): number => (first + Math.round((pixels * n) / count)) * pixelSec;
  return Array.from({ length: count }, (_, n) => ({
    startSec: edge(n),
    endSec: n === count - 1 ? source.endSec : edge(n + 1),
  }));
};
