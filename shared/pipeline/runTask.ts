// Runs one task of the ledger: claim, find or make the result, commit, publish what became due.
// Nothing is acknowledged before the ledger knows, so a crash anywhere is healed by redelivery.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectStore } from "../cloud/objectStore.ts";
import { StageError, describeError, toErrorRecord } from "../contract/errors.ts";
import type { ClaimAnswer, OutputRef, TaskInput } from "../contract/ledger.ts";
import type { HandedOverTask, TaskMessage } from "../contract/messages.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { stageKey } from "./key.ts";
import type { Claimed, TaskLedger } from "./ledger.ts";
import type { Log } from "./log.ts";
import { type Done, findDone, storeResult } from "./results.ts";
import type { StageDefinition } from "./stage.ts";

export interface TaskDeps {
  ledger: TaskLedger;
  store: ObjectStore;
  publish(messages: TaskMessage[], deliveryIds: string[]): Promise<void>;
  log: Log;
  /** Folder under which each task gets its own. */
  scratchRoot: string;
  /** Bytes that a task's folder may hold; on Cloud Run files take memory. */
  scratchBytes: number;
  taskTimeoutMs: number;
  /** Starts the stage's Cloud Run job; absent where there is none: the task is then run here. */
  startJob?: ((task: HandedOverTask) => Promise<void>) | undefined;
  /** Aborted on SIGTERM: the lease is given back. */
  shutdown: AbortSignal;
}

/** `ack`: the message is settled. `nack`: Pub/Sub shall deliver it again. */
export type TaskOutcome = "ack" | "nack";

/** Why a running task was stopped; the reason of its abort signal. */
export type StopReason = "shutdown" | "fenced" | "canceled";

/**
 * @throws what the ledger or the publisher throws: then nothing was settled, and the message
 * must not be acknowledged
 */
export const runTask = async (
  message: TaskMessage,
  definition: StageDefinition,
  deps: TaskDeps,
): Promise<TaskOutcome> => {
  const { jobId, stage, index } = message;
  const { startJob } = deps;
  const mayHandOver = startJob !== undefined;
  const claim = await deps.ledger.claim({ jobId, stage, index, mayHandOver });
  if (claim.kind !== "hand_over") return settle(claim, definition, deps);
  const task: HandedOverTask = { v: 1, jobId, stage, index, attempt: claim.attempt };
  return handOver(task, startJob, deps);
};

/**
 * Runs, in the process of a Cloud Run job, a task that was handed over to it. An attempt that is not
 * the task's any more, or that another execution has, is settled.
 * @throws as `runTask`
 */
export const runHandedOver = async (
  { jobId, stage, index, attempt }: HandedOverTask,
  definition: StageDefinition,
  deps: TaskDeps,
): Promise<TaskOutcome> => {
  const claim = await deps.ledger.claim({ jobId, stage, index, attempt });
  if (claim.kind !== "run") {
    deps.log.info("nothing to run", { jobId, stage, index, attempt, reason: claim.kind });
  }
  return settle(claim, definition, deps);
};

/**
 * Where the job cannot be started, the attempt is given back and the message comes again. An answer
 * may be lost of an execution that is at work by now: then it is left to that.
 */
const handOver = async (
  task: HandedOverTask,
  startJob: TaskDeps["startJob"],
  deps: TaskDeps,
): Promise<TaskOutcome> => {
  const { v: _, ...claimed } = task;
  try {
    if (!startJob) throw new Error("There is no Cloud Run job to start.");
    await startJob(task);
    deps.log.info("handed over to a Cloud Run job", claimed);
    return "ack";
  } catch (error) {
    deps.log.error("Cloud Run job not started", { ...claimed, error: describeError(error) });
    const { kind } = await deps.ledger.release({ ...claimed, unlessTaken: true });
    return kind === "released" ? "nack" : "ack";
  }
};

