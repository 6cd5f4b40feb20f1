// A failed video once more: whatever of it failed, the analysis or the making of notes and quiz.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { retryJob } from "../retryJob.ts";
import { loadJob, loadTask } from "../store.ts";
import { enqueueStudy, missingSetup, refuseManyStudies } from "./study.ts";
import { hasTranscript } from "./transcript.ts";

export const RETRIABLE = ["analysis", "study"] as const;
export type Retriable = (typeof RETRIABLE)[number];

/** Why it was not retried, in a sentence; null where it was. */
type Hindrance = string | null;

const analysisFailed = ({ status }: Doc<"videos">): boolean =>
  status === "Failed" || status === "Canceled";

/**
 * Nothing in Convex publishes messages. The tasks that are due again are due for sweep at once, which
 * publishes them within the minute; those of a job that has to wait for its turn are published by
 * whoever makes room for it, or by sweep as well.
 */
const retryAnalysis = async (ctx: MutationCtx, video: Doc<"videos">): Promise<Hindrance> => {
  const job = video.jobId === undefined ? null : await loadJob(ctx, video.jobId);
  if (!job) return "The analysis was not run here, so it cannot be run again from here.";
  if (job.failure?.retryable === false)
    return `Trying again would not help: ${job.failure.message}`;
  const answer = await retryJob(ctx, job.jobId, job.ownerId, undefined);
  switch (answer.kind) {
    case "retried":
      for (const { jobId, stage, index } of answer.messages) {
        const task = await loadTask(ctx, jobId, stage, index);
        if (task) await ctx.db.patch("tasks", task._id, { sweepAt: Date.now() });
      }
      return null;
    case "too_many_jobs":
      throw refuse("too_many_jobs", "Too many of your videos are waiting; try again later.");
    case "not_ended":
      return "The analysis is running.";
    case "not_reached":
    case "not_found":
      return "The analysis left nothing to go on from.";
  }
};

const retryStudy = async (
  ctx: MutationCtx,
  videoId: Id<"videos">,
  now: number,
): Promise<Hindrance> => {
  const missing = missingSetup();
  if (missing !== null) return missing;
  const video = await ctx.db.get("videos", videoId);
  if (!video || !hasTranscript(video)) return "Notes and quiz need a transcript.";
  await refuseManyStudies(ctx, video);
  // Also where the endpoint refused it for good: the transcript or the endpoint may be another by now.
  await enqueueStudy(ctx, video, now);
  return null;
};

/**
 * Tries everything again that failed and may be tried again.
 * @returns what that was
 * @throws {ConvexError} `conflict`, with the reason, where there is nothing; `too_many_jobs`;
 *   `study_not_configured` where there is only what nobody can make here
 */
export const retryFailed = async (
  ctx: MutationCtx,
  video: Doc<"videos">,
  now: number,
): Promise<Retriable[]> => {
  const retried: Retriable[] = [];
  const reasons: string[] = [];
  const note = (what: Retriable, hindrance: Hindrance): void => {
    if (hindrance === null) retried.push(what);
    else reasons.push(hindrance);
  };
  const studyFailed = video.study?.state === "failed";
  if (analysisFailed(video)) note("analysis", await retryAnalysis(ctx, video));
  if (studyFailed) note("study", await retryStudy(ctx, video._id, now));
  if (retried.length > 0) return retried;
  const missing = missingSetup();
  if (studyFailed && !analysisFailed(video) && missing !== null) {
    throw refuse("study_not_configured", missing);
  }
  throw refuse("conflict", reasons.join(" ") || "Nothing about this video has failed.");
};
