// One score for each second from all signals together, in deviations of chance: what highlights are
// picked from, and what an evaluation ranks seconds by.
import type { Analysis } from "../contract/analysis.ts";
import type { ChatMessage } from "../contract/chat.ts";
import type { HighlightOptions, Signal } from "../contract/options.ts";
import type { Segment, Word } from "../contract/transcript.ts";
import { type ChatActivity, chatActivity } from "./chatActivity.ts";
import { estimateChatDelay, TYPICAL_DELAY_SEC } from "./chatDelay.ts";
import { excitementPerSec } from "./excitement.ts";
import { chatSignals, countSignal, loudnessSignal, type SignalSeries } from "./signals.ts";
import { smooth, toNumbers } from "./smoothing.ts";

/**
 * How much a deviation of each signal counts. The rate of messages and of people say nearly the same
 * and share one weight; tone only adds to them.
 */
const DEFAULT_WEIGHTS: Record<Signal, number> = {
  chat_rate: 0.5,
  unique_chatters: 0.5,
  chat_sentiment: 0.1,
  emotes: 0.1,
  loudness: 0.8,
  speech: 0.6,
};

/** Fewer messages than this in all are not a chat. */
const MIN_MESSAGES = 10;
/** Words alone, with neither sound nor chat to agree, are never enough. */
const MAX_SPEECH_SCORE = 4;

export interface ScoreInput {
  analysis: Analysis;
  messages: readonly ChatMessage[];
  words: readonly Word[];
  segments: readonly Segment[];
  weights: HighlightOptions["weights"];
}

export interface Scores {
  /** One value a second; chance stays near 0 with deviation 1 or less. */
  total: Float64Array;
  /** What each signal adds to it, weight included. */
  parts: { series: SignalSeries; add: Float64Array }[];
  activity: ChatActivity;
  /** By how much chat was moved back to fit the picture. */
  shiftSec: number;
  /** What is known of chat's delay: estimated or typical; 0 without chat. */
  chatDelaySec: number;
}

/** Sum of the series at each second. */
const sumOf = (series: readonly Float64Array[], length: number): Float64Array => {
  const sum = new Float64Array(length);
  for (const one of series) for (let i = 0; i < length; i += 1) sum[i] = sum[i]! + one[i]!;
  return sum;
};

/** Without the seconds for which chat was not read, which would look quiet. */
const measuredActivity = (analysis: Analysis, activity: ChatActivity): ChatActivity => {
  const measured = (perSec: Float64Array): Float64Array =>
    perSec.map((value, sec) => (analysis.messageRate[sec] === null ? Number.NaN : value));
  return { ...activity, messages: measured(activity.messages), people: measured(activity.people) };
};

/** All signals of a video, each against its local baseline, and their weighted sum. */
export const scoreSignals = (input: ScoreInput): Scores => {
  const { analysis, messages, words, segments } = input;
  const length = Math.max(1, Math.ceil(analysis.durationSec));
  const weightOf = (signal: Signal): number =>
    DEFAULT_WEIGHTS[signal] * (input.weights[signal] ?? 1);

  const picture: SignalSeries[] = [];
  const loudness = loudnessSignal(toNumbers(analysis.loudnessDb, length));
  if (loudness !== undefined) picture.push(loudness);
  if (words.length > 0 || segments.length > 0) {
    const excited = excitementPerSec(words, segments, toNumbers(analysis.speechSentiment, length));
    picture.push(countSignal("speech", excited, 0, MAX_SPEECH_SCORE));
  }

  const activity = measuredActivity(analysis, chatActivity(messages, length));
  const hasChat = activity.sorted.length >= MIN_MESSAGES;
  const estimated =
    hasChat && picture.length > 0
      ? estimateChatDelay(
          sumOf(
            picture.map((one) => one.score.map((x) => Math.max(0, x))),
            length,
          ),
          countSignal("chat_rate", activity.messages, 0).score,
        )
      : undefined;
  const shiftSec = estimated ?? TYPICAL_DELAY_SEC;
  const chat = hasChat ? chatSignals(analysis, activity, shiftSec) : [];
  gateTone(chat);

  const groups = [
    chat.length > 0 ? weightOf("chat_rate") + weightOf("unique_chatters") : 0,
    ...picture.map((one) => weightOf(one.signal)),
  ];
  const norm = Math.hypot(...groups) || 1;
  const parts = [...chat, ...picture].map((series) => ({
    series,
    add: series.score.map((x) => (x * weightOf(series.signal)) / norm),
  }));
  return {
    total: sumOf(
      parts.map((part) => part.add),
      length,
    ),
    parts,
    activity,
    shiftSec,
    chatDelaySec: hasChat ? shiftSec : 0,
  };
};

/** A tone that changes while nobody reacts is chance: it counts as far as activity is up. */
const gateTone = (chat: readonly SignalSeries[]): void => {
  const rate = chat.find((one) => one.signal === "chat_rate");
  if (rate === undefined) return;
  for (const { signal, score } of chat) {
    if (signal !== "chat_sentiment" && signal !== "emotes") continue;
    for (const [sec, x] of score.entries()) {
      score[sec] = Math.max(0, x) * Math.min(1, Math.max(0, rate.score[sec]! / 3));
    }
  }
};

/** The total score of each second from 0, for evaluation. */
export const scorePerSecond = (input: ScoreInput): { sec: number; score: number }[] =>
  Array.from(smooth(scoreSignals(input).total), (score, sec) => ({ sec, score }));