const settle = async (
  claim: ClaimAnswer,
  definition: StageDefinition,
  deps: TaskDeps,
): Promise<TaskOutcome> => {
  switch (claim.kind) {
    case "done":
      await deps.publish(claim.messages, claim.deliveryIds);
      return "ack";
    case "busy":
    case "stale":
    case "canceled":
      return "ack";
    case "hand_over":
      throw new Error("The attempt of a Cloud Run job was handed over again.");
    case "run":
      return runClaimed(definition, claim.input, claim, deps);
  }
};

const runClaimed = async (
  definition: StageDefinition,
  input: TaskInput,
  claim: { attempt: number; leaseMs: number },
  deps: TaskDeps,
): Promise<TaskOutcome> => {
  const { jobId, stage, index } = input;
  const task: Claimed = { jobId, stage, index, attempt: claim.attempt };
  const log = deps.log.with({ jobId, stage, index, attempt: claim.attempt });
  const startedMs = performance.now();
  const made = await withHeartbeat(task, claim.leaseMs, deps, async (signal, progress) => {
    const begun = sayBegun(definition, input, log);
    const { key, done, hit } = await findOrMake(definition, input, deps, signal, progress);
    const output: OutputRef = { key, summary: done.summary };
    const madeMs = performance.now();
    await begun;
    // A found result as well: whoever has been overtaken says nothing any more.
    signal.throwIfAborted();
    await definition.record?.(input, output, claim.attempt);
    const recordMs = Math.round(performance.now() - madeMs);
    const urls = await definition.urls?.(input, output);
    log.info(hit ? "result found" : "result made", {
      key,
      durationMs: Math.round(performance.now() - startedMs),
      recordMs,
    });
    return { output, done, urls };
  });

  switch (made.kind) {
    case "stopped":
      log.info("stopped", { reason: made.reason });
      if (made.reason !== "shutdown") return "ack";
      await deps.ledger.release(task);
      return "nack";
    case "failed": {
      // Not the task's fault, and nothing is lost: the result will be found by its key.
      if (isLedgerAway(made.error)) throw made.error;
      const { code, message, details } = toErrorRecord(made.error);
      log.error("failed", { code, details });
      const retryAfterSec = made.error instanceof StageError ? made.error.retryAfterSec : undefined;
      const answer = await deps.ledger.fail({ ...task, code, message, details, retryAfterSec });
      if (answer.kind === "retry") return "nack";
      if (answer.kind !== "fenced") await deps.publish(answer.messages, answer.deliveryIds);
      return "ack";
    }
    case "made": {
      const { output, done, urls } = made.value;
      const { warnings, fanOut, video } = done;
      const answer = await deps.ledger.commit({ ...task, output, warnings, fanOut, video, urls });
      if (answer.kind === "committed") await deps.publish(answer.messages, answer.deliveryIds);
      else log.info("commit refused", { reason: answer.kind });
      return "ack";
    }
  }
};

const isLedgerAway = (error: unknown): boolean =>
  error instanceof StageError && error.code === "ledger_unavailable";

const sayBegun = async (definition: StageDefinition, input: TaskInput, log: Log): Promise<void> => {
  try {
    await definition.begin?.(input);
  } catch (error) {
    log.warn("beginning not recorded", { error: describeError(error) });
  }
};

const findOrMake = async (
  definition: StageDefinition,
  input: TaskInput,
  deps: TaskDeps,
  signal: AbortSignal,
  progress: (fraction: number) => void,
): Promise<{ key: string; done: Done; hit: boolean }> => {
  const { stage, version } = definition;
  const key = stageKey(stage, version, await definition.inputs(input));
  const found = await findDone(deps.store, stage, key);
  if (found && ((await definition.isWhole?.(input, found.summary)) ?? true))
    return { key, done: found, hit: true };
  const scratchDir = await mkdtemp(join(deps.scratchRoot, `klipstream-${stage}-`));
  try {
    // Who listens for the signal from here on would not hear that it was given before.
    signal.throwIfAborted();
    const result = await definition.run(input, {
      signal,
      scratchDir,
      scratchBytes: deps.scratchBytes,
      progress,
    });
    signal.throwIfAborted();
    return { key, done: await storeResult(deps.store, stage, key, result, signal), hit: false };
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
};
