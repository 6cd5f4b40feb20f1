// How far a job is and how long it will take. Stages weigh what they were measured to cost; the
// estimate comes from the job's own pace.
import type { StageProgress } from "#shared/contract/ledger.ts";
import { STAGES, STAGE_SPECS, type Stage } from "#shared/contract/stages.ts";
import type { JobState, Task } from "./machine/state.ts";

type Progress = Partial<Record<Stage, StageProgress>>;
type Running = Pick<Task, "stage" | "progress">;

/**
 * Progress of each planned stage, by finished tasks and what the running ones say of themselves.
 * A stage's fraction never falls, though a task that starts again begins at 0.
 */
export const stageProgressOf = (
  job: Pick<JobState, "total" | "finished" | "stageProgress">,
  running: readonly Running[] = [],
): Progress => {
  const result: Progress = {};
  for (const stage of STAGES) {
    const total = job.total[stage] ?? 0;
    if (total === 0) continue;
    const done = job.finished[stage] ?? 0;
    let sum = done;
    for (const task of running) if (task.stage === stage) sum += task.progress;
    const before = job.stageProgress[stage]?.fraction ?? 0;
    result[stage] = { done, total, fraction: Math.min(1, Math.max(before, sum / total)) };
  }
  return result;
};

/** The whole job's fraction, 0 to 1: stages by weight; one that has no tasks weighs nothing. */
export const fractionOf = (job: Pick<JobState, "total">, progress: Progress): number => {
  let done = 0;
  let all = 0;
  for (const stage of STAGES) {
    if (job.total[stage] === 0) continue;
    const { weight } = STAGE_SPECS[stage];
    all += weight;
    done += weight * (progress[stage]?.fraction ?? 0);
  }
  return done / all;
};

/** Whole percent, rounded down; 100 is left to a job that has completed. */
export const percentOf = (fraction: number): number => Math.min(99, Math.floor(fraction * 100));

/** The job's pace: progress a second, smoothed, and where it was last measured. */
export interface Pace {
  at: number;
  fraction: number;
  perSec?: number;
}

/** Older pace counts for a third after so long. */
const PACE_MEMORY_SEC = 60;
/** A shorter stretch says too little. */
const MIN_STRETCH_MS = 500;

/**
 * Follows the pace to a new measurement. The weight of the past falls with the time that has
 * passed, so that measurements may come at any rhythm.
 */
export const followPace = (pace: Pace, fraction: number, now: number): Pace => {
  const elapsedMs = now - pace.at;
  if (elapsedMs < MIN_STRETCH_MS) return pace;
  const elapsedSec = elapsedMs / 1000;
  const latest = Math.max(0, fraction - pace.fraction) / elapsedSec;
  const keep = Math.exp(-elapsedSec / PACE_MEMORY_SEC);
  const perSec = pace.perSec === undefined ? latest : keep * pace.perSec + (1 - keep) * latest;
  return { at: now, fraction, perSec };
};

/** Seconds to the end at this pace, whole; undefined while there is none to go by. */
export const etaSec = (pace: Pace): number | undefined =>
  pace.perSec === undefined || pace.perSec <= 0
    ? undefined
    : Math.max(1, Math.round((1 - pace.fraction) / pace.perSec));
