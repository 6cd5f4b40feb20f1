// When a peak is more than chance. A smoothed noise crosses any level now and then, the more often
// the longer one looks, so the level asked for grows with the video's length (Rice's formula).

/** Chance that a whole video of nothing but noise yields a highlight. */
const FALSE_ALARM_RATE = 0.002;

/** Standard deviation of the Gaussian that every signal is smoothed with, in seconds. */
export const SMOOTHING_SEC = 3;

/**
 * What is usual is itself measured, on as much video as there is: its error adds to the deviation.
 * A quantile of independent looks, one per ten seconds, has about 1.6 times the variance of a mean.
 */
const BASELINE_ERROR_SEC = 17;

/**
 * The standard score that smoothed Gaussian noise of this length exceeds with the chance
 * `falseAlarmRate`. Rice (1945): level crossings upwards per second are `v0 * exp(-level² / 2)`, and
 * a Gaussian kernel of deviation `s` gives `v0 = 1 / (2π s √2)`.
 *
 * @returns about 4.2 for two minutes, 5.1 for six hours
 */
export const thresholdFor = (durationSec: number, falseAlarmRate = FALSE_ALARM_RATE): number => {
  const crossingsPerSec = 1 / (2 * Math.PI * SMOOTHING_SEC * Math.SQRT2);
  const length = Math.max(durationSec, 60);
  const level = Math.sqrt(2 * Math.log((length * crossingsPerSec) / falseAlarmRate));
  return level * Math.sqrt(1 + BASELINE_ERROR_SEC / length);
};
