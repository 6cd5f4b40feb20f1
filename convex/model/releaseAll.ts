// For whoever knows that no worker is left, as after the machine that ran them all went down: nothing
// has to wait until its lease runs out. A worker that lives all the same is fenced as ever, since a
// lease that was given back is claimed under another attempt.
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";
import { policy } from "./env.ts";
import { release } from "./machine/claim.ts";
import { heldBy } from "./machine/hold.ts";
import { loadJob, writeTask } from "./store.ts";

/** More than are at work at once; what is beyond waits for its lease. */
const MOST = 2_000;

/**
 * Gives back every lease without counting the attempt, so that the next sweep publishes the task.
 * @returns how many
 */
export const releaseAll = async (ctx: MutationCtx, now: number): Promise<number> => {
  // Every task that is not settled has a time to be looked at.
  const rows = await ctx.db
    .query("tasks")
    .withIndex("by_sweep_at", (q) => q.gt("sweepAt", 0))
    .take(MOST);
  const jobs = new Map<string, Doc<"jobs"> | null>();
  let released = 0;
  for (const row of rows) {
    const { jobId } = row;
    if (!jobs.has(jobId)) jobs.set(jobId, await loadJob(ctx, jobId));
    const held = heldBy(jobs.get(jobId) ?? null, row, row.attempt);
    if (held.kind !== "ok") continue;
    await writeTask(ctx, row, { ...release(held.task, now, policy()), sweepAt: now });
    released += 1;
  }
  return released;
};
