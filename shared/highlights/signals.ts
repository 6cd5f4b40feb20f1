// Each signal as standard scores: how many usual deviations it is above its own local baseline.
// Counts go through Anscombe's transform, after which chance has the same deviation at any rate.
import type { Analysis } from "../contract/analysis.ts";
import type { Signal } from "../contract/options.ts";
import { localBaseline } from "./localBaseline.ts";
import { coverOf, EFFECTIVE_WINDOW_SEC, smooth, toNumbers } from "./smoothing.ts";
import type { ChatActivity } from "./chatActivity.ts";

export interface SignalSeries {
  signal: Signal;
  /** Standard score at each second; 0 where nothing is measured. */
  score: Float64Array;
  /** Smoothed value and usual value, in the signal's unit. */
  value: Float64Array;
  baseline: Float64Array;
}

const MAX_SCORE = 9;
const MIN_SCORE = -1;

const clip = (x: number, max = MAX_SCORE): number =>
  Number.isNaN(x) ? 0 : Math.min(max, Math.max(MIN_SCORE, x));

const anscombe = (count: number): number => 2 * Math.sqrt(Math.max(0, count) + 3 / 8);
const countOf = (anscombed: number): number => (anscombed / 2) ** 2 - 3 / 8;

/**
 * A signal of events per second. `shiftSec` reads it that much later, for chat that lags.
 */
export const countSignal = (
  signal: Signal,
  perSec: Float64Array,
  shiftSec: number,
  maxScore = MAX_SCORE,
): SignalSeries => {
  const value = smooth(perSec, shiftSec);
  const steady = value.map((rate) => anscombe(rate * EFFECTIVE_WINDOW_SEC));
  // 1 is the deviation of pure chance; a chat that comes in waves anyway has more.
  const { level, spread } = localBaseline(steady, 1);
  const baseline = level.map((y) => Math.max(0, countOf(y)) / EFFECTIVE_WINDOW_SEC);
  // Near the ends of the video fewer seconds are seen, and chance does more.
  const seenSec = coverOf(perSec.length, shiftSec).map((cover) => cover * EFFECTIVE_WINDOW_SEC);
  return {
    signal,
    value,
    baseline,
    score: value.map((rate, i) => {
      const excess = anscombe(rate * seenSec[i]!) - anscombe(baseline[i]! * seenSec[i]!);
      return clip(excess / spread[i]!, maxScore);
    }),
  };
};

/** The least difference in loudness that is worth a deviation; hum and noise vary less. */
const MIN_LOUDNESS_SPREAD_DB = 1.8;
/** Seconds this far below the loudest are pauses and say nothing of how loud the rest is. */
const PAUSE_BELOW_DB = 30;
const SILENCE_DB = -90;
/** A jingle may be as loud as it likes: where there is speech or chat, loudness alone is not enough. */
const MAX_LOUDNESS_SCORE = 5;
/** A silence this long is no pause of a talk. */
const LONG_SILENCE_SEC = 10;
/**
 * From this share of long silences on, silence is what is usual, as a baseline has it, and to be heard
 * at all stands out.
 */
const MOSTLY_SILENT = 0.4;
const MAX_HEARD_SCORE = 12;

/** Share of the measured seconds that lie in long silences: at `pauseDb` or below. */
const silentShare = (loudnessDb: Float64Array, pauseDb: number): number => {
  let silent = 0;
  let measured = 0;
  let run = 0;
  for (const db of [...loudnessDb, Number.NaN]) {
    if (!Number.isNaN(db)) measured += 1;
    if (db <= pauseDb) {
      run += 1;
      continue;
    }
    if (run >= LONG_SILENCE_SEC) silent += run;
    run = 0;
  }
  return silent / measured;
};

/**
 * Level of the sound where there is any, against how loud the sound around it is; in a video that is
 * mostly silent, against that silence.
 */
export const loudnessSignal = (loudnessDb: Float64Array): SignalSeries | undefined => {
  const sounding = loudnessDb.filter((db) => db > SILENCE_DB).sort();
  if (sounding.length === 0) return undefined;
  const loud = sounding[Math.floor(0.95 * (sounding.length - 1))]!;
  const pauseDb = loud - PAUSE_BELOW_DB;
  const mostlySilent = silentShare(loudnessDb, pauseDb) >= MOSTLY_SILENT;
  const pause = mostlySilent ? pauseDb : Number.NaN;
  const value = smooth(loudnessDb.map((db) => (db <= pauseDb ? pause : db)));
  const { level, spread } = localBaseline(value, MIN_LOUDNESS_SPREAD_DB);
  const maxScore = mostlySilent ? MAX_HEARD_SCORE : MAX_LOUDNESS_SCORE;
  return {
    signal: "loudness",
    value,
    baseline: level,
    score: value.map((db, i) => clip((db - level[i]!) / spread[i]!, maxScore)),
  };
};

/** Least deviation of one message's sentiment; a chat that never says anything has none. */
const MIN_SENTIMENT_DEVIATION = 0.3;

/**
 * Chat's tone, happy or angry, away from its usual one: the mean over the messages around a second,
 * with the error that a mean of so many has.
 */
const meanSignal = (
  signal: Signal,
  perSec: Float64Array,
  weight: Float64Array,
  shiftSec: number,
  deviation: (level: number) => number,
  distance: (x: number) => number,
): SignalSeries => {
  const sums = smooth(
    perSec.map((x, i) => (Number.isNaN(x) ? 0 : x * weight[i]!)),
    shiftSec,
  );
  const weights = smooth(weight, shiftSec);
  const value = sums.map((sum, i) => (weights[i]! > 0 ? sum / weights[i]! : Number.NaN));
  const { level } = localBaseline(value, 0);
  return {
    signal,
    value,
    baseline: level,
    score: value.map((x, i) => {
      const messages = weights[i]! * EFFECTIVE_WINDOW_SEC;
      return clip((distance(x - level[i]!) * Math.sqrt(messages)) / deviation(level[i]!), 6);
    }),
  };
};

/** The four signals of chat, each read `delaySec` later than the picture. */
export const chatSignals = (
  analysis: Analysis,
  activity: ChatActivity,
  delaySec: number,
): SignalSeries[] => {
  const length = activity.messages.length;
  const raw = toNumbers(analysis.messageRate, length).map((x) => (Number.isNaN(x) ? 0 : x));
  return [
    countSignal("chat_rate", activity.messages, delaySec),
    countSignal("unique_chatters", activity.people, delaySec),
    meanSignal(
      "chat_sentiment",
      toNumbers(analysis.chatSentiment, length),
      raw,
      delaySec,
      () => MIN_SENTIMENT_DEVIATION,
      Math.abs,
    ),
    meanSignal(
      "emotes",
      toNumbers(analysis.emoteShare, length),
      raw,
      delaySec,
      (share) => Math.max(0.3, Math.sqrt(Math.max(0, share * (1 - share)))),
      (x) => x,
    ),
  ];
};
