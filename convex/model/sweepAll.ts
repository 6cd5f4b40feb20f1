// One batch of sweep: leases that ran out, tasks and webhooks nobody claimed, places that are free.
// Everything is found by an index on when to look, so that the work is in what is due, not in tables.
import type { Due, SweepAnswer } from "#shared/contract/ledger.ts";
import type { MutationCtx } from "../_generated/server.js";
import { readmit } from "./admission.ts";
import { writeChange } from "./change.ts";
import { policy } from "./env.ts";
import { sweep } from "./machine/sweep.ts";
import { loadJob, messagesOf, writeTask } from "./store.ts";

const TASKS_AT_ONCE = 100;
const DELIVERIES_AT_ONCE = 100;

const sweepTasks = async (ctx: MutationCtx, now: number): Promise<SweepAnswer> => {
  const rules = policy();
  const rows = await ctx.db
    .query("tasks")
    .withIndex("by_sweep_at", (q) => q.gt("sweepAt", 0).lte("sweepAt", now))
    .take(TASKS_AT_ONCE);
  const answer: SweepAnswer = { messages: [], deliveryIds: [], more: rows.length >= TASKS_AT_ONCE };
  for (const row of rows) {
    const job = await loadJob(ctx, row.jobId);
    const result = sweep(job, row, now, rules);
    switch (result.kind) {
      case "publish":
        await writeTask(ctx, row, result.task);
        answer.messages.push({ v: 1, jobId: row.jobId, stage: row.stage, index: row.index });
        break;
      case "rest":
        await writeTask(ctx, row, result.task);
        break;
      case "exhausted":
        if (!job) break;
        add(answer, await writeChange(ctx, job, [row], result.change, now));
        break;
    }
  }
  return answer;
};

const add = (answer: Due, more: Due): void => {
  answer.messages.push(...more.messages);
  answer.deliveryIds.push(...more.deliveryIds);
};

const sweepDeliveries = async (ctx: MutationCtx, now: number): Promise<SweepAnswer> => {
  const { sweepAgainMs } = policy();
  const rows = await ctx.db
    .query("webhookDeliveries")
    .withIndex("by_sweep_at", (q) => q.gt("sweepAt", 0).lte("sweepAt", now))
    .take(DELIVERIES_AT_ONCE);
  for (const row of rows) {
    await ctx.db.patch("webhookDeliveries", row._id, { sweepAt: now + sweepAgainMs });
  }
  const deliveryIds = rows.map((row) => row.deliveryId);
  return { messages: [], deliveryIds, more: rows.length >= DELIVERIES_AT_ONCE };
};

export const sweepAll = async (ctx: MutationCtx, now: number): Promise<SweepAnswer> => {
  const answer = await sweepTasks(ctx, now);
  const deliveries = await sweepDeliveries(ctx, now);
  add(answer, deliveries);
  answer.messages.push(...messagesOf("", await readmit(ctx, now)));
  return { ...answer, more: answer.more || deliveries.more };
};
