// The ledger of jobs and tasks, for the pipeline. Each mutation loads what it is about, asks the
// state machine (model/machine/), and writes what that says in one transaction.
import { v } from "convex/values";
import type {
  CancelAnswer,
  ClaimAnswer,
  CommitAnswer,
  DeadLetterAnswer,
  FailAnswer,
  HeartbeatAnswer,
  ReleaseAnswer,
} from "#shared/contract/ledger.ts";
import { backendMutation, serviceMutation } from "./functions.ts";
import {
  attemptKey,
  cancelAnswer,
  claimAnswer,
  claimArgs,
  commitAnswer,
  commitArgs,
  createJobAnswer,
  createJobArgs,
  deadLetterAnswer,
  failAnswer,
  failArgs,
  heartbeatAnswer,
  releaseAnswer,
  releaseArgs,
  retryAnswer,
  stage,
  sweepAnswer,
  taskMessage,
} from "./model/contract.ts";
import { refuse } from "./model/access.ts";
import { writeChange } from "./model/change.ts";
import { createJob as create } from "./model/createJob.ts";
import { openDeliveries } from "./model/deliveries.ts";
import { policy } from "./model/env.ts";
import * as claims from "./model/machine/claim.ts";
import { checkFanOut, commit as settle } from "./model/machine/commit.ts";
import * as failures from "./model/machine/fail.ts";
import { heldBy, isTaken } from "./model/machine/hold.ts";
import { cancel as end } from "./model/machine/lifecycle.ts";
import { hasEnded } from "./model/machine/plan.ts";
import { releaseAll as giveBackAll } from "./model/releaseAll.ts";
import { retryJob } from "./model/retryJob.ts";
import { requestRollup } from "./model/rollup.ts";
import { loadJob, loadOwnJob, loadTask, messagesOf, writeTask } from "./model/store.ts";
import { sweepAll } from "./model/sweepAll.ts";
import { taskInput } from "./model/upstream.ts";
import { recordFacts } from "./model/video.ts";
import { viewOf } from "./model/view.ts";

/** Most that a task's summary may take, as JSON. */
const MAX_SUMMARY_BYTES = 16 * 1024;

export const createJob = serviceMutation({
  args: createJobArgs,
  returns: createJobAnswer,
  handler: create,
});

export const claim = serviceMutation({
  args: claimArgs,
  returns: claimAnswer,
  handler: async (ctx, request): Promise<ClaimAnswer> => {
    const { jobId, stage, index, workerId, mayHandOver = false, attempt: handed } = request;
    const now = Date.now();
    const job = await loadJob(ctx, jobId);
    const task = await loadTask(ctx, jobId, stage, index);
    const rules = policy();
    const claimer: claims.Claimer =
      handed === undefined ? { by: "function", mayHandOver } : { by: "job", attempt: handed };
    const result = claims.claim(job, task, now, rules, claimer);
    if (!job || !task) return { kind: result.kind === "canceled" ? "canceled" : "stale" };
    if (result.kind === "run" || result.kind === "hand_over") {
      const { attempt } = result;
      await writeChange(ctx, job, [task], result.change, now);
      if (workerId !== task.workerId) await ctx.db.patch("tasks", task._id, { workerId });
      if (result.kind === "hand_over") {
        return { kind: "hand_over", attempt, leaseMs: rules.handOverMs };
      }
      const input = await taskInput(ctx, job, stage, index);
      return { kind: "run", attempt, leaseMs: rules.leaseMs, input };
    }
    if (result.kind !== "done") return { kind: result.kind };
    if (result.change) {
      return { kind: "done", ...(await writeChange(ctx, job, [task], result.change, now)) };
    }
    const messages = messagesOf(jobId, result.released);
    return { kind: "done", messages, deliveryIds: await openDeliveries(ctx, jobId) };
  },
});

export const heartbeat = serviceMutation({
  args: { ...attemptKey, progress: v.number() },
  returns: heartbeatAnswer,
  handler: async (ctx, { jobId, stage, index, attempt, progress }): Promise<HeartbeatAnswer> => {
    const now = Date.now();
    const job = await loadJob(ctx, jobId);
    const row = await loadTask(ctx, jobId, stage, index);
    const held = heldBy(job, row, attempt);
    if (held.kind !== "ok" || !row)
      return { kind: held.kind === "canceled" ? "canceled" : "fenced" };
    const task = claims.heartbeat(held.task, progress, now, policy());
    await writeTask(ctx, row, task);
    if (task.progress > row.progress) await requestRollup(ctx, jobId, now);
    return { kind: "ok" };
  },
});

export const commit = serviceMutation({
  args: commitArgs,
  returns: commitAnswer,
  handler: async (ctx, request): Promise<CommitAnswer> => {
    const now = Date.now();
    const { jobId, stage, index, attempt, output, warnings, fanOut, urls, video } = request;
    checkOutput(request);
    const job = await loadJob(ctx, jobId);
    const task = await loadTask(ctx, jobId, stage, index);
    const input = { attempt, output, warnings, fanOut, urls };
    const result = settle(job, task, input, now, policy());
    if (result.kind === "repeated") {
      const messages = messagesOf(jobId, result.task.released);
      return { kind: "committed", messages, deliveryIds: await openDeliveries(ctx, jobId) };
    }
    if (!job || !task || result.kind !== "committed") {
      return { kind: result.kind === "canceled" ? "canceled" : "fenced" };
    }
    if (video) await recordFacts(ctx, job, video, now);
    const due = await writeChange(ctx, job, [task], result.change, now);
    await requestRollup(ctx, jobId, now);
    return { kind: "committed", ...due };
  },
});

