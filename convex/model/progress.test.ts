import { describe, expect, it } from "vitest";
import { STAGE_SPECS, STAGES } from "#shared/contract/stages.ts";
import { INITIAL_TOTAL } from "./machine/plan.ts";
import {
  type Pace,
  etaSec,
  followPace,
  fractionOf,
  percentOf,
  stageProgressOf,
} from "./progress.ts";

const job = (over: object = {}) => ({
  total: { ...INITIAL_TOTAL, media: 4, chat: 2, transcribe: 4, clips: 2 },
  finished: {},
  stageProgress: {},
  ...over,
});

describe("stageProgressOf", () => {
  it("counts finished tasks and what the running ones say", () => {
    const running = [
      { stage: "media" as const, progress: 0.5 },
      { stage: "media" as const, progress: 0.25 },
    ];
    expect(stageProgressOf(job({ finished: { media: 2 } }), running).media).toEqual({
      done: 2,
      total: 4,
      fraction: 0.6875,
    });
  });
  it("does not fall when a task starts again from 0", () => {
    const stageProgress = { media: { done: 0, total: 4, fraction: 0.2 } };
    expect(stageProgressOf(job({ stageProgress })).media?.fraction).toBe(0.2);
  });
  it("leaves out stages without tasks, and those not planned yet", () => {
    const progress = stageProgressOf(job({ total: { ...INITIAL_TOTAL, media: 1, chat: 0 } }));
    expect(Object.keys(progress)).toEqual(["ingest", "media", "analyze", "highlights", "finish"]);
  });
});

describe("fractionOf", () => {
  const weights = STAGES.reduce((sum, stage) => sum + STAGE_SPECS[stage].weight, 0);
  const done = { done: 1, total: 1, fraction: 1 };
  it("weighs each stage by its cost", () => {
    const expected = (STAGE_SPECS.ingest.weight + STAGE_SPECS.media.weight) / weights;
    expect(fractionOf(job(), { ingest: done, media: done })).toBeCloseTo(expected);
  });
  it("counts a stage that is not planned yet as not done", () => {
    expect(fractionOf({ total: INITIAL_TOTAL }, { ingest: done })).toBeCloseTo(
      STAGE_SPECS.ingest.weight / weights,
    );
  });
  it("rises when a stage turns out to have no tasks", () => {
    const before = fractionOf({ total: INITIAL_TOTAL }, { ingest: done });
    const after = fractionOf({ total: { ...INITIAL_TOTAL, chat: 0 } }, { ingest: done });
    expect(after).toBeGreaterThan(before);
  });
});

describe("percentOf", () => {
  it.each([
    [0, 0],
    [0.019, 1],
    [0.5, 50],
    [1, 99],
  ])("%d -> %i", (fraction, percent) => expect(percentOf(fraction)).toBe(percent));
});

describe("pace", () => {
  const follow = (steps: [ms: number, fraction: number][]): Pace =>
    steps.reduce<Pace>((pace, [ms, fraction]) => followPace(pace, fraction, ms), {
      at: 0,
      fraction: 0,
    });
  it("there is no estimate before there is a pace", () => {
    expect(etaSec({ at: 0, fraction: 0 })).toBeUndefined();
    expect(etaSec(follow([[1000, 0]]))).toBeUndefined();
  });
  it("1 % a second from the start -> 80 s at 20 %", () => {
    const steps = Array.from({ length: 20 }, (_, i): [number, number] => [
      (i + 1) * 1000,
      (i + 1) / 100,
    ]);
    expect(etaSec(follow(steps))).toBe(80);
  });
  it("a job that slows down is believed after a while", () => {
    const fast = follow([[10_000, 0.4]]);
    const slow = followPace(followPace(fast, 0.41, 70_000), 0.42, 130_000);
    expect(etaSec(slow)).toBeGreaterThan(100);
  });
  it("two measurements at once do not disturb it", () => {
    const pace = follow([[10_000, 0.1]]);
    expect(followPace(pace, 0.5, 10_100)).toBe(pace);
  });
});
