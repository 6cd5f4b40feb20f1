// The row of a video, apart from what a job projects on it.
import type { VideoFacts } from "#shared/contract/ledger.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";

/** Keeps what ingest found out about the video. */
export const recordFacts = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  facts: VideoFacts,
  now: number,
): Promise<void> => {
  const { durationSec, ...found } = facts;
  const known = Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== undefined),
  );
  await ctx.db.patch("videos", job.videoId, {
    ...known,
    durationInSeconds: durationSec,
    updatedAt: now,
  });
};
