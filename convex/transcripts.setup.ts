// The pipeline publishing a transcript of Ada's video, and Ada who reads it.
import { vi } from "vitest";
import type { TaskMessage } from "#shared/contract/messages.ts";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { type Backend, claimRun, createJob, resultOf, runTask } from "./testing.setup.ts";

const PLAN = { media: 1, chat: 0, transcribe: 1, clips: 0 };

/** Two generations. */
export const A = "a".repeat(64);
export const B = "b".repeat(64);

export const pieces = (...texts: string[]) =>
  texts.map((text, i) => ({ startSec: 60 * i, endSec: 60 * i + 58, text }));
export const TALK = pieces("welcome everybody", "about leases", "and goodbye");

/** The run of a task that publishes. */
export type Task = Pick<TaskMessage, "jobId" | "stage" | "index"> & { attempt: number };

/** What the pipeline calls, in the test's backend. */
export const pipelineAt = (backend: () => Backend) => {
  /** A job whose last stage runs, as the task that publishes. */
  const atFinish = async (over: Parameters<typeof createJob>[1] = {}) => {
    const { job, messages } = await createJob(backend(), over);
    const queue = [...messages];
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { jobId, stage, index } = next;
      if (stage === "finish") {
        const { attempt } = await claimRun(backend(), next);
        const videoId = job.videoId as Id<"videos">;
        return { task: { jobId, stage, index, attempt }, videoId, message: next };
      }
      queue.push(...(await runTask(backend(), next, resultOf(PLAN, stage))).messages);
    }
    throw new Error("no finish");
  };

  const begin = (task: Task, generation: string) =>
    backend().service.mutation(api.transcripts.beginTranscript, { ...task, generation });
  const append = (task: Task, generation: string, first: number, some: typeof TALK) =>
    backend().service.mutation(api.transcripts.appendTranscript, {
      ...task,
      generation,
      first,
      pieces: some,
    });
  const activate = (task: Task, generation: string, count: number) =>
    backend().service.mutation(api.transcripts.activateTranscript, {
      ...task,
      generation,
      count,
      language: "en",
    });
  const publish = async (task: Task, generation = A, some = TALK) => {
    await begin(task, generation);
    await append(task, generation, 0, some);
    return activate(task, generation, some.length);
  };

  return { atFinish, begin, append, activate, publish };
};

/** What Ada sees in the test's backend, and what is in it. */
export const readersAt = (backend: () => Backend) => {
  const ada = () => backend().user("ada");
  const settle = () => backend().nobody.finishAllScheduledFunctions(vi.runAllTimers);

  const search = (query: string, over: { videoId?: Id<"videos">; limit?: number } = {}) =>
    ada().query(api.transcripts.searchTranscripts, { query, ...over });
  const read = async (videoId: Id<"videos">, numItems = 10) =>
    (
      await ada().query(api.transcripts.getTranscript, {
        videoId,
        paginationOpts: { numItems, cursor: null },
      })
    ).page.map(({ text }) => text);
  const cues = () => backend().nobody.run((ctx) => ctx.db.query("transcriptCues").take(1000));

  return { ada, settle, search, read, cues };
};
