// A transition in the making: the job, tasks, events and due tasks it has changed so far. Keeps the
// numbering of events and the order "status comes last" in one place.
import type { JobEventBody } from "#shared/contract/ledger.ts";
import type { Stage, Status } from "#shared/contract/stages.ts";
import type { Warning } from "#shared/contract/warnings.ts";
import { stageProgressOf } from "../progress.ts";
import { isFinished, statusOf } from "./plan.ts";
import type { Change, Failure, JobState, Policy, TaskRange } from "./state.ts";

/** A job keeps no more warnings than this; a stage's hundredth says nothing new. */
const MAX_WARNINGS = 50;

export const sameWarning = (a: Warning, b: Warning): boolean =>
  a.code === b.code && a.message === b.message;

export interface Draft extends Change {
  readonly now: number;
  readonly policy: Policy;
}

export const startDraft = (job: JobState, now: number, policy: Policy): Draft => ({
  job,
  tasks: [],
  added: [],
  events: [],
  due: [],
  now,
  policy,
});

export const emit = (draft: Draft, body: JobEventBody): void => {
  const seq = draft.job.eventSeq + 1;
  draft.job = { ...draft.job, eventSeq: seq };
  draft.events.push({ seq, at: draft.now, ...body });
};

export const setStatus = (draft: Draft, status: Status): void => {
  if (status === draft.job.status) return;
  draft.job = { ...draft.job, status, stageProgress: stageProgressOf(draft.job) };
  emit(draft, { type: "status", status });
};

export const warn = (draft: Draft, warnings: readonly Warning[]): void => {
  for (const warning of warnings) {
    const known = draft.job.warnings;
    if (known.length >= MAX_WARNINGS) return;
    if (known.some((other) => sameWarning(other, warning))) continue;
    draft.job = { ...draft.job, warnings: [...known, warning] };
    emit(draft, { type: "warning", warning });
  }
};

export const stageEvent = (draft: Draft, stage: Stage, state: "started" | "finished"): void =>
  emit(draft, {
    type: "stage",
    stage,
    state,
    done: draft.job.finished[stage] ?? 0,
    total: draft.job.total[stage] ?? 0,
  });

/** A new row for every task of the ranges, due now. */
export const addTasks = (draft: Draft, ranges: readonly TaskRange[]): void => {
  const { now, policy } = draft;
  for (const { stage, first, count } of ranges) {
    for (let index = first; index < first + count; index += 1) {
      draft.added.push({
        stage,
        index,
        state: "due",
        attempt: draft.job.attemptFloor,
        tries: 0,
        dueAt: now,
        sweepAt: now + policy.unclaimedMs,
        progress: 0,
        warnings: [],
        released: [],
      });
    }
  }
  draft.due.push(...ranges);
};

/** Counts a task as finished. */
export const count = (draft: Draft, stage: Stage, degraded: boolean): void => {
  const { job } = draft;
  const add = (counts: JobState["finished"]) => ({ ...counts, [stage]: (counts[stage] ?? 0) + 1 });
  draft.job = {
    ...job,
    finished: add(job.finished),
    degraded: degraded ? add(job.degraded) : job.degraded,
  };
  if (isFinished(draft.job, stage)) stageEvent(draft, stage, "finished");
};

/** Shows the status that follows from the counts; ends the job where every stage is finished. */
export const advance = (draft: Draft): void => {
  const status = statusOf(draft.job);
  if (status !== "Completed") {
    setStatus(draft, status);
    return;
  }
  const { now } = draft;
  draft.job = {
    ...draft.job,
    admission: "ended",
    progress: 1,
    estimatedCompletionSeconds: 0,
    stageProgress: stageProgressOf(draft.job),
    completedAt: now,
  };
  emit(draft, {
    type: "progress",
    progressPercentage: 100,
    currentStage: "Completed",
    estimatedCompletionSeconds: 0,
    stageProgress: draft.job.stageProgress,
  });
  setStatus(draft, "Completed");
};

export const endFailed = (draft: Draft, failure: Failure): void => {
  const { details: _forTheLog, ...shown } = failure;
  draft.job = withoutEta({
    ...draft.job,
    admission: "ended",
    failure,
    completedAt: draft.now,
  });
  emit(draft, { type: "error", error: shown });
  setStatus(draft, "Failed");
};

export const endCanceled = (draft: Draft): void => {
  draft.job = withoutEta({ ...draft.job, admission: "ended", completedAt: draft.now });
  setStatus(draft, "Canceled");
};

const withoutEta = (job: JobState): JobState => ({ ...job, estimatedCompletionSeconds: undefined });

export const finishDraft = (draft: Draft): Change => {
  const { job, tasks, added, events, due } = draft;
  return { job, tasks, added, events, due };
};
