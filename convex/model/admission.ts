// The gate before the running jobs. Of each owner at most so many stand at it or run, the others
// are held back; of those that stand at it the oldest comes first. So nothing is ever scanned to
// find whose turn it is.
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { limits, policy } from "./env.ts";
import { admit } from "./machine/lifecycle.ts";
import { isSettled } from "./machine/hold.ts";
import type { Admission, TaskRange } from "./machine/state.ts";
import { startRollups } from "./rollup.ts";
import { jobFields, loadTasks, projectOnVideo, writeEvents, writeTask } from "./store.ts";

/**
 * Whether the owner may have one more job at the gate or behind it. Both are asked for at once: of
 * the words for where a job stands, `running` and `waiting` alone sort after `held`.
 */
const ownerHasRoom = async (ctx: QueryCtx, ownerId: string): Promise<boolean> => {
  const { runningPerOwner } = limits();
  const jobs = await ctx.db
    .query("jobs")
    .withIndex("by_owner_and_admission_and_queued_at", (q) =>
      q.eq("ownerId", ownerId).gt("admission", "held"),
    )
    .take(runningPerOwner);
  return jobs.length < runningPerOwner;
};

/** Whether as many jobs of the owner are held back as may be. */
const ownerIsFull = async (ctx: QueryCtx, ownerId: string): Promise<boolean> => {
  const { waitingPerOwner } = limits();
  const jobs = await ctx.db
    .query("jobs")
    .withIndex("by_owner_and_admission_and_queued_at", (q) =>
      q.eq("ownerId", ownerId).eq("admission", "held"),
    )
    .take(waitingPerOwner);
  return jobs.length >= waitingPerOwner;
};

const isFull = async (ctx: QueryCtx): Promise<boolean> => {
  const { running } = limits();
  const jobs = await ctx.db
    .query("jobs")
    .withIndex("by_admission_and_queued_at", (q) => q.eq("admission", "running"))
    .take(running);
  return jobs.length >= running;
};

const oldestWaiting = (ctx: QueryCtx): Promise<Doc<"jobs"> | null> =>
  ctx.db
    .query("jobs")
    .withIndex("by_admission_and_queued_at", (q) => q.eq("admission", "waiting"))
    .first();

/** Where a job that is new, or retried, begins; `refused` where too many of its owner wait already. */
export const placeFor = async (ctx: QueryCtx, ownerId: string): Promise<Admission | "refused"> => {
  if (await ownerHasRoom(ctx, ownerId)) {
    // Where one waits already, whether there is a place is nobody's question but its own.
    return (await oldestWaiting(ctx)) || (await isFull(ctx)) ? "waiting" : "running";
  }
  return (await ownerIsFull(ctx, ownerId)) ? "refused" : "held";
};

/** Lets the owner's oldest held job up to the gate, where there is room for it. */
const unhold = async (ctx: MutationCtx, ownerId: string): Promise<void> => {
  if (!(await ownerHasRoom(ctx, ownerId))) return;
  const held = await ctx.db
    .query("jobs")
    .withIndex("by_owner_and_admission_and_queued_at", (q) =>
      q.eq("ownerId", ownerId).eq("admission", "held"),
    )
    .first();
  if (held) await ctx.db.patch("jobs", held._id, { admission: "waiting" });
};

/**
 * Starts what may start after a job of this owner has ended.
 * @returns the tasks to publish, each with its job
 */
export const admitNext = async (
  ctx: MutationCtx,
  ownerId: string,
  now: number,
): Promise<TaskRange[]> => {
  await unhold(ctx, ownerId);
  return admitWaiting(ctx, now);
};

/** How many jobs one transaction starts. */
const ADMIT_AT_ONCE = 4;

/** Starts waiting jobs, oldest first, while there is room. */
export const admitWaiting = async (ctx: MutationCtx, now: number): Promise<TaskRange[]> => {
  const due: TaskRange[] = [];
  for (let i = 0; i < ADMIT_AT_ONCE; i += 1) {
    if (await isFull(ctx)) break;
    const job = await oldestWaiting(ctx);
    if (!job) break;
    due.push(...(await start(ctx, job, now)));
  }
  return due;
};

const start = async (ctx: MutationCtx, job: Doc<"jobs">, now: number): Promise<TaskRange[]> => {
  const rows = (await loadTasks(ctx, job.jobId)).filter((task) => !isSettled(task));
  const change = admit(job, rows, now, policy());
  const after = { ...job, ...jobFields(change.job) };
  await ctx.db.patch("jobs", job._id, jobFields(change.job));
  await writeEvents(ctx, job.jobId, change.events);
  await projectOnVideo(ctx, after, now);
  await startRollups(ctx, after, now);
  for (const [i, task] of change.tasks.entries()) {
    const row = rows[i];
    if (row) await writeTask(ctx, row, task);
  }
  return change.due.map((range) => ({ ...range, jobId: job.jobId }));
};

/** How many held jobs sweep looks at. */
const HELD_AT_ONCE = 20;

/** For sweep: takes up limits that were raised since. */
export const readmit = async (ctx: MutationCtx, now: number): Promise<TaskRange[]> => {
  const held = await ctx.db
    .query("jobs")
    .withIndex("by_admission_and_queued_at", (q) => q.eq("admission", "held"))
    .take(HELD_AT_ONCE);
  for (const ownerId of new Set(held.map((job) => job.ownerId))) await unhold(ctx, ownerId);
  return admitWaiting(ctx, now);
};
