// A job as its video's row shows it, and what somebody who runs a job without the ledger writes there.
import type { WithoutSystemFields } from "convex/server";
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { type Known, owns, refuse } from "./access.ts";
import { patchVideo } from "./library/status.ts";
import { loadJob } from "./store.ts";
import {
  type DocumentedUrls,
  addressFields,
  byJobOrTwitchId,
  refuseWhileRunning,
} from "./video.ts";
import { urlProjection, videoProjection } from "./view.ts";

type Video = Doc<"videos">;
type Fields = WithoutSystemFields<Video>;

/** The row with what its job says now; null where there is none, or not for this caller. */
export const jobRow = async (
  ctx: QueryCtx,
  caller: Known,
  jobId: string,
): Promise<Video | null> => {
  const isPipeline = caller.kind === "service";
  const shown = (video: Video | null): Video | null => {
    if (!video || !(isPipeline || owns(caller, video.ownerId))) return null;
    return isPipeline ? video : { ...video, errorDetails: undefined };
  };
  const job = await loadJob(ctx, jobId);
  if (job) {
    const video = await ctx.db.get("videos", job.videoId);
    return shown(video && { ...video, ...videoProjection(job), ...urlProjection(job) });
  }
  return shown(
    await ctx.db
      .query("videos")
      .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
      .first(),
  );
};

interface Names {
  jobId: string;
  twitchId: string;
}

/** The row to write to. @throws {ConvexError} `not_found`; `conflict` while the pipeline runs the job */
const rowOf = async (ctx: MutationCtx, { jobId, twitchId }: Names): Promise<Video> => {
  const video = await byJobOrTwitchId(ctx, jobId, twitchId);
  await refuseWhileRunning(ctx, video, jobId);
  return video;
};

type Progress = Pick<
  Fields,
  "progressPercentage" | "currentStage" | "estimatedCompletionSeconds" | "stageProgress"
>;

/** @throws {ConvexError} `invalid_request` for a percentage that is none */
export const reportProgress = async (
  ctx: MutationCtx,
  names: Names,
  progress: Progress,
  now: number,
): Promise<void> => {
  const { progressPercentage = 0 } = progress;
  if (!(progressPercentage >= 0 && progressPercentage <= 100)) {
    throw refuse("invalid_request", "progressPercentage must be from 0 to 100.");
  }
  const video = await rowOf(ctx, names);
  await patchVideo(ctx, video, { jobId: names.jobId, ...progress, updatedAt: now });
};

type Failure = Pick<Fields, "errorType" | "errorMessage" | "errorDetails" | "isRetryable">;

export const reportError = async (
  ctx: MutationCtx,
  names: Names,
  error: Failure,
  now: number,
): Promise<void> => {
  await patchVideo(ctx, await rowOf(ctx, names), {
    jobId: names.jobId,
    status: "Failed",
    ...error,
    processingCompletedAt: now,
    updatedAt: now,
  });
};

export const reportCompleted = async (
  ctx: MutationCtx,
  names: Names,
  urls: DocumentedUrls,
  now: number,
): Promise<void> => {
  const video = await rowOf(ctx, names);
  await patchVideo(ctx, video, {
    jobId: names.jobId,
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
};
