// The scheduled roll-up of a job's progress (model/rollup.ts says when).
import { v } from "convex/values";
import { backendMutation } from "./functions.ts";
import { MAX_FAN_OUT } from "./model/machine/state.ts";
import { etaSec, followPace, fractionOf, percentOf, stageProgressOf } from "./model/progress.ts";
import { loadRollup } from "./model/rollup.ts";
import { loadJob, projectOnVideo, writeEvents } from "./model/store.ts";

/** Less is not worth waking the pages for. */
const WORTH_SHOWING = 0.01;

export const run = backendMutation({
  args: { jobId: v.string() },
  returns: v.null(),
  handler: async (ctx, { jobId }) => {
    const now = Date.now();
    const [job, row] = [await loadJob(ctx, jobId), await loadRollup(ctx, jobId)];
    if (!job || !row) return null;
    const running = await ctx.db
      .query("tasks")
      .withIndex("by_job_id_and_state", (q) => q.eq("jobId", jobId).eq("state", "running"))
      .take(2 * MAX_FAN_OUT);
    const stageProgress = stageProgressOf(job, running);
    const progress = Math.max(job.progress, fractionOf(job, stageProgress));
    const pace = followPace(row.pace, progress, now);
    await ctx.db.patch("rollups", row._id, { scheduledFor: undefined, ranAt: now, pace });
    if (progress - job.progress < WORTH_SHOWING) return null;

    const estimatedCompletionSeconds = etaSec(pace);
    const eventSeq = job.eventSeq + 1;
    const shown = { progress, stageProgress, estimatedCompletionSeconds, eventSeq };
    await ctx.db.patch("jobs", job._id, shown);
    await writeEvents(ctx, jobId, [
      {
        type: "progress",
        seq: eventSeq,
        at: now,
        progressPercentage: percentOf(progress),
        currentStage: job.status,
        estimatedCompletionSeconds: estimatedCompletionSeconds ?? null,
        stageProgress,
      },
    ]);
    await projectOnVideo(ctx, { ...job, ...shown }, now);
    return null;
  },
});
