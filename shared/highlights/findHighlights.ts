// The moments worth seeing again, ranked, each with what speaks for it. Every signal is measured
// against its own surroundings, chat is moved back by its delay, and only what chance would hardly
// ever give in a video of this length is taken: noise has no highlights.
import type {
  Analysis,
  Highlight,
  HighlightsResult,
  SignalEvidence,
} from "../contract/analysis.ts";
import type { ChatMessage } from "../contract/chat.ts";
import type { HighlightOptions } from "../contract/options.ts";
import type { Segment, Word } from "../contract/transcript.ts";
import { type Cuts, pausesOf, placeCuts, type Span } from "./boundaries.ts";
import { scoreSignals, type Scores } from "./score.ts";
import { thresholdFor } from "./significance.ts";
import { titleOf, wordCounts } from "./title.ts";

/** A moment reaches as far as the score stays above this part of its peak. */
const EDGE_SHARE = 0.45;
/** Up to this part of the peak, what follows is the same moment dying away. */
const TAIL_SHARE = 0.25;
const MAX_MESSAGES = 20;

export interface HighlightInput {
  analysis: Analysis;
  /** Times as in the chat, not moved by any delay. */
  messages: ChatMessage[];
  words: Word[];
  segments: Segment[];
  options: HighlightOptions;
  /** Where moments may lie; all of the video where absent. */
  stretch?: Span;
}

/** Seconds around `peak` where `total` stays above `level`. */
const reach = (total: Float64Array, peak: number, level: number): Span => {
  let first = peak;
  let last = peak;
  while (first > 0 && total[first - 1]! > level) first -= 1;
  while (last < total.length - 1 && total[last + 1]! > level) last += 1;
  return { startSec: first, endSec: last + 1 };
};

/** The room around `peak` that no highlight has taken yet. */
const freeAround = (peakSec: number, taken: readonly Span[], stretch: Span): Span => {
  let { startSec, endSec } = stretch;
  for (const span of taken) {
    if (span.endSec <= peakSec) startSec = Math.max(startSec, span.endSec);
    else if (span.startSec >= peakSec) endSec = Math.min(endSec, span.startSec);
    else return { startSec: peakSec, endSec: peakSec };
  }
  return { startSec, endSec };
};

const rounded = (x: number, digits = 3): number => Math.round(x * 10 ** digits) / 10 ** digits;

/** What each signal gave to the score at the peak; the shares add up to exactly 1. */
const evidenceAt = (scores: Scores, span: Span, peak: number): SignalEvidence[] => {
  const adds = scores.parts.map(({ add }) => Math.max(0, add[peak]!));
  const sum = adds.reduce((a, b) => a + b, 0);
  const shares = adds.map((add) => rounded(sum > 0 ? add / sum : 0, 4));
  const largest = shares.indexOf(Math.max(...shares));
  shares[largest] = rounded(shares[largest]! + 1 - shares.reduce((a, b) => a + b, 0), 4);
  return scores.parts
    .map(({ series }, i) => {
      // The signal's own peak may lie some seconds from that of the sum.
      let at = peak;
      for (let sec = Math.floor(span.startSec); sec < span.endSec; sec += 1) {
        if ((series.score[sec] ?? 0) > series.score[at]!) at = sec;
      }
      const baseline = series.baseline[at]!;
      const value = Number.isNaN(series.value[at]!) ? baseline : series.value[at]!;
      return {
        signal: series.signal,
        share: shares[i]!,
        value: rounded(value),
        baseline: rounded(baseline),
      };
    })
    .sort((a, b) => b.share - a.share);
};

/** Index of the first of `sorted` that is not before `sec`. */
const firstFrom = (sorted: readonly ChatMessage[], sec: number): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.offsetSec < sec) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The messages that made a moment: those worth most while chat reacted to it, oldest first. */
const messagesOf = (scores: Scores, span: Span, peakSec: number): ChatMessage[] => {
  const { sorted, worth } = scores.activity;
  const first = firstFrom(sorted, span.startSec + scores.chatDelaySec);
  const last = firstFrom(sorted, span.endSec + scores.chatDelaySec);
  const around = peakSec + scores.chatDelaySec;
  return Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i)
    .filter((i) => worth[i]! > 0.05)
    .sort((a, b) => {
      const away = (i: number): number => Math.abs(sorted[i]!.offsetSec - around) / 30;
      return worth[b]! - away(b) - (worth[a]! - away(a)) || a - b;
    })
    .slice(0, MAX_MESSAGES)
    .sort((a, b) => a - b)
    .map((i) => sorted[i]!);
};

/**
 * Finds the best moments of a video.
 *
 * Chat, sound and speech may each be missing. At most `options.count` moments come back, best first,
 * none overlapping another, each inside the video; fewer where fewer stand out, and none from noise:
 * of a thousand videos of nothing but chance, about two yield anything (`FALSE_ALARM_RATE`).
 */
export const findHighlights = (input: HighlightInput): HighlightsResult => {
  const { analysis, messages, words, segments, options } = input;
  const { durationSec } = analysis;
  const scores = scoreSignals({ analysis, messages, words, segments, weights: options.weights });
  const threshold = thresholdFor(durationSec);
  const cuts: Cuts = {
    pauses: pausesOf(words, segments, durationSec),
    loudnessDb: analysis.loudnessDb,
    hasSound: analysis.loudnessDb.some((db) => db !== null),
  };
  const stretch = input.stretch ?? { startSec: 0, endSec: durationSec };
  const minSec = Math.min(options.min_sec, stretch.endSec - stretch.startSec);
  const left = Float64Array.from(scores.total);
  let counted: ReadonlyMap<string, number> | undefined;
  const usualWords = (): ReadonlyMap<string, number> =>
    (counted ??= wordCounts(scores.activity.sorted));
  const highlights: Highlight[] = [];

  while (highlights.length < options.count) {
    const peak = left.reduce((top, x, sec) => (x > left[top]! ? sec : top), 0);
    const score = left[peak] ?? 0;
    if (score < threshold) break;
    const tail = reach(left, peak, TAIL_SHARE * score);
    left.fill(Number.NEGATIVE_INFINITY, tail.startSec, tail.endSec);

    const peakSec = Math.min(Math.max(peak + 0.5, stretch.startSec), stretch.endSec);
    const free = freeAround(peakSec, highlights, stretch);
    if (free.endSec - free.startSec < minSec) continue;
    const wanted = reach(scores.total, peak, EDGE_SHARE * score);
    const span = placeCuts(wanted, free, minSec, options.max_sec, cuts);
    const reactions = messagesOf(scores, span, peakSec);
    const said = words.filter((word) => word.startSec < span.endSec && word.endSec > span.startSec);
    highlights.push({
      rank: highlights.length + 1,
      startSec: rounded(span.startSec),
      endSec: rounded(span.endSec),
      peakSec: Math.min(Math.max(peakSec, rounded(span.startSec)), rounded(span.endSec)),
      score: rounded(score),
      title: titleOf({
        peakSec,
        words: said,
        segments: segments.filter((s) => s.startSec < span.endSec && s.endSec > span.startSec),
        messages: reactions,
        usualWords,
      }),
      signals: evidenceAt(scores, span, peak),
      messages: reactions.map(({ id, offsetSec, user, body }) => ({ id, offsetSec, user, body })),
      words: said,
    });
  }
  return { chatDelaySec: scores.chatDelaySec, highlights };
};
