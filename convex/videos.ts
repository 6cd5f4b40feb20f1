// The job functions of `convex-schema-updates`, under its names. The ledger writes a video's row
// itself; these serve whoever runs a video without the ledger, and pages that follow a job.
import { v } from "convex/values";
import { knownQuery } from "./functions.ts";
import { loadJob } from "./model/store.ts";
import { urlProjection, videoProjection } from "./model/view.ts";
import { videoFields } from "./schema.ts";

const videoRow = v.object({ _id: v.id("videos"), _creationTime: v.number(), ...videoFields });

/**
 * A job in the shape of its video's row, for its owner or the pipeline: what a page subscribes to.
 * Null where there is none, or it is somebody else's.
 */
export const getJobById = knownQuery({
  args: { jobId: v.string() },
  returns: v.union(videoRow, v.null()),
  handler: async (ctx, { jobId }) => {
    const mine = (ownerId: string | undefined): boolean =>
      ctx.caller.kind === "service" || ctx.caller.ownerId === ownerId;
    const job = await loadJob(ctx, jobId);
    if (job) {
      const video = mine(job.ownerId) ? await ctx.db.get("videos", job.videoId) : null;
      return video && { ...video, ...videoProjection(job), ...urlProjection(job) };
    }
    const video = await ctx.db
      .query("videos")
      .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
      .first();
    return video && mine(video.ownerId) ? video : null;
  },
});
