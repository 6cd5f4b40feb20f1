// The process of a Cloud Run job: runs the one task that its execution was told, with the code and
// the dependencies that the stage's function has, and ends. Cloud Run retries nothing here; the
// ledger does. Exit status 0: the task is settled, or there was nothing to run; 1: it is due again,
// or nothing is known of it and its lease runs out.
import { loadConfig } from "#shared/cloud/config.ts";
import { TASK_VARIABLE } from "#shared/cloud/taskJobs.ts";
import { HandedOverTask } from "#shared/contract/messages.ts";
import { describeError } from "#shared/contract/errors.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { runHandedOver } from "#shared/pipeline/runTask.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import { functionSpec } from "./catalog.ts";
import { type Overrides, type Runtime, createRuntime } from "./runtime.ts";
import { abortOnSignal } from "./signals.ts";
import { STAGE_LOADERS } from "./stages.ts";
import { taskDeps } from "./task.ts";

/**
 * @returns the exit status
 * @throws what the ledger or the publisher throws; then nothing was settled
 */
export const runTaskOnce = async (
  task: HandedOverTask,
  definition: StageDefinition,
  runtime: Runtime,
): Promise<0 | 1> => {
  const outcome = await runHandedOver(task, definition, taskDeps(runtime));
  if (outcome === "ack") return 0;
  // Nobody delivers it again: its message was acknowledged when this was started.
  const { attempt: _, ...message } = task;
  await runtime.publishDue([message], []);
  return 1;
};

/** @throws {Error} where the environment is not good, or names no task of this job's stage */
const runJob = async (
  overrides: Omit<Overrides, "isJob">,
  shutdown: AbortSignal,
): Promise<0 | 1> => {
  const env = overrides.env ?? process.env;
  const config = loadConfig(env);
  const task = HandedOverTask.parse(JSON.parse(env[TASK_VARIABLE] ?? "null"));
  const { stage } = task;
  if (env["FUNCTION_TARGET"] !== stage) {
    throw new Error(`This is the job of ${env["FUNCTION_TARGET"]}, and the task is of ${stage}.`);
  }
  const runtime = createRuntime(functionSpec(stage), config, shutdown, {
    ...overrides,
    isJob: true,
  });
  const { define } = await STAGE_LOADERS[stage]();
  return runTaskOnce(task, define(runtime), runtime);
};

/** Runs the task and ends the process. */
export const main = async (overrides: Omit<Overrides, "isJob"> = {}): Promise<never> => {
  const shutdown = new AbortController();
  abortOnSignal(shutdown);
  try {
    process.exit(await runJob(overrides, shutdown.signal));
  } catch (error) {
    createLog().error("job not settled", { error: describeError(error) });
    process.exit(1);
  }
};

if (import.meta.main) await main();
