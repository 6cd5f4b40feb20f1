// A job that has ended leaves nothing on its way: what it did not make ready by then has failed.
import { MAX_SCENES } from "#shared/contract/assets.ts";
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { findScene, findSession, moveScene, moveSession } from "./rows.ts";

const reasonOf = ({ status, failure }: Doc<"jobs">): string => {
  if (status === "Canceled") return "The job was canceled.";
  return failure?.message ?? "The job completed without it.";
};

/** A clip was given up, whoever found that out: its task, sweep, or Pub/Sub. */
export const failClip = async (
  ctx: MutationCtx,
  { jobId, retryCount }: Doc<"jobs">,
  index: number,
  message: string,
  now: number,
): Promise<void> => {
  const scene = await findScene(ctx, jobId, index);
  if (scene) await moveScene(ctx, scene, "failed", retryCount, now, message);
};

/** @param job  as it is now that it has ended */
export const settleAssets = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  now: number,
): Promise<void> => {
  const { jobId, retryCount } = job;
  const session = await findSession(ctx, jobId);
  if (!session) return;
  const reason = reasonOf(job);
  const isOpen = ({ assetsStatus }: Doc<"scenes"> | Doc<"videoSessions">) =>
    assetsStatus === "pending" || assetsStatus === "uploading";
  if (isOpen(session)) await moveSession(ctx, session, "failed", retryCount, now, reason);
  const scenes = await ctx.db
    .query("scenes")
    .withIndex("by_job_and_index", (q) => q.eq("jobId", jobId))
    .take(MAX_SCENES);
  for (const scene of scenes.filter(isOpen)) {
    await moveScene(ctx, scene, "failed", retryCount, now, reason);
  }
};
