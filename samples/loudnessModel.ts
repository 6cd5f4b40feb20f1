// How loud a planned stream is, without rendering it: the levels that the rendered sound has,
// measured on it, with the ups and downs of syllables.
import type { StreamPlan } from "./plan.ts";
import { randomFrom } from "./random.ts";
import type { Span } from "./scene.ts";

/** Mean levels in dB below full scale, which the sound is mixed to. */
export const LEVELS = {
  humDb: -47,
  calmDb: -25,
  excitedDb: -17,
  cheerDb: -22,
  jingleDb: -14,
} as const;

const inside = (spans: readonly Span[], sec: number): boolean =>
  spans.some((span) => sec >= span.startSec && sec < span.endSec);

/** @returns mean level of every 100 ms */
export const loudnessModel = (plan: StreamPlan): number[] => {
  const random = randomFrom(plan.seed + 77_777);
  const calm = plan.utterances.filter((utterance) => !utterance.excited);
  const excited = plan.utterances.filter((utterance) => utterance.excited);
  const jingles = plan.decoys.filter(({ kind }) => kind === "jingle");
  return Array.from({ length: Math.ceil(plan.durationSec * 10) }, (_, i) => {
    const sec = i / 10;
    if (inside(jingles, sec)) return LEVELS.jingleDb + random.normal(0, 1);
    // Syllables average lower in dB than in power.
    if (inside(excited, sec)) return LEVELS.excitedDb - 1 + random.normal(0, 3);
    if (inside(plan.moments, sec)) return LEVELS.cheerDb + random.normal(0, 1);
    if (inside(calm, sec)) return LEVELS.calmDb - 2.5 + random.normal(0, 4);
    return LEVELS.humDb + random.normal(0, 1);
  });
};
