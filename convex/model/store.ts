// Between the machine and the tables: loads what a transition is about, writes what it says.
import type { WithoutSystemFields } from "convex/server";
import type { TaskMessage } from "#shared/contract/messages.ts";
import type { Stage } from "#shared/contract/stages.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { patchVideo } from "./library/status.ts";
import type { Change, JobState, Task, TaskRange } from "./machine/state.ts";
import { urlProjection, videoProjection } from "./view.ts";

/** More tasks than a job can have. */
const MAX_TASKS = 4096;

/** Null also for one whose video is being deleted. */
export const loadJob = async (ctx: QueryCtx, jobId: string): Promise<Doc<"jobs"> | null> => {
  const job = await ctx.db
    .query("jobs")
    .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
    .unique();
  return job?.deletingAt === undefined ? job : null;
};

/** An owner's job; one of somebody else is not there. */
export const loadOwnJob = async (
  ctx: QueryCtx,
  jobId: string,
  ownerId: string,
): Promise<Doc<"jobs"> | null> => {
  const job = await loadJob(ctx, jobId);
  return job?.ownerId === ownerId ? job : null;
};

export const loadTask = (
  ctx: QueryCtx,
  jobId: string,
  stage: Stage,
  index: number,
): Promise<Doc<"tasks"> | null> =>
  ctx.db
    .query("tasks")
    .withIndex("by_job_id_and_stage_and_index", (q) =>
      q.eq("jobId", jobId).eq("stage", stage).eq("index", index),
    )
    .unique();

export const loadStage = (ctx: QueryCtx, jobId: string, stage: Stage): Promise<Doc<"tasks">[]> =>
  ctx.db
    .query("tasks")
    .withIndex("by_job_id_and_stage_and_index", (q) => q.eq("jobId", jobId).eq("stage", stage))
    .take(MAX_TASKS);

/** All tasks of a job: for a retry, and when the turn of one comes that waited. */
export const loadTasks = (ctx: QueryCtx, jobId: string): Promise<Doc<"tasks">[]> =>
  ctx.db
    .query("tasks")
    .withIndex("by_job_id_and_stage_and_index", (q) => q.eq("jobId", jobId))
    .take(MAX_TASKS);

export const messagesOf = (jobId: string, ranges: readonly TaskRange[]): TaskMessage[] =>
  ranges.flatMap((range) =>
    Array.from({ length: range.count }, (_, i) => ({
      v: 1 as const,
      jobId: range.jobId ?? jobId,
      stage: range.stage,
      index: range.first + i,
    })),
  );

/** The fields of a job's row that the machine decides. */
export const jobFields = (job: JobState) => ({
  status: job.status,
  admission: job.admission,
  total: job.total,
  finished: job.finished,
  degraded: job.degraded,
  started: job.started,
  warnings: job.warnings,
  failure: job.failure,
  attemptFloor: job.attemptFloor,
  eventSeq: job.eventSeq,
  progress: job.progress,
  stageProgress: job.stageProgress,
  estimatedCompletionSeconds: job.estimatedCompletionSeconds,
  output: job.output,
  urls: job.urls,
  retryCount: job.retryCount,
  startedAt: job.startedAt,
  completedAt: job.completedAt,
});

const taskFields = (task: Task) => ({
  stage: task.stage,
  index: task.index,
  state: task.state,
  attempt: task.attempt,
  tries: task.tries,
  outgrown: task.outgrown,
  lapses: task.lapses,
  handOver: task.handOver,
  dueAt: task.dueAt,
  leaseUntil: task.leaseUntil,
  sweepAt: task.sweepAt,
  progress: task.progress,
  output: task.output,
  warnings: task.warnings,
  failure: task.failure,
  failedAttempt: task.failedAttempt,
  released: task.released,
});

export const writeTask = (ctx: MutationCtx, row: Doc<"tasks">, task: Task): Promise<null> =>
  ctx.db.patch("tasks", row._id, taskFields(task)).then(() => null);

export const writeEvents = async (
  ctx: MutationCtx,
  jobId: string,
  events: Change["events"],
): Promise<void> => {
  for (const event of events) {
    await ctx.db.insert("jobEvents", { jobId, seq: event.seq, event });
  }
};

/** Makes this the video's latest job. */
export const takeVideo = async (ctx: MutationCtx, job: Doc<"jobs">, now: number): Promise<void> => {
  const video = await ctx.db.get("videos", job.videoId);
  if (!video) throw new Error(`The job ${job.jobId} has no video.`);
  await patchVideo(ctx, video, { ...videoProjection(job), updatedAt: now });
};

/** Keeps the video's row in step, where this is the video's latest job. */
export const projectOnVideo = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  now: number,
): Promise<void> => {
  const video = await ctx.db.get("videos", job.videoId);
  if (video?.jobId !== job.jobId) return;
  await patchVideo(ctx, video, {
    ...videoProjection(job),
    ...(job.status === "Completed" ? urlProjection(job) : {}),
    updatedAt: now,
  });
};

export const insertTask = (ctx: MutationCtx, jobId: string, task: Task) => {
  const row: WithoutSystemFields<Doc<"tasks">> = { jobId, ...taskFields(task) };
  return ctx.db.insert("tasks", row);
};
