// The rows of a job's session and scenes, made when the pipeline first speaks of them.
import { MAX_SCENES, type SceneFacts } from "#shared/contract/assets.ts";
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { loadJob } from "../store.ts";
import { type AssetsStatus, advance } from "./status.ts";

export const MAX_TITLE_CHARS = 500;
const MAX_MESSAGE_CHARS = 1000;

/** At most so many characters, and none of them torn in two: Convex keeps no such text. */
const cut = (text: string, maxChars: number): string => text.slice(0, maxChars).toWellFormed();

/**
 * The job whose objects are spoken of, and its video; null where either is gone, or the video is
 * being deleted, so that nothing is to be kept any more.
 */
export const liveJob = async (
  ctx: QueryCtx,
  jobId: string,
): Promise<{ job: Doc<"jobs">; video: Doc<"videos"> } | null> => {
  const job = await loadJob(ctx, jobId);
  const video = job && (await ctx.db.get("videos", job.videoId));
  return video && video.deletingAt === undefined ? { job, video } : null;
};

export const findSession = (ctx: QueryCtx, jobId: string): Promise<Doc<"videoSessions"> | null> =>
  ctx.db
    .query("videoSessions")
    .withIndex("by_job", (q) => q.eq("jobId", jobId))
    .unique();

export const findScene = (
  ctx: QueryCtx,
  jobId: string,
  index: number,
): Promise<Doc<"scenes"> | null> =>
  ctx.db
    .query("scenes")
    .withIndex("by_job_and_index", (q) => q.eq("jobId", jobId).eq("index", index))
    .unique();

/** The one session of a job; made when it is first asked for. */
export const ensureSession = async (
  ctx: MutationCtx,
  { jobId, ownerId, videoId, retryCount }: Doc<"jobs">,
  { title }: Doc<"videos">,
  now: number,
): Promise<Doc<"videoSessions">> => {
  const known = await findSession(ctx, jobId);
  if (known) return known;
  const id = await ctx.db.insert("videoSessions", {
    videoId,
    ownerId,
    jobId,
    title: cut(title, MAX_TITLE_CHARS),
    totalAssetSize: 0,
    assetCount: 0,
    assetsStatus: "pending",
    run: retryCount,
    createdAt: now,
    updatedAt: now,
  });
  const session = await ctx.db.get("videoSessions", id);
  if (!session) throw new Error("A session that was just written is not there.");
  return session;
};

/** @throws {ConvexError} `invalid_request` for a clip the job cannot have */
export const checkIndex = ({ jobId, total }: Doc<"jobs">, index: number): void => {
  if (
    !Number.isInteger(index) ||
    index < 0 ||
    index >= Math.min(total.clips ?? MAX_SCENES, MAX_SCENES)
  ) {
    throw refuse("invalid_request", `The job ${jobId} has no clip ${index}.`);
  }
};

const checkFacts = ({ startSec, endSec, rank, score }: SceneFacts): void => {
  const isSpan = Number.isFinite(startSec) && Number.isFinite(endSec) && startSec >= 0;
  if (!isSpan || endSec <= startSec) {
    throw refuse("invalid_request", "`startSec` and `endSec` must be a span of the video.");
  }
  if (rank !== undefined && (!Number.isInteger(rank) || rank < 1)) {
    throw refuse("invalid_request", "`rank` counts from 1.");
  }
  if (score !== undefined && !Number.isFinite(score)) {
    throw refuse("invalid_request", "`score` must be a number.");
  }
};

/**
 * Makes the scene of a clip, or says of the one there what it shows now: a retry may have found
 * other highlights.
 */
export const writeScene = async (
  ctx: MutationCtx,
  session: Doc<"videoSessions">,
  { jobId, ownerId, videoId, retryCount }: Doc<"jobs">,
  index: number,
  facts: SceneFacts,
  now: number,
): Promise<void> => {
  checkFacts(facts);
  const { startSec, endSec, rank, score } = facts;
  const title = facts.title === undefined ? undefined : cut(facts.title, MAX_TITLE_CHARS);
  const said = { startSec, endSec, rank, score, title };
  const known = await findScene(ctx, jobId, index);
  if (!known) {
    await ctx.db.insert("scenes", {
      sessionId: session._id,
      videoId,
      ownerId,
      jobId,
      index,
      ...said,
      assetsStatus: "pending",
      run: retryCount,
      assetVersion: 0,
      previousAssetVersions: [],
      createdAt: now,
      updatedAt: now,
    });
    return;
  }
  const fields = Object.keys(said) as (keyof typeof said)[];
  if (fields.some((field) => said[field] !== known[field])) {
    await ctx.db.patch("scenes", known._id, { ...said, updatedAt: now });
  }
  await moveScene(ctx, known, "pending", retryCount, now);
};

/** The fields of a move, or null where nothing moves. */
const moved = (
  row: Doc<"scenes"> | Doc<"videoSessions">,
  next: AssetsStatus,
  run: number,
  now: number,
  message?: string,
) => {
  const assetsStatus = advance(row, next, run);
  if (assetsStatus === null) return null;
  const assetsErrorMessage = message === undefined ? undefined : cut(message, MAX_MESSAGE_CHARS);
  const isThere = row.assetsStatus === assetsStatus && row.run === run;
  if (isThere && row.assetsErrorMessage === assetsErrorMessage) return null;
  return { assetsStatus, assetsErrorMessage, run, updatedAt: now };
};

/** Moves a scene on, where that is a move. @param run  the job's `retryCount` */
export const moveScene = async (
  ctx: MutationCtx,
  scene: Doc<"scenes">,
  next: AssetsStatus,
  run: number,
  now: number,
  message?: string,
): Promise<void> => {
  const fields = moved(scene, next, run, now, message);
  if (fields) await ctx.db.patch("scenes", scene._id, fields);
};

/** Moves a session on, where that is a move. @param run  the job's `retryCount` */
export const moveSession = async (
  ctx: MutationCtx,
  session: Doc<"videoSessions">,
  next: AssetsStatus,
  run: number,
  now: number,
  message?: string,
): Promise<void> => {
  const fields = moved(session, next, run, now, message);
  if (fields) await ctx.db.patch("videoSessions", session._id, fields);
};
