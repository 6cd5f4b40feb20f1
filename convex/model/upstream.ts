// What a claimed task is given of the stages before it: exactly what its stage works on.
import type { OutputRef, TaskInput } from "#shared/contract/ledger.ts";
import type { Stage } from "#shared/contract/stages.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { loadStage, loadTask } from "./store.ts";

/** Stages whose every output a stage is given. */
const NEEDS: Record<Stage, readonly Stage[]> = {
  ingest: [],
  media: ["ingest"],
  chat: ["ingest"],
  transcribe: ["ingest"],
  analyze: ["ingest", "media", "transcribe", "chat"],
  highlights: ["ingest", "analyze"],
  clips: ["ingest", "analyze", "highlights"],
  finish: ["ingest", "analyze", "highlights", "clips"],
};

type Outputs = (OutputRef | null)[];

const outputsOf = async (ctx: QueryCtx, job: Doc<"jobs">, stage: Stage): Promise<Outputs> => {
  const outputs: Outputs = Array.from({ length: job.total[stage] ?? 0 }, () => null);
  for (const task of await loadStage(ctx, job.jobId, stage)) {
    outputs[task.index] = task.output ?? null;
  }
  return outputs;
};

/** As many places as there are media, only the transcribed one filled. */
const mediaOf = async (ctx: QueryCtx, job: Doc<"jobs">, index: number): Promise<Outputs> => {
  const task = await loadTask(ctx, job.jobId, "media", index);
  return Array.from({ length: job.total.media ?? 0 }, (_, i) =>
    i === index ? (task?.output ?? null) : null,
  );
};

export const taskInput = async (
  ctx: QueryCtx,
  job: Doc<"jobs">,
  stage: Stage,
  index: number,
): Promise<TaskInput> => {
  const upstream: TaskInput["upstream"] = {};
  for (const needed of NEEDS[stage]) upstream[needed] = await outputsOf(ctx, job, needed);
  if (stage === "transcribe") upstream.media = await mediaOf(ctx, job, index);
  return {
    jobId: job.jobId,
    videoId: job.videoId,
    ownerId: job.ownerId,
    url: job.url,
    options: job.options,
    stage,
    index,
    retryCount: job.retryCount,
    startedAt: job.startedAt ?? job._creationTime,
    upstream,
    warnings: job.warnings,
  };
};
