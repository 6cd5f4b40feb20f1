// How far chat runs behind the picture: viewers see the stream late and then have to type. Found
// where chat's activity fits the sound's excitement best, and only believed if that fit is far
// better than at lags that cannot be true.

const MAX_DELAY_SEC = 20;
/** Lags that mean nothing: chat before the picture, or long after it. */
const FALSE_LAGS = [...range(-60, -6), ...range(40, 90)];
/** The best fit must be this many deviations above the fits at false lags. */
const MIN_FIT = 3;
/** Scores above this are all the same, so that one huge burst does not decide. */
const MAX_SCORE = 4;
const MIN_OVERLAP_SEC = 60;

/** Chat's usual delay, taken where it cannot be found. */
export const TYPICAL_DELAY_SEC = 6;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

const limited = (series: Float64Array): Float64Array =>
  series.map((x) => Math.min(MAX_SCORE, Math.max(0, x)));

/** Covariance of picture at `t` with chat at `t + lag`, over the seconds both have. */
const fitAt = (picture: Float64Array, chat: Float64Array, lag: number): number => {
  const from = Math.max(0, -lag);
  const to = Math.min(picture.length, chat.length - lag);
  if (to - from < MIN_OVERLAP_SEC) return Number.NaN;
  let both = 0;
  let ofPicture = 0;
  let ofChat = 0;
  for (let t = from; t < to; t += 1) {
    both += picture[t]! * chat[t + lag]!;
    ofPicture += picture[t]!;
    ofChat += chat[t + lag]!;
  }
  const n = to - from;
  return both / n - (ofPicture / n) * (ofChat / n);
};

/**
 * @param picture standard scores of sound and speech, one a second
 * @param chat standard scores of chat's activity, not shifted
 * @returns seconds, 0 to 20, in tenths; undefined where the two do not tell
 */
export const estimateChatDelay = (
  picture: Float64Array,
  chat: Float64Array,
): number | undefined => {
  const p = limited(picture);
  const c = limited(chat);
  const falseFits = FALSE_LAGS.map((lag) => fitAt(p, c, lag)).filter((x) => !Number.isNaN(x));
  if (falseFits.length < 20) return undefined;
  const mean = falseFits.reduce((a, b) => a + b, 0) / falseFits.length;
  const deviation = Math.sqrt(
    falseFits.reduce((a, b) => a + (b - mean) ** 2, 0) / falseFits.length,
  );
  const fits = range(0, MAX_DELAY_SEC).map((lag) => fitAt(p, c, lag));
  const best = fits.reduce((top, fit, lag) => (fit > fits[top]! ? lag : top), 0);
  const height = fits[best]! - mean;
  if (!(height > 0) || height < MIN_FIT * deviation) return undefined;
  // The top of the parabola through the best lag and its neighbours.
  const [before, at, after] = [
    fits[best - 1] ?? fits[best]!,
    fits[best]!,
    fits[best + 1] ?? fits[best]!,
  ];
  const bend = before - 2 * at + after;
  const offset = bend < 0 ? (0.5 * (before - after)) / bend : 0;
  return Math.round(10 * Math.min(MAX_DELAY_SEC, Math.max(0, best + offset))) / 10;
};
