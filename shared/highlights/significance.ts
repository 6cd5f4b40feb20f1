// When a peak is more than chance. A smoothed noise crosses any level now and then, the more often
// the longer one looks, so the level asked for grows with the video's length (Rice's formula).

/** Chance that a whole video of nothing but noise yields a highlight. */
export const FALSE_ALARM_RATE = 0.005;

/** Standard deviation of the Gaussian that every signal is smoothed with, in seconds. */
export const SMOOTHING_SEC = 3;

/**
 * The standard score that smoothed Gaussian noise of this length exceeds with the chance
 * `falseAlarmRate`. Rice (1945): level crossings upwards per second are `v0 * exp(-level² / 2)`, and
 * a Gaussian kernel of deviation `s` gives `v0 = 1 / (2π s √2)`.
 *
 * @returns about 3.5 for two minutes, 4.8 for six hours
 */
export const thresholdFor = (durationSec: number, falseAlarmRate = FALSE_ALARM_RATE): number => {
  const crossingsPerSec = 1 / (2 * Math.PI * SMOOTHING_SEC * Math.SQRT2);
  const crossings = Math.max(durationSec, 60) * crossingsPerSec;
  return Math.sqrt(2 * Math.log(crossings / falseAlarmRate));
};