/** What no pipeline of ours would send. @throws {ConvexError} `invalid_request` */
const checkOutput = (request: {
  output: { key: string; summary: unknown };
  fanOut?: Parameters<typeof checkFanOut>[0];
}): void => {
  const { key, summary } = request.output;
  if (!/^[0-9a-f]{64}$/.test(key)) throw refuse("invalid_request", "key must be a SHA-256 in hex.");
  if (new TextEncoder().encode(JSON.stringify(summary)).length > MAX_SUMMARY_BYTES) {
    throw refuse("invalid_request", `summary must not exceed ${MAX_SUMMARY_BYTES} bytes.`);
  }
  const wrong = checkFanOut(request.fanOut);
  if (wrong) throw refuse("invalid_request", `fanOut: ${wrong}.`);
};

export const fail = serviceMutation({
  args: failArgs,
  returns: failAnswer,
  handler: async (ctx, { jobId, stage, index, ...input }): Promise<FailAnswer> => {
    const now = Date.now();
    const job = await loadJob(ctx, jobId);
    const task = await loadTask(ctx, jobId, stage, index);
    const result = failures.fail(job, task, input, now, policy());
    if (!job || !task || result.kind === "fenced") return { kind: "fenced" };
    if (result.kind === "repeated") {
      if (result.answer === "retry") return { kind: "retry", delayMs: result.delayMs };
      const messages = messagesOf(jobId, result.released);
      return { kind: result.answer, messages, deliveryIds: await openDeliveries(ctx, jobId) };
    }
    const due = await writeChange(ctx, job, [task], result.change, now);
    if (result.kind === "retry") return { kind: "retry", delayMs: result.delayMs };
    await requestRollup(ctx, jobId, now);
    return { kind: result.kind, ...due };
  },
});

/** Gives the lease back without counting the attempt, as on SIGTERM. */
export const release = serviceMutation({
  args: releaseArgs,
  returns: releaseAnswer,
  handler: async (ctx, request): Promise<ReleaseAnswer> => {
    const { jobId, stage, index, attempt, unlessTaken = false } = request;
    const row = await loadTask(ctx, jobId, stage, index);
    const held = heldBy(await loadJob(ctx, jobId), row, attempt);
    if (held.kind !== "ok" || !row) return { kind: "fenced" };
    if (unlessTaken && isTaken(held.task)) return { kind: "fenced" };
    await writeTask(ctx, row, claims.release(held.task, Date.now(), policy()));
    return { kind: "released" };
  },
});

/** Gives back every lease, where no worker is left. @returns how many */
export const releaseAll = backendMutation({
  args: {},
  returns: v.number(),
  handler: (ctx) => giveBackAll(ctx, Date.now()),
});

/** Each minute: what got lost is published again. A batch at a time; call again while `more`. */
export const sweep = serviceMutation({
  args: {},
  returns: sweepAnswer,
  handler: (ctx) => sweepAll(ctx, Date.now()),
});

/** Pub/Sub has given up on a message. */
export const deadLetter = serviceMutation({
  args: taskMessage.fields,
  returns: deadLetterAnswer,
  handler: async (ctx, { jobId, stage, index }): Promise<DeadLetterAnswer> => {
    const now = Date.now();
    const job = await loadJob(ctx, jobId);
    const task = await loadTask(ctx, jobId, stage, index);
    const change = failures.deadLetter(job, task, now, policy());
    if (!change || !job || !task) return { kind: "ignored", messages: [], deliveryIds: [] };
    return { kind: "settled", ...(await writeChange(ctx, job, [task], change, now)) };
  },
});

export const cancel = serviceMutation({
  args: { jobId: v.string(), ownerId: v.string() },
  returns: cancelAnswer,
  handler: async (ctx, { jobId, ownerId }): Promise<CancelAnswer> => {
    const now = Date.now();
    const job = await loadOwnJob(ctx, jobId, ownerId);
    if (!job) return { kind: "not_found" };
    const change = hasEnded(job) ? null : end(job, now, policy());
    if (!change) return { kind: "ended", job: viewOf(job) };
    const due = await writeChange(ctx, job, [], change, now);
    return { kind: "canceled", job: viewOf((await loadJob(ctx, jobId)) ?? job), ...due };
  },
});

/** Runs an ended job again, from where it failed or from a stage it had reached. */
export const retry = serviceMutation({
  args: { jobId: v.string(), ownerId: v.string(), fromStage: v.optional(stage) },
  returns: retryAnswer,
  handler: (ctx, { jobId, ownerId, fromStage }) => retryJob(ctx, jobId, ownerId, fromStage),
});
