// How much time and room a task has: what its function has, or what the stage's Cloud Run job has.
import type { Config } from "#shared/cloud/config.ts";
import type { Ffmpeg } from "#shared/media/ffmpeg.ts";
import type { FunctionSpec } from "./catalog.ts";

export interface Room {
  /** The task is given up after this, so that it can still say why. */
  taskTimeoutMs: number;
  /** Bytes that its files may take. */
  scratchBytes: number;
  /** Of ffmpeg and whisper; absent: their own defaults, which fit a function. */
  child?: NonNullable<Ffmpeg["limits"]>;
}

const MIB = 1024 ** 2;

/** Between the end of the task and that of its Cloud Run job. */
const RESERVE_SEC = 120;

/** @throws {Error} for the job of a function that has none */
export const roomOf = (
  spec: FunctionSpec,
  { taskTimeoutSec }: Pick<Config, "taskTimeoutSec">,
  isJob: boolean,
): Room => {
  // Files lie in memory on Cloud Run; the other half is for what works on them.
  const half = (memoryMiB: number): number => (memoryMiB / 2) * MIB;
  if (!isJob) {
    return { taskTimeoutMs: taskTimeoutSec * 1000, scratchBytes: half(spec.memoryMiB) };
  }
  if (!spec.job) throw new Error(`The function "${spec.name}" has no Cloud Run job.`);
  const taskTimeoutMs = (spec.job.timeoutSec - RESERVE_SEC) * 1000;
  const scratchBytes = half(spec.job.memoryMiB);
  return {
    taskTimeoutMs,
    scratchBytes,
    child: { timeoutMs: taskTimeoutMs, memoryBytes: scratchBytes },
  };
};
