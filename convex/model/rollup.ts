// One roll-up per job carries its tasks' progress to what pages see, at most once a second.
import type { Doc } from "../_generated/dataModel.js";
import { internal } from "../_generated/api.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";

/** Between two roll-ups of a job. */
const EVERY_MS = 1000;
/** A roll-up that is so late was lost. */
const LOST_MS = 10_000;

export const loadRollup = (ctx: QueryCtx, jobId: string): Promise<Doc<"rollups"> | null> =>
  ctx.db
    .query("rollups")
    .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
    .unique();

/** A job begins to run. */
export const startRollups = async (
  ctx: MutationCtx,
  job: Pick<Doc<"jobs">, "jobId" | "progress">,
  now: number,
): Promise<void> => {
  await stopRollups(ctx, job.jobId);
  await ctx.db.insert("rollups", {
    jobId: job.jobId,
    ranAt: 0,
    pace: { at: now, fraction: job.progress },
  });
};

export const stopRollups = async (ctx: MutationCtx, jobId: string): Promise<void> => {
  const row = await loadRollup(ctx, jobId);
  if (row) await ctx.db.delete("rollups", row._id);
};

/** Something moved: have it rolled up soon, unless that is on its way. */
export const requestRollup = async (
  ctx: MutationCtx,
  jobId: string,
  now: number,
): Promise<void> => {
  const row = await loadRollup(ctx, jobId);
  if (!row) return;
  if (row.scheduledFor !== undefined && row.scheduledFor > now - LOST_MS) return;
  const delayMs = Math.max(0, row.ranAt + EVERY_MS - now);
  await ctx.db.patch("rollups", row._id, { scheduledFor: now + delayMs });
  await ctx.scheduler.runAfter(delayMs, internal.rollups.run, { jobId });
};
