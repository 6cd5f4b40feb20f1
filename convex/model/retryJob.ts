// An explicit retry of an ended job: rolled back by the machine, and to the gate again.
import type { RetryAnswer } from "#shared/contract/ledger.ts";
import type { Stage } from "#shared/contract/stages.ts";
import type { MutationCtx } from "../_generated/server.js";
import { placeFor } from "./admission.ts";
import { writeChange } from "./change.ts";
import { policy } from "./env.ts";
import { loadVideo } from "./library/gate.ts";
import { patchVideo } from "./library/status.ts";
import { retry } from "./machine/lifecycle.ts";
import { hasEnded } from "./machine/plan.ts";
import { loadJob, loadOwnJob, loadTasks } from "./store.ts";
import { viewOf } from "./view.ts";

export const retryJob = async (
  ctx: MutationCtx,
  jobId: string,
  ownerId: string,
  fromStage: Stage | undefined,
): Promise<RetryAnswer> => {
  const now = Date.now();
  const job = await loadOwnJob(ctx, jobId, ownerId);
  if (!job) return { kind: "not_found" };
  const video = await loadVideo(ctx, job.videoId);
  if (!video) return { kind: "not_found" };
  if (!hasEnded(job)) return { kind: "not_ended", job: viewOf(job) };
  const place = await placeFor(ctx, ownerId);
  if (place === "refused") return { kind: "too_many_jobs" };
  const tasks = await loadTasks(ctx, jobId);
  const rollback = retry(job, tasks, fromStage, place, now, policy());
  if (!rollback) return { kind: "not_reached" };

  const gone = new Set(rollback.removed.map(({ stage, index }) => `${stage} ${index}`));
  for (const task of tasks) {
    if (gone.has(`${task.stage} ${task.index}`)) await ctx.db.delete("tasks", task._id);
  }
  // Whichever job of the video ran last is the one its row shows.
  await patchVideo(ctx, video, { jobId });
  await ctx.db.patch("jobs", job._id, { queuedAt: now });
  const due = await writeChange(ctx, job, tasks, rollback.change, now);
  return { kind: "retried", job: viewOf((await loadJob(ctx, jobId)) ?? job), ...due };
};
