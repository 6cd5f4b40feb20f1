// One value a second of everything that varies over a video: what chat does, what is said, how loud
// it is. Pages draw these and highlights are ranked from them. Runs once over messages, segments
// and levels, in typed arrays, so that six hours with 200,000 messages take well under a second.
import type { Analysis } from "../contract/analysis.ts";
import type { ChatMessage } from "../contract/chat.ts";
import type { Segment } from "../contract/transcript.ts";
import { scoreMessage, scoreText } from "../sentiment/score.ts";

export interface SeriesInput {
  durationSec: number;
  /** By time; what lies outside the video is left out. Empty means that there is no chat at all. */
  messages: readonly ChatMessage[];
  /** What was said; may overlap. Empty means that there is no transcript. */
  segments: readonly Segment[];
  /** Level of every 100 ms in dB below full scale, -100 for silence; null without sound. */
  loudnessDb100ms: Float32Array | null;
  /** Where chat was read; all of the video where absent. In seconds outside it is not measured. */
  chatStretch?: { startSec: number; endSec: number };
}

type Series = (number | null)[];

const SILENCE_DB = -100;
const LEVELS_PER_SEC = 10;

const nothing = (bins: number): Series => Array.from({ length: bins }, () => null);

/** Rounded so that the JSON is short; far finer than what is measured. */
const round = (value: number): number => Math.round(value * 10_000) / 10_000;

const perMessage = (sums: Float64Array, counts: Uint32Array): Series =>
  Array.from(sums, (sum, bin) => (counts[bin]! > 0 ? round(sum / counts[bin]!) : null));

const chatSeries = (
  messages: readonly ChatMessage[],
  durationSec: number,
  bins: number,
): Pick<Analysis, "messageRate" | "uniqueChatters" | "chatSentiment" | "emoteShare"> => {
  const counts = new Uint32Array(bins);
  const chatters = new Uint32Array(bins);
  const sentiment = new Float64Array(bins);
  const withEmote = new Float64Array(bins);
  // The last second in which each person wrote, so that one pass counts them once a second.
  const lastBin = new Map<string, number>();
  for (const message of messages) {
    const { offsetSec, user, fragments } = message;
    if (!(offsetSec >= 0 && offsetSec < durationSec)) continue;
    const bin = Math.floor(offsetSec);
    counts[bin]! += 1;
    sentiment[bin]! += scoreMessage(message);
    if (fragments.some(({ emote }) => emote !== undefined)) withEmote[bin]! += 1;
    // Deleted accounts cannot be told apart; each of their messages counts as a person.
    if (user === null) chatters[bin]! += 1;
    else if (lastBin.get(user.id) !== bin) {
      lastBin.set(user.id, bin);
      chatters[bin]! += 1;
    }
  }
  return {
    messageRate: Array.from(counts),
    uniqueChatters: Array.from(chatters),
    chatSentiment: perMessage(sentiment, counts),
    emoteShare: perMessage(withEmote, counts),
  };
};

/** The series with null in seconds that lie outside of the stretch. */
const within = <T extends Record<string, Series>>(
  series: T,
  stretch: SeriesInput["chatStretch"],
): T => {
  if (stretch === undefined) return series;
  const outside = (bin: number): boolean => bin + 1 <= stretch.startSec || bin >= stretch.endSec;
  const cut = Object.entries(series).map(([name, values]) => [
    name,
    values.map((value, bin) => (outside(bin) ? null : value)),
  ]);
  return Object.fromEntries(cut) as T;
};

/** Each second has the sentiment of the segments spoken in it, weighted by how long each is in it. */
const speechSeries = (segments: readonly Segment[], durationSec: number, bins: number): Series => {
  // Differences of a running total at both ends of a segment, so that one segment over six hours
  // costs no more than a short one.
  const scoreSteps = new Float64Array(bins + 2);
  const shareSteps = new Float64Array(bins + 2);
  const add = (bin: number, seconds: number, score: number): void => {
    scoreSteps[bin]! += seconds * score;
    shareSteps[bin]! += seconds;
  };
  for (const { text, startSec, endSec } of segments) {
    const from = Math.max(0, startSec);
    const to = Math.min(durationSec, endSec);
    if (!(from < to)) continue;
    const score = scoreText(text);
    const first = Math.floor(from);
    const last = Math.min(bins - 1, Math.floor(to));
    if (first === last) {
      add(first, to - from, score);
      add(first + 1, from - to, score);
      continue;
    }
    const inFirst = first + 1 - from;
    const inLast = to - last;
    add(first, inFirst, score);
    add(first + 1, 1 - inFirst, score);
    add(last, inLast - 1, score);
    add(last + 1, -inLast, score);
  }
  const series: Series = [];
  let scores = 0;
  let seconds = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    scores += scoreSteps[bin]!;
    seconds += shareSteps[bin]!;
    // What is left of rounding is not speech.
    series.push(seconds > 1e-6 ? round(Math.max(-1, Math.min(1, scores / seconds))) : null);
  }
  return series;
};

/** Levels are averaged as energy, which is what a meter does; averaging decibels would not be. */
const loudnessSeries = (levelsDb: Float32Array, bins: number): Series => {
  const series: Series = [];
  for (let bin = 0; bin < bins; bin += 1) {
    let energy = 0;
    let count = 0;
    const end = Math.min(levelsDb.length, (bin + 1) * LEVELS_PER_SEC);
    for (let at = bin * LEVELS_PER_SEC; at < end; at += 1) {
      const level = levelsDb[at]!;
      if (Number.isNaN(level)) continue;
      if (level > SILENCE_DB) energy += 10 ** (level / 10);
      count += 1;
    }
    const meanDb = energy > 0 ? 10 * Math.log10(energy / count) : SILENCE_DB;
    series.push(count > 0 ? round(Math.max(SILENCE_DB, meanDb)) : null);
  }
  return series;
};

/**
 * The series of a video in bins of one second from time zero, ceil(durationSec) of them.
 * `null` stands where there is nothing to measure: without chat in all of its series, in a second
 * without messages in those that are means; its rate there is 0.
 */
export const buildSeries = (input: SeriesInput): Analysis => {
  const { durationSec, messages, segments, loudnessDb100ms, chatStretch } = input;
  const bins = Math.ceil(durationSec);
  const chat =
    messages.length > 0
      ? within(chatSeries(messages, durationSec, bins), chatStretch)
      : {
          messageRate: nothing(bins),
          uniqueChatters: nothing(bins),
          chatSentiment: nothing(bins),
          emoteShare: nothing(bins),
        };
  return {
    binSec: 1,
    durationSec,
    ...chat,
    speechSentiment: speechSeries(segments, durationSec, bins),
    loudnessDb: loudnessDb100ms === null ? nothing(bins) : loudnessSeries(loudnessDb100ms, bins),
  };
};
