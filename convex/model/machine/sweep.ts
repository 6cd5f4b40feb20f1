// Sweep heals what got lost: a lease nobody renewed, a message nobody received.
import { STAGE_SPECS } from "#shared/contract/stages.ts";
import { isLeased, isSettled } from "./hold.ts";
import { exhaust } from "./fail.ts";
import type { Change, JobState, Policy, Task } from "./state.ts";

export type SweepResult =
  | { kind: "publish"; task: Task }
  /** Nothing to do now; `task.sweepAt` says when to look again, if ever. */
  | { kind: "rest"; task: Task }
  | { kind: "exhausted"; change: Change };

/** Looks at one task whose `sweepAt` has come. */
export const sweep = (
  job: JobState | null,
  task: Task,
  now: number,
  policy: Policy,
): SweepResult => {
  if (!job || job.admission !== "running" || isSettled(task) || task.state === "failed") {
    return { kind: "rest", task: { ...task, sweepAt: undefined } };
  }
  if (isLeased(task, now)) return { kind: "rest", task: { ...task, sweepAt: task.leaseUntil } };
  if (task.state === "running" && task.tries >= STAGE_SPECS[task.stage].maxAttempts) {
    return { kind: "exhausted", change: exhaust(job, task, now, policy) };
  }
  return { kind: "publish", task: { ...task, sweepAt: now + policy.sweepAgainMs } };
};
