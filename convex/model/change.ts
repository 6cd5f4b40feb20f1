// Writes what a transition says, and what follows from it: roll-ups, webhooks, notes and quiz, whose
// turn is next.
import type { Due } from "#shared/contract/ledger.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";
import { admitNext } from "./admission.ts";
import { failClip, settleAssets } from "./assets/settle.ts";
import { createDelivery } from "./deliveries.ts";
import { studyAfterJob } from "./library/study.ts";
import { hasEnded } from "./machine/plan.ts";
import type { Change } from "./machine/state.ts";
import { startRollups, stopRollups } from "./rollup.ts";
import {
  insertTask,
  jobFields,
  messagesOf,
  projectOnVideo,
  writeEvents,
  writeTask,
} from "./store.ts";

/**
 * Writes a change of a job that is there, and what follows from a job's end: its webhook, notes and
 * quiz, and the jobs that start in its place.
 * @param rows the tasks the change is about, as they were loaded
 * @returns what to publish
 */
export const writeChange = async (
  ctx: MutationCtx,
  before: Doc<"jobs">,
  rows: readonly Doc<"tasks">[],
  change: Change,
  now: number,
): Promise<Due> => {
  const { jobId } = before;
  const shown = change.job.status !== before.status || change.job.retryCount !== before.retryCount;
  const ended = hasEnded(change.job) && !hasEnded(before);
  if (change.job !== before) await ctx.db.patch("jobs", before._id, jobFields(change.job));
  await writeEvents(ctx, jobId, change.events);
  const after: Doc<"jobs"> = { ...before, ...jobFields(change.job) };
  if (shown) await projectOnVideo(ctx, after, now);

  const deliveryIds: string[] = [];
  const due = [...change.due];
  if (ended) {
    await stopRollups(ctx, jobId);
    await settleAssets(ctx, after, now);
    if (after.status === "Completed") await studyAfterJob(ctx, after, now);
    const deliveryId = await createDelivery(ctx, after, now);
    if (deliveryId) deliveryIds.push(deliveryId);
    due.push(...(await admitNext(ctx, before.ownerId, now)));
  } else if (change.job.admission === "running" && before.admission !== "running") {
    await startRollups(ctx, after, now);
  }

  for (const task of change.tasks) {
    const row = rows.find((r) => r.stage === task.stage && r.index === task.index);
    if (!row) throw new Error(`The task ${task.stage} ${task.index} was changed but not loaded.`);
    const settled = task.state === "done" || task.state === "degraded" || task.state === "failed";
    // Whoever settles the last task may die before it has published the jobs that start in turn.
    await writeTask(ctx, row, ended && settled ? { ...task, released: due } : task);
    if (task.stage === "clips" && task.state === "degraded" && task.failure) {
      await failClip(ctx, after, task.index, task.failure.message, now);
    }
  }
  for (const task of change.added) await insertTask(ctx, jobId, task);
  return { messages: messagesOf(jobId, due), deliveryIds };
};
