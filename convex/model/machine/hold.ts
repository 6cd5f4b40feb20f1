// Who has a task: nobody, somebody under a lease, or nobody any more because it is settled.
import type { JobState, Task } from "./state.ts";

/**
 * A retry that is further off than this is waited for, since the other side asked for it: a message
 * that comes earlier is taken as a duplicate, and sweep publishes the task when it is due.
 */
export const EARLY_CLAIM_MS = 60_000;

export const isLeased = (task: Task, now: number): boolean =>
  task.state === "running" && (task.leaseUntil ?? 0) > now;

export const isSettled = (task: Task): boolean =>
  task.state === "done" || task.state === "degraded";

/** The process of a Cloud Run job has come for the attempt that was handed to it. */
export const isTaken = (task: Task): boolean => task.handOver === "taken";

export type Held = { kind: "ok"; task: Task } | { kind: "fenced" } | { kind: "canceled" };

/** Whether this attempt still has the task. A lease that ran out is still good while nobody took over. */
export const heldBy = (job: JobState | null, task: Task | null, attempt: number): Held => {
  if (job?.status === "Canceled") return { kind: "canceled" };
  if (!job || !task || job.admission !== "running") return { kind: "fenced" };
  return task.state === "running" && task.attempt === attempt
    ? { kind: "ok", task }
    : { kind: "fenced" };
};
