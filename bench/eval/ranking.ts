// How well a score per second finds labelled moments, in bins of ten seconds: average precision and
// precision at k, as they are used for ranked retrieval.

export const BIN_SEC = 10;

export interface LabelledSpan {
  startSec: number;
  endSec: number;
}

/** Mean score of each bin; the last one may be shorter. */
export const binScores = (perSecond: readonly number[]): number[] =>
  Array.from({ length: Math.ceil(perSecond.length / BIN_SEC) }, (_, bin) => {
    const part = perSecond.slice(bin * BIN_SEC, (bin + 1) * BIN_SEC);
    return part.reduce((sum, x) => sum + x, 0) / part.length;
  });

/** Whether a labelled moment reaches into the bin. */
export const binLabels = (moments: readonly LabelledSpan[], bins: number): boolean[] =>
  Array.from({ length: bins }, (_, bin) =>
    moments.some(
      ({ startSec, endSec }) => startSec < (bin + 1) * BIN_SEC && endSec > bin * BIN_SEC,
    ),
  );

/** Indices, best first; of equal scores the earlier first. */
const ranked = (scores: readonly number[]): number[] =>
  Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);

/** Mean precision at each positive, 0 to 1; NaN where nothing is labelled. */
export const averagePrecision = (
  scores: readonly number[],
  positive: readonly boolean[],
): number => {
  let hits = 0;
  let sum = 0;
  for (const [i, bin] of ranked(scores).entries()) {
    if (positive[bin] !== true) continue;
    hits += 1;
    sum += hits / (i + 1);
  }
  return sum / hits;
};

/** Share of positives among the k best, 0 to 1. */
export const precisionAt = (
  scores: readonly number[],
  positive: readonly boolean[],
  k: number,
): number =>
  ranked(scores)
    .slice(0, k)
    .filter((bin) => positive[bin] === true).length / k;
