// Claiming, holding and giving back a task. A claim is good for a lease; its attempt number fences
// whoever held the task before.
import { STAGE_SPECS } from "#shared/contract/stages.ts";
import { advance, finishDraft, stageEvent, startDraft } from "./draft.ts";
import { exhaust } from "./fail.ts";
import { EARLY_CLAIM_MS, isLeased, isSettled } from "./hold.ts";
import type { Change, JobState, Policy, Task, TaskRange } from "./state.ts";

export type ClaimResult =
  | { kind: "run"; attempt: number; change: Change }
  /** `change` where the claim found a lease run out for the last time. */
  | { kind: "done"; released: TaskRange[]; change?: Change }
  | { kind: "busy" | "stale" | "canceled" };

export const claim = (
  job: JobState | null,
  task: Task | null,
  now: number,
  policy: Policy,
): ClaimResult => {
  if (!job) return { kind: "stale" };
  if (job.status === "Canceled") return { kind: "canceled" };
  if (!task) return { kind: "stale" };
  if (isSettled(task)) return { kind: "done", released: task.released };
  if (job.admission !== "running") return { kind: "stale" };
  if (isLeased(task, now) || task.dueAt - now > EARLY_CLAIM_MS) return { kind: "busy" };
  if (task.state === "running" && task.tries >= STAGE_SPECS[task.stage].maxAttempts) {
    const change = exhaust(job, task, now, policy);
    return { kind: "done", released: change.due, change };
  }

  const draft = startDraft(job, now, policy);
  const { stage } = task;
  if (!job.started.includes(stage)) {
    draft.job = {
      ...draft.job,
      started: [...job.started, stage],
      startedAt: job.startedAt ?? now,
    };
    stageEvent(draft, stage, "started");
    advance(draft);
  }
  const attempt = task.attempt + 1;
  draft.tasks.push({
    ...task,
    state: "running",
    attempt,
    tries: task.tries + 1,
    leaseUntil: now + policy.leaseMs,
    sweepAt: now + policy.leaseMs,
    progress: 0,
  });
  return { kind: "run", attempt, change: finishDraft(draft) };
};

/** Extends the lease and keeps the task's own progress, which does not fall within an attempt. */
export const heartbeat = (task: Task, progress: number, now: number, policy: Policy): Task => ({
  ...task,
  leaseUntil: now + policy.leaseMs,
  sweepAt: now + policy.leaseMs,
  progress: Math.max(task.progress, Math.min(1, Math.max(0, progress))),
});

/** Gives the lease back as if it had not been taken; the attempt number is spent. */
export const release = (task: Task, now: number, policy: Policy): Task => ({
  ...task,
  state: "due",
  tries: Math.max(0, task.tries - 1),
  dueAt: now,
  leaseUntil: undefined,
  sweepAt: now + policy.unclaimedMs,
});
