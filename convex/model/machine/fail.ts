// A task has failed: try again, degrade the stage, or fail the job. Attempts are counted here and
// nowhere else, so that duplicates of a message never use one up.
import { ERRORS, type ErrorCode, OUTGROWN_CODES } from "#shared/contract/errors.ts";
import { STAGE_SPECS } from "#shared/contract/stages.ts";
import { addTasks, advance, count, endFailed, finishDraft, startDraft, warn } from "./draft.ts";
import { EARLY_CLAIM_MS, heldBy, isLeased, isSettled, isTaken } from "./hold.ts";
import { backoffMs, failureOf, missingWarning } from "./failure.ts";
import { dueAfter, nothingLeft } from "./plan.ts";
import type { Change, Failure, JobState, Policy, Task, TaskRange } from "./state.ts";

export type FailResult =
  | { kind: "retry"; delayMs: number; change: Change }
  | { kind: "degraded" | "failed"; change: Change }
  /** The same failure was reported before; nothing changes. */
  | { kind: "repeated"; answer: "retry"; delayMs: number }
  | { kind: "repeated"; answer: "degraded" | "failed"; released: TaskRange[] }
  | { kind: "fenced" };

export interface FailInput {
  attempt: number;
  code: ErrorCode;
  message: string;
  details?: string;
  retryAfterSec?: number;
}

const isOutgrownCode = (code: ErrorCode): boolean =>
  (OUTGROWN_CODES as readonly ErrorCode[]).includes(code);

export const fail = (
  job: JobState | null,
  task: Task | null,
  input: FailInput,
  now: number,
  policy: Policy,
): FailResult => {
  if (task && job?.status !== "Canceled" && task.failedAttempt === input.attempt) {
    if (task.state === "due") {
      return { kind: "repeated", answer: "retry", delayMs: Math.max(0, task.dueAt - now) };
    }
    if (task.state === "degraded" || task.state === "failed") {
      return { kind: "repeated", answer: task.state, released: task.released };
    }
  }
  const held = heldBy(job, task, input.attempt);
  if (held.kind !== "ok" || !job) return { kind: "fenced" };

  const { stage, tries, attempt } = held.task;
  const failure = failureOf(stage, input.code, input.message, input.details);
  const ranOut = isOutgrownCode(input.code);
  // What is too much for a Cloud Run job as well would be so again; hours later, perhaps.
  const isTooMuch = ranOut && isTaken(held.task);
  const outgrows = ranOut && held.task.outgrown !== true;
  const isLast = tries >= STAGE_SPECS[stage].maxAttempts && !outgrows;
  if (!failure.retryable || isTooMuch || isLast) {
    return giveUp(job, held.task, failure, now, policy);
  }
  const counted = outgrows ? 0 : tries;
  const delayMs = backoffMs(counted, input.retryAfterSec);
  const dueAt = now + delayMs;
  const draft = startDraft(job, now, policy);
  draft.tasks.push({
    ...held.task,
    state: "due",
    tries: counted,
    ...(outgrows ? { outgrown: true } : {}),
    handOver: undefined,
    dueAt,
    leaseUntil: undefined,
    // A message that comes too early is taken for a duplicate, so sweep has to send it.
    sweepAt: delayMs > EARLY_CLAIM_MS ? dueAt : dueAt + policy.unclaimedMs,
    failure,
    failedAttempt: attempt,
  });
  return { kind: "retry", delayMs, change: finishDraft(draft) };
};

/** Ends the task for good: its stage is degraded where the rest is still worth having. */
const giveUp = (
  job: JobState,
  task: Task,
  failure: Failure,
  now: number,
  policy: Policy,
): { kind: "degraded" | "failed"; change: Change } => {
  const { stage, index, attempt } = task;
  const draft = startDraft(job, now, policy);
  const ended: Task = {
    ...task,
    state: "failed",
    handOver: undefined,
    leaseUntil: undefined,
    sweepAt: undefined,
    failure,
    failedAttempt: attempt,
  };
  if (!STAGE_SPECS[stage].degradable) {
    draft.tasks.push(ended);
    endFailed(draft, failure);
    return { kind: "failed", change: finishDraft(draft) };
  }
  const warnings = [missingWarning(failure)];
  warn(draft, warnings);
  count(draft, stage, true);
  if (nothingLeft(draft.job)) {
    // Neither sound nor chat is left. It stays undone, so that a retry tries it again.
    draft.job = { ...draft.job, finished: job.finished, degraded: job.degraded };
    draft.tasks.push(ended);
    endFailed(draft, failure);
    return { kind: "failed", change: finishDraft(draft) };
  }
  addTasks(draft, dueAfter(draft.job, stage, index));
  advance(draft);
  draft.tasks.push({ ...ended, state: "degraded", warnings, released: [...draft.due] });
  return { kind: "degraded", change: finishDraft(draft) };
};

/** The lease of the last attempt ran out: whoever had it has died or hangs. */
export const exhaust = (job: JobState, task: Task, now: number, policy: Policy): Change =>
  giveUp(
    job,
    task,
    failureOf(task.stage, "lease_expired", ERRORS.lease_expired.message),
    now,
    policy,
  ).change;

/** Pub/Sub has given up delivering the task. @returns null where somebody is at work on it, or was */
export const deadLetter = (
  job: JobState | null,
  task: Task | null,
  now: number,
  policy: Policy,
): Change | null => {
  if (!job || !task || job.admission !== "running") return null;
  if (isSettled(task) || isLeased(task, now)) return null;
  const { stage } = task;
  const failure = task.failure ?? failureOf(stage, "lease_expired", ERRORS.lease_expired.message);
  return giveUp(job, task, failure, now, policy).change;
};
