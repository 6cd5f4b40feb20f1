// What is done to a whole job: create, admit, cancel, retry.
import { STAGES, type Stage } from "#shared/contract/stages.ts";
import { fractionOf, stageProgressOf } from "../progress.ts";
import { isSettled } from "./hold.ts";
import {
  addTasks,
  emit,
  endCanceled,
  finishDraft,
  sameWarning,
  setStatus,
  startDraft,
} from "./draft.ts";
import { INITIAL_TOTAL, downstreamOf, hasEnded, isFinished, statusOf } from "./plan.ts";
import type { Admission, Change, JobState, Policy, StageCounts, Task } from "./state.ts";

/** A new job with its one task; its message is due at once if the job is admitted. */
export const create = (
  jobId: string,
  admission: Admission,
  now: number,
  policy: Policy,
): Change => {
  const job: JobState = {
    jobId,
    status: "Queued",
    admission,
    total: INITIAL_TOTAL,
    finished: {},
    degraded: {},
    started: [],
    warnings: [],
    attemptFloor: 0,
    eventSeq: 0,
    progress: 0,
    stageProgress: {},
    retryCount: 0,
  };
  const draft = startDraft(job, now, policy);
  emit(draft, { type: "status", status: "Queued" });
  addTasks(draft, [{ stage: "ingest", first: 0, count: 1 }]);
  return admission === "running" ? finishDraft(draft) : parked(finishDraft(draft));
};

/** Keeps the tasks of a job that waits out of sweep's and everybody's sight. */
const parked = (change: Change): Change => ({
  ...change,
  tasks: change.tasks.map(unwatched),
  added: change.added.map(unwatched),
  due: [],
});

const unwatched = (task: Task): Task => ({ ...task, sweepAt: undefined });

/** A waiting job's turn has come. `unsettled` are its tasks that are neither done nor degraded. */
export const admit = (
  job: JobState,
  unsettled: readonly Task[],
  now: number,
  policy: Policy,
): Change => {
  const draft = startDraft({ ...job, admission: "running" }, now, policy);
  for (const task of unsettled) {
    draft.tasks.push({ ...task, dueAt: now, sweepAt: now + policy.unclaimedMs });
    draft.due.push({ stage: task.stage, first: task.index, count: 1 });
  }
  setStatus(draft, statusOf(draft.job));
  return finishDraft(draft);
};

/** @returns null where the job has ended already */
export const cancel = (job: JobState, now: number, policy: Policy): Change | null => {
  if (hasEnded(job)) return null;
  const draft = startDraft(job, now, policy);
  endCanceled(draft);
  return finishDraft(draft);
};

/**
 * The stage a retry without a name starts from: where the job failed; else the first it did not
 * finish; for a completed job the first that was degraded, else the very first.
 */
export const retryStage = (job: JobState): Stage => {
  if (job.failure) return job.failure.stage;
  const unfinished = STAGES.find((stage) => !isFinished(job, stage));
  if (unfinished) return unfinished;
  return STAGES.find((stage) => (job.degraded[stage] ?? 0) > 0) ?? "ingest";
};

export interface Rollback {
  change: Change;
  /** Tasks that no longer exist: they follow from what is done again. */
  removed: Task[];
}

/**
 * Rolls an ended job back for another run: unfinished tasks are due again, and with `from` also all
 * of that stage; what follows from it goes. Results of earlier stages stay.
 * @param tasks all tasks of the job
 * @returns null where the job never came as far as `from`
 */
export const retry = (
  job: JobState,
  tasks: readonly Task[],
  from: Stage | undefined,
  admission: Admission,
  now: number,
  policy: Policy,
): Rollback | null => {
  const again = from ?? (tasks.every(isSettled) ? retryStage(job) : undefined);
  if (again && !tasks.some((task) => task.stage === again)) return null;
  const gone = again ? downstreamOf(again) : new Set<Stage>();
  const removed = tasks.filter((task) => gone.has(task.stage));
  const kept = tasks
    .filter((task) => !gone.has(task.stage))
    .map((task) => (isSettled(task) && task.stage !== again ? task : dueAgain(task, now, policy)));

  const total: StageCounts = { ...job.total };
  if (again === "ingest") {
    delete total.media;
    delete total.chat;
    delete total.transcribe;
  }
  if (again === "highlights" || gone.has("highlights")) delete total.clips;
  const settled = kept.filter(isSettled);
  const countOf = (of: readonly Task[]): StageCounts => {
    const counts: StageCounts = {};
    for (const { stage } of of) counts[stage] = (counts[stage] ?? 0) + 1;
    return counts;
  };
  const rolledBack: JobState = {
    ...job,
    admission,
    total,
    finished: countOf(settled),
    degraded: countOf(settled.filter((task) => task.state === "degraded")),
    started: job.started.filter((stage) => settled.some((task) => task.stage === stage)),
    warnings: settled
      .flatMap((task) => task.warnings)
      .filter((warning, at, every) => every.findIndex((w) => sameWarning(w, warning)) === at),
    failure: undefined,
    output: undefined,
    completedAt: undefined,
    attemptFloor: Math.max(job.attemptFloor, ...removed.map((task) => task.attempt)),
    stageProgress: {},
    retryCount: job.retryCount + 1,
  };
  const stageProgress = stageProgressOf(rolledBack);
  const draft = startDraft(
    { ...rolledBack, stageProgress, progress: fractionOf(rolledBack, stageProgress) },
    now,
    policy,
  );
  emit(draft, { type: "retry", stage: again ?? retryStage(job) });
  setStatus(draft, statusOf(draft.job));
  draft.tasks.push(...kept.filter((task) => !isSettled(task)));
  draft.due.push(...draft.tasks.map(({ stage, index }) => ({ stage, first: index, count: 1 })));
  const change = finishDraft(draft);
  return { change: admission === "running" ? change : parked(change), removed };
};

const dueAgain = (task: Task, now: number, policy: Policy): Task => ({
  ...task,
  state: "due",
  tries: 0,
  lapses: undefined,
  handOver: undefined,
  dueAt: now,
  leaseUntil: undefined,
  sweepAt: now + policy.unclaimedMs,
  progress: 0,
  output: undefined,
  warnings: [],
  failure: undefined,
  failedAttempt: undefined,
  released: [],
});
