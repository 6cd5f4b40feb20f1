// The claim that highlights are worth having, on streams whose truth is known: better than every
// baseline in precision and recall, no decoy taken, nothing found in noise.
import { describe, expect, it } from "vitest";
import type { Segment } from "#shared/contract/transcript.ts";
import { findHighlights } from "#shared/highlights/findHighlights.ts";
import { buildSeries } from "#shared/series/build.ts";
import { loudnessModel } from "./loudnessModel.ts";
import { generateNoise, planStream, type StreamPlan } from "./plan.ts";
import type { Span } from "./scene.ts";

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const OPTIONS = { count: 5, min_sec: 8, max_sec: 45, weights: {} };

interface Given {
  chat?: boolean;
  sound?: boolean;
  speech?: boolean;
}

const findIn = (plan: StreamPlan, { chat = true, sound = true, speech = true }: Given = {}) => {
  const messages = chat ? plan.messages : [];
  const segments: Segment[] = speech
    ? plan.utterances.map(({ text, startSec, endSec }) => ({ text, startSec, endSec }))
    : [];
  const loudnessDb100ms = sound ? Float32Array.from(loudnessModel(plan)) : null;
  const { durationSec } = plan;
  const analysis = buildSeries({ durationSec, messages, segments, loudnessDb100ms });
  return findHighlights({ analysis, messages, words: [], segments, options: OPTIONS });
};

const overlapSec = (a: Span, b: Span): number =>
  Math.max(0, Math.min(a.endSec, b.endSec) - Math.max(a.startSec, b.startSec));

/** Two spans are the same moment where they share a third of what they cover together. */
const same = (a: Span, b: Span): boolean => {
  const shared = overlapSec(a, b);
  return shared / (a.endSec - a.startSec + b.endSec - b.startSec - shared) >= 1 / 3;
};

interface Count {
  picked: number;
  right: number;
  moments: number;
  found: number;
}

const judge = (pick: (plan: StreamPlan) => readonly Span[]): Count => {
  const sum: Count = { picked: 0, right: 0, moments: 0, found: 0 };
  for (const seed of SEEDS) {
    const plan = planStream(seed);
    const spans = pick(plan);
    sum.picked += spans.length;
    sum.right += spans.filter((span) => plan.moments.some((moment) => same(span, moment))).length;
    sum.moments += plan.moments.length;
    sum.found += plan.moments.filter((moment) => spans.some((span) => same(span, moment))).length;
  }
  return sum;
};

const precision = ({ right, picked }: Count): number => right / picked;
const recall = ({ found, moments }: Count): number => found / moments;

const WINDOW_SEC = 10;

/** The baseline's best windows, as many as there are moments, none overlapping. */
const bestWindows = (plan: StreamPlan, score: (startSec: number) => number): Span[] => {
  const taken: Span[] = [];
  const starts = Array.from({ length: plan.durationSec - WINDOW_SEC }, (_, sec) => sec);
  for (const startSec of starts.toSorted((a, b) => score(b) - score(a) || a - b)) {
    const span = { startSec, endSec: startSec + WINDOW_SEC };
    if (taken.length < plan.moments.length && taken.every((one) => overlapSec(one, span) === 0)) {
      taken.push(span);
    }
  }
  return taken;
};

const messagesIn = (plan: StreamPlan, from: number, to: number): number =>
  plan.messages.filter(({ offsetSec }) => offsetSec >= from && offsetSec < to).length;

const BASELINES: Record<string, (plan: StreamPlan) => Span[]> = {
  "message rate": (plan) => bestWindows(plan, (sec) => messagesIn(plan, sec, sec + WINDOW_SEC)),
  "rate over its local mean": (plan) =>
    bestWindows(
      plan,
      (sec) => messagesIn(plan, sec, sec + WINDOW_SEC) / messagesIn(plan, sec - 60, sec + 70),
    ),
  loudness: (plan) => {
    const levels = loudnessModel(plan);
    return bestWindows(plan, (sec) =>
      levels.slice(sec * 10, (sec + WINDOW_SEC) * 10).reduce((sum, db) => sum + db, 0),
    );
  },
};

describe("on twenty sample streams", () => {
  const ours = judge((plan) => findIn(plan).highlights);

  it("finds what happens and nothing else", () => {
    expect(precision(ours)).toBeGreaterThanOrEqual(0.98);
    expect(recall(ours)).toBeGreaterThanOrEqual(0.95);
  });

  it.each(Object.entries(BASELINES))("beats %s in precision and recall", (_, pick) => {
    const theirs = judge(pick);
    expect(precision(ours)).toBeGreaterThan(precision(theirs) + 0.2);
    expect(recall(ours)).toBeGreaterThan(recall(theirs) + 0.2);
  });

  it.each<[string, Given, number]>([
    ["chat alone", { sound: false, speech: false }, 0.55],
    ["chat and sound", { speech: false }, 0.8],
    ["chat and text", { sound: false }, 0.8],
    ["sound and text", { chat: false }, 0.95],
  ])("serves from %s", (_, given, least) => {
    const count = judge((plan) => findIn(plan, given).highlights);
    expect(precision(count)).toBeGreaterThanOrEqual(0.95);
    expect(recall(count)).toBeGreaterThanOrEqual(least);
  });

  it.each<[string, Given]>([
    ["everything", {}],
    ["chat alone", { sound: false, speech: false }],
  ])("takes no raid, no spam and no jingle, given %s", (_, given) => {
    for (const seed of SEEDS) {
      const plan = planStream(seed);
      for (const span of findIn(plan, given).highlights) {
        const ofMoments = Math.max(...plan.moments.map((moment) => overlapSec(span, moment)));
        for (const decoy of plan.decoys) {
          expect(overlapSec(span, decoy) > ofMoments, `${decoy.kind} of seed ${seed}`).toBe(false);
        }
      }
    }
  });

  it("finds how far chat is behind, within two seconds", () => {
    // People type for 1.5 s on average after they have seen it.
    const errors = SEEDS.map((seed) => {
      const plan = planStream(seed);
      return Math.abs(findIn(plan).chatDelaySec - plan.chatDelaySec - 1.5);
    });
    expect(Math.max(...errors)).toBeLessThan(2.5);
    expect(errors.reduce((a, b) => a + b, 0) / errors.length).toBeLessThan(1.2);
  });

  it.each<[string, Given]>([
    ["everything", {}],
    ["chat alone", { sound: false, speech: false }],
    ["sound and text", { chat: false }],
    ["text alone", { chat: false, sound: false }],
  ])("finds nothing where nothing happens, given %s", (_, given) => {
    for (const seed of SEEDS) {
      expect(findIn(generateNoise(seed), given).highlights, `seed ${seed}`).toEqual([]);
    }
  });
});
