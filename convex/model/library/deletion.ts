// Taking a video away with all that hangs on it. It is gone for everybody in the transaction that
// asks for it: its row keeps nothing that anything finds it by. What hangs on it then goes in bounded
// steps, each of which begins with the first thing that is left, so that any number of them, and any
// that died, come to the same end. The row goes last, when a step has found nothing else.
import { internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { type Person, refuse } from "../access.ts";
import { removeVideoAssets } from "../assets/removal.ts";
import { mayEdit } from "../learning/gate.ts";
import { onTranscriptChanged } from "../learning/stale.ts";
import { type VideoPatch, patchVideo } from "./status.ts";

/** Rows that a step deletes; a task's may be 20 KiB. */
const STEP_ROWS = 200;
/** Jobs that are hidden in the first transaction; what few have more of is hidden as it goes. */
const HIDDEN_AT_ONCE = 100;
/** Uses of a video that are looked at to name courses. */
const USES_LOOKED_AT = 100;
const COURSES_NAMED = 20;

/** What an owner, a job or the public finds a video by, and what is still on its way to it. */
const NOTHING_TO_FIND: VideoPatch = {
  twitchId: undefined,
  youtubeVideoId: undefined,
  url: undefined,
  jobId: undefined,
  transcriptPending: undefined,
};

/** The courses that show a video, as many as are looked at. */
const coursesWith = async (ctx: QueryCtx, videoId: Id<"videos">): Promise<Doc<"courses">[]> => {
  const items = await ctx.db
    .query("contentItems")
    .withIndex("by_videoId", (q) => q.eq("videoId", videoId))
    .take(USES_LOOKED_AT);
  const chapters = await ctx.db
    .query("chapters")
    .withIndex("by_videoId", (q) => q.eq("videoId", videoId))
    .take(USES_LOOKED_AT);
  const courseIds = new Set(chapters.map(({ courseId }) => courseId));
  for (const { courseId, chapterId } of items) {
    const place = courseId ?? (await ctx.db.get("chapters", chapterId))?.courseId;
    if (place) courseIds.add(place);
  }
  const courses: Doc<"courses">[] = [];
  for (const courseId of courseIds) {
    const course = await ctx.db.get("courses", courseId);
    if (course) courses.push(course);
  }
  return courses;
};

/** Others' courses keep it as well, without being named. @throws {ConvexError} `conflict` */
const refuseWhileShown = async (
  ctx: QueryCtx,
  person: Person,
  videoId: Id<"videos">,
): Promise<void> => {
  const courses = await coursesWith(ctx, videoId);
  if (courses.length === 0) return;
  throw refuse("conflict", "Courses show this video: take it out of them first.", {
    courses: courses
      .filter((course) => mayEdit(person, course))
      .slice(0, COURSES_NAMED)
      .map(({ _id, name }) => ({ id: _id, name })),
  });
};

/** The words for where a job stands that are not `ended` all sort after it. */
const refuseWhileRunning = async (ctx: QueryCtx, videoId: Id<"videos">): Promise<void> => {
  const running = await ctx.db
    .query("jobs")
    .withIndex("by_video_and_admission", (q) => q.eq("videoId", videoId).gt("admission", "ended"))
    .first();
  if (running) {
    throw refuse("conflict", "A job of this video is running: cancel it first.", {
      jobId: running.jobId,
    });
  }
};

const jobsOf = (ctx: QueryCtx, videoId: Id<"videos">) =>
  ctx.db
    .query("jobs")
    .withIndex("by_video_and_admission", (q) => q.eq("videoId", videoId))
    .order("desc");

/** An idempotency key of a job that is gone is free again. */
const hideJobs = async (ctx: MutationCtx, videoId: Id<"videos">, now: number): Promise<void> => {
  for (const job of await jobsOf(ctx, videoId).take(HIDDEN_AT_ONCE)) {
    await ctx.db.patch("jobs", job._id, { deletingAt: now, idempotencyKey: undefined });
  }
};

/**
 * Begins the deletion of a video, or goes on with one that stopped.
 * @throws {ConvexError} `conflict` while a course shows it or a job of it is running
 */
export const deleteVideo = async (
  ctx: MutationCtx,
  person: Person,
  video: Doc<"videos">,
  now: number,
): Promise<void> => {
  const { _id: videoId, deletingAt } = video;
  if (deletingAt === undefined) {
    await refuseWhileShown(ctx, person, videoId);
    await refuseWhileRunning(ctx, videoId);
    await patchVideo(ctx, video, { ...NOTHING_TO_FIND, deletingAt: now });
    await hideJobs(ctx, videoId, now);
  }
  await continueLater(ctx, videoId);
};

const continueLater = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.videos.continueDeletion, { videoId });
};

/** One step; it has the next one done after it until the row is gone. */
export const continueDeletion = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<void> => {
  const video = await ctx.db.get("videos", videoId);
  if (video?.deletingAt === undefined) return;
  const more =
    (await removeFindings(ctx, videoId)) ||
    (await removeVideoAssets(ctx, videoId)).more ||
    (await removeJob(ctx, videoId));
  if (more) {
    await continueLater(ctx, videoId);
    return;
  }
  await ctx.db.delete("videos", videoId);
  // What cites it cites nothing now.
  await onTranscriptChanged(ctx, videoId);
};

/** Transcript and outline. @returns whether it did something, so that there may be more */
const removeFindings = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<boolean> => {
  const pieces = await ctx.db
    .query("transcriptCues")
    .withIndex("by_video_and_generation_and_index", (q) => q.eq("videoId", videoId))
    .take(STEP_ROWS);
  for (const { _id } of pieces) await ctx.db.delete("transcriptCues", _id);
  const outlines = await ctx.db
    .query("videoOutlines")
    .withIndex("by_video", (q) => q.eq("videoId", videoId))
    .take(STEP_ROWS);
  for (const { _id } of outlines) await ctx.db.delete("videoOutlines", _id);
  return pieces.length + outlines.length > 0;
};

/** A step of one job: its rows first, of one kind at a time; then itself. @returns as above */
const removeJob = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<boolean> => {
  const job = await jobsOf(ctx, videoId).first();
  if (!job) return false;
  if (!(await removeJobRows(ctx, job.jobId))) await ctx.db.delete("jobs", job._id);
  return true;
};

/** @returns whether there were any */
const removeJobRows = async (ctx: MutationCtx, jobId: string): Promise<boolean> => {
  const tasks = await ctx.db
    .query("tasks")
    .withIndex("by_job_id_and_stage_and_index", (q) => q.eq("jobId", jobId))
    .take(STEP_ROWS);
  for (const { _id } of tasks) await ctx.db.delete("tasks", _id);
  if (tasks.length > 0) return true;
  const events = await ctx.db
    .query("jobEvents")
    .withIndex("by_job_id_and_seq", (q) => q.eq("jobId", jobId))
    .take(STEP_ROWS);
  for (const { _id } of events) await ctx.db.delete("jobEvents", _id);
  if (events.length > 0) return true;
  const deliveries = await ctx.db
    .query("webhookDeliveries")
    .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
    .take(STEP_ROWS);
  for (const { _id } of deliveries) await ctx.db.delete("webhookDeliveries", _id);
  const rollups = await ctx.db
    .query("rollups")
    .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
    .take(STEP_ROWS);
  for (const { _id } of rollups) await ctx.db.delete("rollups", _id);
  return deliveries.length + rollups.length > 0;
};
