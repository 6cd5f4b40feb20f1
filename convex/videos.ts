// The job functions of `convex-schema-updates`, under its names. The ledger writes a video's row
// itself; the writes here serve whoever runs a video without it, the query pages that follow a job.
import { v } from "convex/values";
import { ERROR_TYPES } from "#shared/contract/errors.ts";
import type { Doc } from "./_generated/dataModel.js";
import { knownQuery, serviceMutation } from "./functions.ts";
import { refuse } from "./model/access.ts";
import { oneOf, urlFields } from "./model/contract.ts";
import { patchVideo } from "./model/library/status.ts";
import { loadJob } from "./model/store.ts";
import { addressFields, byJobOrTwitchId, refuseWhileRunning } from "./model/video.ts";
import { urlProjection, videoProjection } from "./model/view.ts";
import { videoFields } from "./tables/library.ts";

const videoRow = v.object({ _id: v.id("videos"), _creationTime: v.number(), ...videoFields });
const names = { twitchId: v.string(), jobId: v.string() };

/**
 * A job in the shape of its video's row, for its owner or the pipeline: what a page subscribes to.
 * Null where there is none, or it is somebody else's. Details of an error are for the pipeline's
 * log, not for people.
 */
export const getJobById = knownQuery({
  args: { jobId: v.string() },
  returns: v.union(videoRow, v.null()),
  handler: async (ctx, { jobId }) => {
    const mine = (ownerId: string | undefined): boolean =>
      ctx.caller.kind === "service" || ctx.caller.ownerId === ownerId;
    const shown = (video: Doc<"videos">): Doc<"videos"> =>
      ctx.caller.kind === "service" ? video : { ...video, errorDetails: undefined };
    const job = await loadJob(ctx, jobId);
    if (job) {
      const video = mine(job.ownerId) ? await ctx.db.get("videos", job.videoId) : null;
      return video && shown({ ...video, ...videoProjection(job), ...urlProjection(job) });
    }
    const video = await ctx.db
      .query("videos")
      .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
      .first();
    return video && mine(video.ownerId) ? shown(video) : null;
  },
});

export const updateJobProgress = serviceMutation({
  args: {
    ...names,
    progressPercentage: v.optional(v.number()),
    currentStage: v.optional(v.string()),
    estimatedCompletionSeconds: v.optional(v.number()),
    stageProgress: v.optional(v.record(v.string(), v.any())),
  },
  returns: v.null(),
  handler: async (ctx, { twitchId, jobId, ...progress }) => {
    const { progressPercentage = 0 } = progress;
    if (!(progressPercentage >= 0 && progressPercentage <= 100)) {
      throw refuse("invalid_request", "progressPercentage must be from 0 to 100.");
    }
    const video = await byJobOrTwitchId(ctx, jobId, twitchId);
    await refuseWhileRunning(ctx, video, jobId);
    await patchVideo(ctx, video, { jobId, ...progress, updatedAt: Date.now() });
    return null;
  },
});

export const updateJobError = serviceMutation({
  args: {
    ...names,
    errorType: oneOf(ERROR_TYPES),
    errorMessage: v.string(),
    errorDetails: v.optional(v.string()),
    isRetryable: v.boolean(),
  },
  returns: v.null(),
  handler: async (ctx, { twitchId, jobId, ...error }) => {
    const video = await byJobOrTwitchId(ctx, jobId, twitchId);
    await refuseWhileRunning(ctx, video, jobId);
    const now = Date.now();
    await patchVideo(ctx, video, {
      jobId,
      status: "Failed",
      ...error,
      processingCompletedAt: now,
      updatedAt: now,
    });
    return null;
  },
});

export const completeJob = serviceMutation({
  args: { ...names, urls: v.optional(v.object(urlFields)) },
  returns: v.null(),
  handler: async (ctx, { twitchId, jobId, urls = {} }) => {
    const video = await byJobOrTwitchId(ctx, jobId, twitchId);
    await refuseWhileRunning(ctx, video, jobId);
    const now = Date.now();
    await patchVideo(ctx, video, {
      jobId,
      status: "Completed",
      progressPercentage: 100,
      currentStage: "Completed",
      estimatedCompletionSeconds: 0,
      errorType: undefined,
      errorMessage: undefined,
      errorDetails: undefined,
      isRetryable: undefined,
      processingCompletedAt: now,
      updatedAt: now,
      ...addressFields(video, urls),
    });
    return null;
  },
});
