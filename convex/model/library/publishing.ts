// Which task may publish what it found for a video: an attempt that holds its lease, of a job that is
// the video's latest, for a video that is still there.
import type { Doc } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import type { Stage } from "#shared/contract/stages.ts";
import { heldBy } from "../machine/hold.ts";
import { loadJob, loadTask } from "../store.ts";
import { loadVideo } from "./gate.ts";

export interface AttemptKey {
  jobId: string;
  stage: Stage;
  index: number;
  attempt: number;
}

/** The video that this attempt publishes for; null where there is nothing to publish any more. */
export const publishedVideo = async (
  ctx: QueryCtx,
  { jobId, stage, index, attempt }: AttemptKey,
): Promise<Doc<"videos"> | null> => {
  const job = await loadJob(ctx, jobId);
  const held = heldBy(job, await loadTask(ctx, jobId, stage, index), attempt);
  if (!job || held.kind !== "ok") return null;
  const video = await loadVideo(ctx, job.videoId);
  return video?.jobId === jobId ? video : null;
};
