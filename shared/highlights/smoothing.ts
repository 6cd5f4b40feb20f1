// Sliding weighted means over series of one value a second.
import { SMOOTHING_SEC } from "./significance.ts";

const REACH = Math.ceil(3 * SMOOTHING_SEC);
const KERNEL = Float64Array.from({ length: 2 * REACH + 1 }, (_, i) =>
  Math.exp(-((i - REACH) ** 2) / (2 * SMOOTHING_SEC ** 2)),
);
const KERNEL_SUM = KERNEL.reduce((a, b) => a + b, 0);

/**
 * How many seconds of a plain window the Gaussian is worth: a count rate times this has the
 * variance of a Poisson count.
 */
export const EFFECTIVE_WINDOW_SEC = KERNEL_SUM ** 2 / KERNEL.reduce((a, b) => a + b * b, 0);

/** Below this share of the kernel on measured seconds, the mean is not to be trusted. */
const MIN_COVER = 0.35;

/**
 * Gaussian mean of `series` around `sec + shiftSec` for each second; NaN where too little is
 * measured there. Beyond the ends nothing is measured.
 */
export const smooth = (series: Float64Array, shiftSec = 0): Float64Array => {
  const whole = Math.floor(shiftSec);
  const part = shiftSec - whole;
  const centered = (sec: number): number => {
    let sum = 0;
    let cover = 0;
    const from = Math.max(0, sec - REACH);
    const to = Math.min(series.length - 1, sec + REACH);
    for (let i = from; i <= to; i += 1) {
      const value = series[i]!;
      if (Number.isNaN(value)) continue;
      const weight = KERNEL[i - sec + REACH]!;
      sum += weight * value;
      cover += weight;
    }
    return cover >= MIN_COVER * KERNEL_SUM ? sum / cover : Number.NaN;
  };
  const means = Float64Array.from({ length: series.length + 1 }, (_, sec) => centered(sec + whole));
  return Float64Array.from({ length: series.length }, (_, sec) =>
    part === 0 ? means[sec]! : means[sec]! * (1 - part) + means[sec + 1]! * part,
  );
};

/** Share of the kernel that lies inside a video of `length` seconds, around each second. */
export const coverOf = (length: number, shiftSec = 0): Float64Array => {
  const inside = new Float64Array(length).fill(1);
  const whole = Math.round(shiftSec);
  return inside.map((_, sec) => {
    let cover = 0;
    for (let i = 0; i < KERNEL.length; i += 1) {
      if (inside[sec + whole + i - REACH] === 1) cover += KERNEL[i]!;
    }
    return cover / KERNEL_SUM;
  });
};

/** A contract's series as numbers, `null` as NaN, cut or filled to `length`. */
export const toNumbers = (series: readonly (number | null)[], length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => series[i] ?? Number.NaN);
