// Jobs as the HTTP API shows them: one, a list, and their events.
import { v } from "convex/values";
import { operatorQuery, serviceQuery } from "./functions.ts";
import { refuse } from "./model/access.ts";
import { jobEvent, jobList, jobView, oneOf, status } from "./model/contract.ts";
import { hasEnded } from "./model/machine/plan.ts";
import { loadJob, loadOwnJob } from "./model/store.ts";
import { viewOf } from "./model/view.ts";

const MAX_PAGE = 100;
const MAX_EVENTS = 500;

const pageSize = (limit: number, max: number): number => {
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw refuse("invalid_request", `limit must be a whole number from 1 to ${max}.`);
  }
  return limit;
};

/** The owner's job; null where there is none, or it is somebody else's. */
export const get = serviceQuery({
  args: { jobId: v.string(), ownerId: v.string() },
  returns: v.nullable(jobView),
  handler: async (ctx, { jobId, ownerId }) => {
    const job = await loadOwnJob(ctx, jobId, ownerId);
    return job && viewOf(job);
  },
});

/** Whether anybody's job may still write into its folder, for the collector. */
export const stateOf = operatorQuery({
  args: { jobId: v.string() },
  returns: oneOf(["running", "ended", "unknown"]),
  handler: async (ctx, { jobId }) => {
    const job = await loadJob(ctx, jobId);
    if (!job) return "unknown";
    return hasEnded(job) ? "ended" : "running";
  },
});

/** The owner's jobs, newest first. The cursor is the last job seen, so that new ones shift nothing. */
export const list = serviceQuery({
  args: {
    ownerId: v.string(),
    status: v.optional(status),
    cursor: v.optional(v.string()),
    limit: v.number(),
  },
  returns: jobList,
  handler: async (ctx, { ownerId, status, cursor, limit }) => {
    const size = pageSize(limit, MAX_PAGE);
    // Above every identifier.
    const before = cursor ?? "~";
    const jobs = ctx.db.query("jobs");
    const found =
      status === undefined
        ? jobs.withIndex("by_owner_and_job_id", (q) => q.eq("ownerId", ownerId).lt("jobId", before))
        : jobs.withIndex("by_owner_and_status_and_job_id", (q) =>
            q.eq("ownerId", ownerId).eq("status", status).lt("jobId", before),
          );
    const page = await found.order("desc").take(size + 1);
    const shown = page.slice(0, size);
    return {
      jobs: shown.filter((job) => job.deletingAt === undefined).map(viewOf),
      nextCursor: page.length > size ? (shown.at(-1)?.jobId ?? null) : null,
    };
  },
});

/** The events after `afterSeq`, oldest first; null where the owner has no such job. */
export const events = serviceQuery({
  args: { jobId: v.string(), ownerId: v.string(), afterSeq: v.number(), limit: v.number() },
  returns: v.nullable(v.array(jobEvent)),
  handler: async (ctx, { jobId, ownerId, afterSeq, limit }) => {
    const size = pageSize(limit, MAX_EVENTS);
    if (!(await loadOwnJob(ctx, jobId, ownerId))) return null;
    const rows = await ctx.db
      .query("jobEvents")
      .withIndex("by_job_id_and_seq", (q) => q.eq("jobId", jobId).gt("seq", afterSeq))
      .take(size);
    return rows.map((row) => row.event);
  },
});
