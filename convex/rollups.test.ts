// Progress on its way to the pages: one roll-up a job, once a second, only when it is worth it.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import {
  type Backend,
  claimRun,
  createBackend,
  createJob,
  ownerIdOf,
  resultOf,
  runAll,
  runTask,
  standInEnvironment,
} from "./testing.setup.ts";

const ownerId = ownerIdOf("ada");
const PLAN = { media: 2, chat: 0, transcribe: 0, clips: 0 };
let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

const settleScheduled = () => backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
const scheduled = () =>
  backend.nobody.run((ctx) => ctx.db.system.query("_scheduled_functions").take(100));
const progressEvents = async (jobId: string) =>
  (
    (await backend.service.query(api.jobs.events, { jobId, ownerId, afterSeq: 0, limit: 500 })) ??
    []
  ).filter((event) => event.type === "progress");
const get = (jobId: string) => backend.service.query(api.jobs.get, { jobId, ownerId });

/** A job whose first media task is running. */
const running = async () => {
  const { job, messages } = await createJob(backend);
  const { messages: due } = await runTask(backend, messages[0]!, resultOf(PLAN, "ingest"));
  await settleScheduled();
  const { attempt } = await claimRun(backend, due[0]!);
  const beat = (progress: number) =>
    backend.service.mutation(api.ledger.heartbeat, {
      ...({ jobId: job.jobId, stage: "media", index: 0, attempt } as const),
      progress,
    });
  return { jobId: job.jobId, beat, due };
};

describe("roll-ups", () => {
  it("carry a running task's progress to the job, its video and its events", async () => {
    const { jobId, beat } = await running();
    const before = await get(jobId);
    await beat(0.5);
    expect(await get(jobId)).toEqual(before);
    await settleScheduled();
    const after = await get(jobId);
    expect(after!.progressPercentage).toBeGreaterThan(before!.progressPercentage);
    expect(after!.stageProgress.media).toEqual({ done: 0, total: 2, fraction: 0.25 });
    expect((await progressEvents(jobId)).at(-1)).toMatchObject({
      progressPercentage: after!.progressPercentage,
    });
    const video = await backend.service.query(api.videos.getJobById, { jobId });
    expect(video).toMatchObject({ progressPercentage: after!.progressPercentage });
  });

  it("come at most once a second, however many heartbeats there are", async () => {
    const { jobId, beat } = await running();
    const [scheduledBefore, eventsBefore] = [await scheduled(), await progressEvents(jobId)];
    const startMs = Date.now();
    for (let i = 1; i <= 40; i += 1) {
      await beat(i / 40);
      vi.advanceTimersByTime(100);
      await backend.nobody.finishInProgressScheduledFunctions();
    }
    await settleScheduled();
    const seconds = Math.ceil((Date.now() - startMs) / 1000);
    const runs = (await scheduled()).length - scheduledBefore.length;
    expect(runs).toBeGreaterThan(1);
    expect(runs).toBeLessThanOrEqual(seconds + 1);
    const events = (await progressEvents(jobId)).slice(eventsBefore.length);
    expect(events.length).toBeLessThanOrEqual(runs);
    const gaps = events.slice(1).map((event, i) => event.at - events[i]!.at);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000);
  });

  it("of less than one percent write nothing", async () => {
    const { jobId, beat } = await running();
    const before = await progressEvents(jobId);
    await beat(0.001);
    await settleScheduled();
    expect(await progressEvents(jobId)).toEqual(before);
  });

  it("never show less than before, though a task starts again", async () => {
    const { jobId, beat, due } = await running();
    await beat(0.9);
    await settleScheduled();
    const before = await get(jobId);
    vi.advanceTimersByTime(61_000);
    await claimRun(backend, due[0]!);
    await runTask(backend, due[1]!);
    await settleScheduled();
    const after = await get(jobId);
    expect(after!.progressPercentage).toBeGreaterThanOrEqual(before!.progressPercentage);
  });

  it("one that was lost is scheduled anew", async () => {
    const { jobId, beat } = await running();
    await backend.nobody.run(async (ctx) => {
      const row = await ctx.db
        .query("rollups")
        .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
        .unique();
      await ctx.db.patch("rollups", row!._id, { scheduledFor: Date.now() });
    });
    await beat(0.2);
    expect((await scheduled()).filter(({ state }) => state.kind === "pending")).toEqual([]);
    vi.advanceTimersByTime(11_000);
    await beat(0.4);
    expect((await scheduled()).filter(({ state }) => state.kind === "pending")).toHaveLength(1);
    await settleScheduled();
  });

  it("end with the job, at 100", async () => {
    const { job, messages } = await createJob(backend);
    await runAll(backend, messages, PLAN);
    await settleScheduled();
    const events = await progressEvents(job.jobId);
    expect(events.at(-1)).toMatchObject({ progressPercentage: 100 });
    const percentages = events.map((event) => event.progressPercentage);
    expect(percentages.toSorted((a, b) => a - b)).toEqual(percentages);
    expect(await backend.nobody.run((ctx) => ctx.db.query("rollups").take(1))).toEqual([]);
  });
});
