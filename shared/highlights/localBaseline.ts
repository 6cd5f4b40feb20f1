// What a signal is usually like around a second, so that a busy or loud part is not all highlights.
// The times before and after the second are looked at apart and the greater level counts (the
// "greatest of" rule of radar's constant false alarm rate detectors): where a busy part begins, the
// level after it is already high, while a burst stands out on both sides.

const REACH_SEC = 150;
/** Left out on both sides, so that a moment does not raise its own baseline. */
const GUARD_SEC = 12;
/** A side with fewer seconds of data than this has no say; a short video is judged as a whole. */
const MIN_SIDE_SEC = 90;
/** Divides both, so that what lies after one second serves again as what lies before a later one. */
const STEP_SEC = 6;
/**
 * How much of a deviation above the least one is believed, and the seconds of data at which half of
 * that: what is more than chance is to some part the very moments that are looked for.
 */
const BELIEF = 0.6;
const BELIEF_SEC = 240;

export interface LocalBaseline {
  /** Usual value at each second. */
  level: Float64Array;
  /** Usual deviation from it. */
  spread: Float64Array;
}

interface Usual {
  level: number;
  spread: number;
}

const quantile = (sorted: Float64Array, share: number): number => {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + ((sorted[below + 1] ?? low) - low) * (at - below);
};

/** Where the quantiles of a standard normal distribution lie, and its quartiles' distance. */
const Z10 = -1.2816;
const Z40 = -0.2533;
const QUARTILES = 1.349;

/**
 * Level and deviation of what is usual in `values`, of which up to a third may be moments: these
 * only ever lie above, so the lower quantiles tell, as if of a normal distribution.
 */
const usualOf = (values: Float64Array): Usual => {
  const sorted = values.sort();
  const q40 = quantile(sorted, 0.4);
  const lower = (q40 - quantile(sorted, 0.1)) / (Z40 - Z10);
  const middle = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / QUARTILES;
  const spread = Math.min(lower, middle);
  return { level: Math.min(quantile(sorted, 0.5), q40 - Z40 * spread), spread };
};

const measured = (series: Float64Array, from: number, to: number): Float64Array =>
  series.subarray(Math.max(0, from), Math.max(0, to)).filter((x) => !Number.isNaN(x));

/**
 * Running baseline of a series with one value a second; NaN is "nothing measured".
 *
 * @param minSpread the least deviation that is taken for real, in the series' unit
 */
export const localBaseline = (series: Float64Array, minSpread: number): LocalBaseline => {
  const whole = measured(series, 0, series.length);
  const overall = whole.length > 0 ? usualOf(whole) : { level: 0, spread: 0 };

  const belief = (BELIEF * whole.length) / (whole.length + BELIEF_SEC);

  const sides = new Map<number, Usual | undefined>();
  /** What is usual from a second on; undefined where too little is measured. */
  const sideFrom = (startSec: number): Usual | undefined => {
    if (!sides.has(startSec)) {
      const values = measured(series, startSec, startSec + REACH_SEC - GUARD_SEC);
      sides.set(startSec, values.length >= MIN_SIDE_SEC ? usualOf(values) : undefined);
    }
    return sides.get(startSec);
  };
  const at = (sec: number): Usual => {
    const before = sideFrom(sec - REACH_SEC);
    const after = sideFrom(sec + GUARD_SEC);
    if (before === undefined || after === undefined) return before ?? after ?? overall;
    return {
      level: Math.max(before.level, after.level),
      spread: (Math.max(before.spread, after.spread) + overall.spread) / 2,
    };
  };

  const level = new Float64Array(series.length);
  const spread = new Float64Array(series.length);
  let left = at(0);
  for (let from = 0; from < series.length; from += STEP_SEC) {
    const right = at(from + STEP_SEC);
    for (let i = 0; i < STEP_SEC && from + i < series.length; i += 1) {
      const part = i / STEP_SEC;
      level[from + i] = left.level + (right.level - left.level) * part;
      const found = left.spread + (right.spread - left.spread) * part;
      spread[from + i] = minSpread + belief * Math.max(0, found - minSpread);
    }
    left = right;
  }
  return { level, spread };
};
