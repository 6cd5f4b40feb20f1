// A task's result is in: count it, start what waited for it. The last of N starts the next stage,
// once, because the count and the start are one transaction.
import { ERRORS } from "#shared/contract/errors.ts";
import type { CommitRequest, FanOut } from "#shared/contract/ledger.ts";
import { hasEnded, dueAfter, nothingLeft } from "./plan.ts";
import { addTasks, advance, count, endFailed, finishDraft, startDraft, warn } from "./draft.ts";
import { heldBy } from "./hold.ts";
import { type Change, type JobState, MAX_FAN_OUT, type Policy, type Task } from "./state.ts";
import { failureOf } from "./failure.ts";

export type CommitResult =
  | { kind: "committed"; change: Change }
  /** The same commit came before; nothing changes. */
  | { kind: "repeated"; task: Task }
  | { kind: "fenced" | "canceled" };

export type CommitInput = Pick<
  CommitRequest,
  "attempt" | "output" | "warnings" | "fanOut" | "urls"
>;

/** @returns what is wrong with a fan-out, or null */
export const checkFanOut = (fanOut: FanOut | undefined): string | null => {
  for (const [stage, tasks] of Object.entries(fanOut ?? {})) {
    if (!Number.isInteger(tasks) || tasks < 0) return `${stage} must be a count`;
    if (tasks > MAX_FAN_OUT) return `${stage} must not exceed ${MAX_FAN_OUT}`;
  }
  if ((fanOut?.transcribe ?? 0) > (fanOut?.media ?? 0)) return "transcribe must not exceed media";
  return null;
};

export const commit = (
  job: JobState | null,
  task: Task | null,
  input: CommitInput,
  now: number,
  policy: Policy,
): CommitResult => {
  if (job?.status === "Canceled") return { kind: "canceled" };
  if (task?.state === "done" && task.attempt === input.attempt) return { kind: "repeated", task };
  const held = heldBy(job, task, input.attempt);
  if (held.kind !== "ok" || !job) return { kind: "fenced" };

  const { stage, index } = held.task;
  const { output, warnings, fanOut = {}, urls } = input;
  const draft = startDraft(job, now, policy);
  if (stage === "ingest") {
    const { media = 0, chat = 0, transcribe = 0 } = fanOut;
    draft.job = { ...draft.job, total: { ...draft.job.total, media, chat, transcribe } };
  }
  if (stage === "highlights") {
    draft.job = { ...draft.job, total: { ...draft.job.total, clips: fanOut.clips ?? 0 } };
  }
  if (stage === "finish") draft.job = { ...draft.job, output, urls };
  warn(draft, warnings);
  count(draft, stage, false);

  if (stage === "ingest" && nothingLeft(draft.job)) {
    endFailed(draft, failureOf(stage, "nothing_to_analyze", ERRORS.nothing_to_analyze.message));
  } else {
    addTasks(draft, dueAfter(draft.job, stage, index));
    advance(draft);
  }
  draft.tasks.push({
    ...held.task,
    state: "done",
    handOver: undefined,
    leaseUntil: undefined,
    sweepAt: undefined,
    progress: 1,
    output,
    warnings,
    released: hasEnded(draft.job) ? [] : [...draft.due],
  });
  return { kind: "committed", change: finishDraft(draft) };
};
