// Claiming, holding and giving back a task. A claim is good for a lease; its attempt number fences
// whoever held the task before.
import { STAGE_SPECS } from "#shared/contract/stages.ts";
import { advance, finishDraft, stageEvent, startDraft } from "./draft.ts";
import { exhaust } from "./fail.ts";
import { EARLY_CLAIM_MS, isLeased, isSettled } from "./hold.ts";
import type { Change, JobState, Policy, Task, TaskRange } from "./state.ts";

/** A function, which can start a Cloud Run job or not; or such a job's process. */
export type Claimer = { by: "function"; mayHandOver: boolean } | { by: "job"; attempt: number };

/** So often a function may fall silent before its task is held to be too large for one. */
const MAX_LAPSES = 2;

export type ClaimResult =
  | { kind: "run" | "hand_over"; attempt: number; change: Change }
  /** `change` where the claim found a lease run out for the last time. */
  | { kind: "done"; released: TaskRange[]; change?: Change }
  | { kind: "busy" | "stale" | "canceled" };

export const claim = (
  job: JobState | null,
  task: Task | null,
  now: number,
  policy: Policy,
  claimer: Claimer = { by: "function", mayHandOver: false },
): ClaimResult => {
  if (!job) return { kind: "stale" };
  if (job.status === "Canceled") return { kind: "canceled" };
  if (!task) return { kind: "stale" };
  if (isSettled(task)) return { kind: "done", released: task.released };
  if (job.admission !== "running") return { kind: "stale" };
  if (claimer.by === "job") return takeOver(job, task, claimer.attempt, now, policy);
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
  const lapsed = task.state === "running" && task.handOver === undefined;
  const lapses = (task.lapses ?? 0) + (lapsed ? 1 : 0);
  const { mayHandOver } = claimer;
  const outgrown = task.outgrown === true || (mayHandOver && lapses >= MAX_LAPSES);
  const isHandedOver = outgrown && mayHandOver;
  const leaseUntil = now + (isHandedOver ? policy.handOverMs : policy.leaseMs);
  const attempt = task.attempt + 1;
  draft.tasks.push({
    ...task,
    state: "running",
    attempt,
    tries: (outgrown && task.outgrown !== true ? 0 : task.tries) + 1,
    ...(lapses > 0 ? { lapses } : {}),
    ...(outgrown ? { outgrown } : {}),
    handOver: isHandedOver ? "open" : undefined,
    leaseUntil,
    sweepAt: leaseUntil,
    progress: 0,
  });
  return { kind: isHandedOver ? "hand_over" : "run", attempt, change: finishDraft(draft) };
};

/** A Cloud Run job's process comes for the attempt that was handed to it; late is still in time. */
const takeOver = (
  job: JobState,
  task: Task,
  attempt: number,
  now: number,
  policy: Policy,
): ClaimResult => {
  if (task.state !== "running" || task.attempt !== attempt) return { kind: "stale" };
  if (task.handOver !== "open") return { kind: "busy" };
  const draft = startDraft(job, now, policy);
  const leaseUntil = now + policy.leaseMs;
  draft.tasks.push({ ...task, handOver: "taken", leaseUntil, sweepAt: leaseUntil });
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
  handOver: undefined,
  dueAt: now,
  leaseUntil: undefined,
  sweepAt: now + policy.unclaimedMs,
});
