// The ledger through its mutations, on a backend: what the machine decides is what is written.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Stage } from "#shared/contract/stages.ts";
import { api, internal } from "./_generated/api.js";
import {
  type Backend,
  KEY,
  type Plan,
  claim,
  claimRun,
  createBackend,
  createJob,
  jobRequest,
  ownerIdOf,
  resultOf,
  runAll,
  runTask,
  standInEnvironment,
} from "./testing.setup.ts";

const ownerId = ownerIdOf("ada");
const PLAN: Plan = { media: 3, chat: 2, transcribe: 3, clips: 2 };

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

const get = async (jobId: string) => {
  const job = await backend.service.query(api.jobs.get, { jobId, ownerId });
  if (!job) throw new Error("no job");
  return job;
};
const eventsOf = async (jobId: string, afterSeq = 0) =>
  (await backend.service.query(api.jobs.events, { jobId, ownerId, afterSeq, limit: 500 })) ?? [];
const message = (jobId: string, stage: Stage, index = 0) => ({
  v: 1 as const,
  jobId,
  stage,
  index,
});
/** Runs a new job up to, and without, the tasks of this stage. */
const runBefore = async (stage: Stage, plan = PLAN) => {
  const { job, messages } = await createJob(backend);
  const queue = [...messages];
  const waiting = [];
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (next.stage === stage) waiting.push(next);
    else queue.push(...(await runTask(backend, next, resultOf(plan, next.stage))).messages);
  }
  return { jobId: job.jobId, waiting };
};
const fail = async (at: ReturnType<typeof message>, code: "invalid_media" | "speech_rejected") => {
  const { attempt } = await claimRun(backend, at);
  const { jobId, stage, index } = at;
  const failure = {
    jobId,
    stage,
    index,
    attempt,
    code,
    message: "It broke.",
    details: "at line 1",
  };
  return backend.service.mutation(api.ledger.fail, failure);
};

describe("a job from beginning to end", () => {
  it("runs every task once and completes", async () => {
    const { job, messages } = await createJob(backend);
    expect(job.status).toBe("Queued");
    const { ran } = await runAll(backend, messages, PLAN);
    const every = [
      "ingest 0, media 0, media 1, media 2, chat 0, chat 1, transcribe 0, transcribe 1",
      "transcribe 2, analyze 0, highlights 0, clips 0, clips 1, finish 0",
    ].join(", ");
    expect(ran.toSorted()).toEqual(every.split(", ").toSorted());
    expect(await get(job.jobId)).toMatchObject({
      status: "Completed",
      progressPercentage: 100,
      estimatedCompletionSeconds: 0,
      output: { summary: { stage: "finish" } },
      urls: { transcriptUrl: "https://signed.example/t" },
      error: null,
    });
  });

  it("numbers its events without gaps, the last being the end", async () => {
    const { job, messages } = await createJob(backend);
    await runAll(backend, messages, PLAN);
    const events = await eventsOf(job.jobId);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)).toMatchObject({ type: "status", status: "Completed" });
    expect(await eventsOf(job.jobId, events.length - 1)).toEqual([events.at(-1)]);
  });

  it("keeps the video's row in step, and what ingest found out", async () => {
    const { job, messages } = await createJob(backend);
    await runAll(backend, messages, PLAN);
    const row = await backend.nobody.run((ctx) =>
      ctx.db
        .query("videos")
        .withIndex("by_job_id", (q) => q.eq("jobId", job.jobId))
        .unique(),
    );
    expect(row).toMatchObject({
      title: "A talk",
      durationInSeconds: 60,
      status: "Completed",
      progressPercentage: 100,
      transcriptUrl: "https://signed.example/t",
    });
  });

  it("takes 64 media whose commits arrive at once", async () => {
    const plan = { media: 64, chat: 0, transcribe: 0, clips: 0 };
    const { waiting } = await runBefore("media", plan);
    const answers = await Promise.all(waiting.map((next) => runTask(backend, next)));
    const due = answers.flatMap((answer) => answer.messages.map(({ stage }) => stage));
    expect(due).toEqual(["analyze"]);
  });
});

describe("createJob", () => {
  it("answers a repeated request with the same job and what is still due", async () => {
    const first = await createJob(backend, { idempotencyKey: "k" });
    const second = await createJob(backend, { idempotencyKey: "k" });
    expect(second).toMatchObject({ kind: "existing", messages: first.messages });
    expect(second.job.jobId).toBe(first.job.jobId);
    await claimRun(backend, first.messages[0]!);
    expect((await createJob(backend, { idempotencyKey: "k" })).messages).toEqual([]);
  });
  it("refuses another request under the same key, of the same owner alone", async () => {
    await createJob(backend, { idempotencyKey: "k" });
    const other = jobRequest({ idempotencyKey: "k", requestHash: "other" });
    expect(await backend.service.mutation(api.ledger.createJob, other)).toEqual({
      kind: "idempotency_mismatch",
    });
    const bobs = { ...other, ownerId: ownerIdOf("bob") };
    expect(await backend.service.mutation(api.ledger.createJob, bobs)).toMatchObject({
      kind: "created",
    });
  });
  it("uses an owner's one row for a video, and another for another owner", async () => {
    const twitch = { provider: "twitch" as const, twitchId: "42" };
    const [a, b] = [await createJob(backend, twitch), await createJob(backend, twitch)];
    const c = await createJob(backend, { ...twitch, ownerId: ownerIdOf("bob") });
    expect(b.job.videoId).toBe(a.job.videoId);
    expect(c.job.videoId).not.toBe(a.job.videoId);
  });
  it("gives identifiers that sort by time", async () => {
    const ids = [];
    for (let i = 0; i < 4; i += 1) {
      vi.advanceTimersByTime(1);
      ids.push((await createJob(backend, { url: `https://media.example/${i}` })).job.jobId);
    }
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids.map((id) => id.slice(10))).size).toBe(4);
  });
});

describe("what a claimed task is given", () => {
  const inputOf = async (stage: Stage, index = 0) => {
    const { waiting } = await runBefore(stage);
    const next = waiting.find((candidate) => candidate.index === index);
    return (await claimRun(backend, next!)).input.upstream;
  };
  const ref = (stage: string, index = 0) => ({ key: KEY, summary: { stage, index } });

  it("ingest: nothing", async () => expect(await inputOf("ingest")).toEqual({}));
  it("media: ingest", async () => {
    expect(await inputOf("media", 1)).toEqual({ ingest: [ref("ingest")] });
  });
  it("transcribe 1: ingest, and media with index 1 filled", async () => {
    expect(await inputOf("transcribe", 1)).toEqual({
      ingest: [ref("ingest")],
      media: [null, ref("media", 1), null],
    });
  });
  it("analyze: ingest, media, transcribe, chat", async () => {
    expect(await inputOf("analyze")).toEqual({
      ingest: [ref("ingest")],
      media: [0, 1, 2].map((i) => ref("media", i)),
      transcribe: [0, 1, 2].map((i) => ref("transcribe", i)),
      chat: [0, 1].map((i) => ref("chat", i)),
    });
  });
  it("clips: ingest, analyze, highlights", async () => {
    expect(Object.keys(await inputOf("clips", 1)).toSorted()).toEqual([
      "analyze",
      "highlights",
      "ingest",
    ]);
  });
  it("finish: ingest, analyze, highlights, clips, and the warnings; null for a degraded one", async () => {
    const { waiting } = await runBefore("clips");
    expect(await fail(waiting[0]!, "invalid_media")).toMatchObject({ kind: "degraded" });
    const { messages } = await runTask(backend, waiting[1]!);
    const { input } = await claimRun(backend, messages[0]!);
    expect(input.upstream.clips).toEqual([null, ref("clips", 1)]);
    expect(input.warnings).toEqual([{ code: "clips_incomplete", message: "It broke." }]);
  });
});

describe("duplicates, zombies and the dead", () => {
  it("answers a doubled message with busy, then done and the same messages", async () => {
    const { messages } = await createJob(backend);
    const ingest = messages[0]!;
    const { attempt } = await claimRun(backend, ingest);
    expect(await claim(backend, ingest)).toEqual({ kind: "busy" });
    const { v: _, ...task } = ingest;
    const request = {
      ...task,
      attempt,
      output: { key: KEY, summary: {} },
      warnings: [],
      ...resultOf(PLAN, "ingest"),
    };
    const committed = await backend.service.mutation(api.ledger.commit, request);
    const again = await backend.service.mutation(api.ledger.commit, request);
    expect(again).toEqual(committed);
    expect(await claim(backend, ingest)).toEqual({ ...committed, kind: "done" });
  });

  it("fences a zombie after its lease was taken over", async () => {
    const { messages } = await createJob(backend);
    const { v: _, ...task } = messages[0]!;
    const zombie = await claimRun(backend, messages[0]!);
    vi.advanceTimersByTime(61_000);
    const { messages: swept } = await backend.service.mutation(api.ledger.sweep, {});
    expect(swept).toEqual(messages);
    expect(await claimRun(backend, messages[0]!)).toMatchObject({ attempt: 2 });
    const late = { ...task, attempt: zombie.attempt };
    const { service } = backend;
    expect(await service.mutation(api.ledger.heartbeat, { ...late, progress: 1 })).toEqual({
      kind: "fenced",
    });
    expect(await service.mutation(api.ledger.release, late)).toEqual({ kind: "fenced" });
    expect(
      await service.mutation(api.ledger.fail, { ...late, code: "internal", message: "x" }),
    ).toEqual({ kind: "fenced" });
  });

  it("hands what outgrew a function to one execution of a job, under the attempt it was given", async () => {
    const { messages } = await createJob(backend);
    const { v: _, ...task } = messages[0]!;
    const { service } = backend;
    const { attempt } = await claimRun(backend, messages[0]!);
    const failed = { ...task, attempt, code: "stage_timeout" as const, message: "Too long." };
    expect(await service.mutation(api.ledger.fail, failed)).toMatchObject({ kind: "retry" });

    const byFunction = { ...task, mayHandOver: true };
    const handedOver = await service.mutation(api.ledger.claim, byFunction);
    expect(handedOver).toEqual({ kind: "hand_over", attempt: 2, leaseMs: 300_000 });
    expect(await service.mutation(api.ledger.claim, byFunction)).toEqual({ kind: "busy" });
    vi.advanceTimersByTime(120_000);
    expect(await service.mutation(api.ledger.sweep, {})).toMatchObject({ messages: [] });

    const byJob = { ...task, attempt: 2 };
    const run = { kind: "run", attempt: 2, leaseMs: 60_000, input: { stage: "ingest" } };
    expect(await service.mutation(api.ledger.claim, byJob)).toMatchObject(run);
    expect(await service.mutation(api.ledger.claim, byJob)).toEqual({ kind: "busy" });
    expect(await service.mutation(api.ledger.claim, { ...byJob, attempt: 1 })).toEqual({
      kind: "stale",
    });
    // The function heard nothing of the job's start; the execution itself gives back what it has.
    const release = (request: object) =>
      service.mutation(api.ledger.release, { ...byJob, ...request });
    expect(await release({ unlessTaken: true })).toEqual({ kind: "fenced" });
    const beat = service.mutation(api.ledger.heartbeat, { ...byJob, progress: 0.1 });
    expect(await beat).toEqual({ kind: "ok" });
    expect(await release({})).toEqual({ kind: "released" });
    expect(await service.mutation(api.ledger.claim, byFunction)).toMatchObject({ attempt: 3 });
    expect(await release({ attempt: 3, unlessTaken: true })).toEqual({ kind: "released" });
  });

  it("publishes what nobody claimed for two minutes, a batch at a time", async () => {
    const plan = { media: 150, chat: 0, transcribe: 0, clips: 0 };
    const { waiting } = await runBefore("media", plan);
    expect(waiting).toHaveLength(150);
    vi.advanceTimersByTime(121_000);
    const first = await backend.service.mutation(api.ledger.sweep, {});
    const second = await backend.service.mutation(api.ledger.sweep, {});
    expect([first.more, second.more]).toEqual([true, false]);
    const indexes = [...first.messages, ...second.messages].map(({ index }) => index);
    expect(new Set(indexes).size).toBe(150);
  });

  it("ignores the dead letter of a task somebody is at work on, and fails an idle one", async () => {
    const { job, messages } = await createJob(backend);
    const ingest = messages[0]!;
    const { attempt } = await claimRun(backend, ingest);
    expect(await backend.service.mutation(api.ledger.deadLetter, ingest)).toMatchObject({
      kind: "ignored",
    });
    const { v: _, ...task } = ingest;
    await backend.service.mutation(api.ledger.release, { ...task, attempt });
    expect(await backend.service.mutation(api.ledger.deadLetter, ingest)).toMatchObject({
      kind: "settled",
    });
    expect((await get(job.jobId)).status).toBe("Failed");
  });

  it("gives back what a machine that went down was at, and nothing else", async () => {
    const { jobId, waiting } = await runBefore("media");
    const [held, idle] = waiting;
    const { attempt } = await claimRun(backend, held!);
    const { job: canceled, messages } = await createJob(backend, { idempotencyKey: "canceled" });
    await claimRun(backend, messages[0]!);
    await backend.service.mutation(api.ledger.cancel, { jobId: canceled.jobId, ownerId });
    expect(await backend.nobody.mutation(internal.ledger.releaseAll, {})).toBe(1);
    const swept = await backend.service.mutation(api.ledger.sweep, {});
    expect(swept.messages).toEqual([held]);
    // It lived all the same.
    const { v: _, ...task } = held!;
    const commit = { ...task, attempt, output: { key: KEY, summary: {} }, warnings: [] };
    const late = backend.service.mutation(api.ledger.commit, commit);
    expect(await late).toMatchObject({ kind: "fenced" });
    expect((await claimRun(backend, held!)).attempt).toBe(attempt + 1);
    expect((await claimRun(backend, idle!)).attempt).toBe(1);
    expect((await get(jobId)).status).toBe("Downloading");
  });

  it("refuses a summary above 16 KiB, a key that is none, and a fan-out beyond the limit", async () => {
    const { messages } = await createJob(backend);
    const { attempt } = await claimRun(backend, messages[0]!);
    const { v: _, ...task } = messages[0]!;
    const good = { ...task, attempt, output: { key: KEY, summary: {} }, warnings: [] };
    const bad = [
      { ...good, output: { key: KEY, summary: { text: "x".repeat(17_000) } } },
      { ...good, output: { key: "../../x", summary: {} } },
      { ...good, fanOut: { media: 1001 } },
      { ...good, fanOut: { media: 1, transcribe: 2 } },
      { ...good, fanOut: { media: -1 } },
    ];
    for (const request of bad) {
      await expect(backend.service.mutation(api.ledger.commit, request)).rejects.toMatchObject({
        data: { code: "invalid_request" },
      });
    }
  });
});

describe("failure, cancel and retry", () => {
  it("shows the error without its details", async () => {
    const { jobId, waiting } = await runBefore("analyze");
    expect(await fail(waiting[0]!, "invalid_media")).toMatchObject({ kind: "failed" });
    expect((await get(jobId)).error).toEqual({
      stage: "analyze",
      code: "invalid_media",
      errorType: "invalid_video_url",
      message: "It broke.",
      retryable: false,
    });
  });

  it("retries from the failed stage, keeping what was done", async () => {
    const { jobId, waiting } = await runBefore("analyze");
    await fail(waiting[0]!, "invalid_media");
    const answer = await backend.service.mutation(api.ledger.retry, { jobId, ownerId });
    if (answer.kind !== "retried") throw new Error(answer.kind);
    expect(answer.messages).toEqual([message(jobId, "analyze")]);
    expect(answer.job).toMatchObject({ status: "Analyzing", retryCount: 1, error: null });
    await runAll(backend, answer.messages, PLAN);
    expect((await get(jobId)).status).toBe("Completed");
  });

  it("retries a completed job from a stage, and removes what follows from it", async () => {
    const { job, messages } = await createJob(backend);
    await runAll(backend, messages, PLAN);
    const { jobId } = job;
    const request = { jobId, ownerId, fromStage: "highlights" as const };
    const answer = await backend.service.mutation(api.ledger.retry, request);
    if (answer.kind !== "retried") throw new Error(answer.kind);
    expect(answer.job.output).toBeNull();
    const { ran } = await runAll(backend, answer.messages, { ...PLAN, clips: 1 });
    expect(ran).toEqual(["highlights 0", "clips 0", "finish 0"]);
    expect(
      await backend.service.mutation(api.ledger.retry, { ...request, fromStage: "chat" }),
    ).toMatchObject({ kind: "retried" });
  });

  it("refuses to retry a job at work, one of somebody else, and a stage never reached", async () => {
    const { jobId, waiting } = await runBefore("analyze");
    const retry = (over: { ownerId?: string; fromStage?: Stage } = {}) =>
      backend.service.mutation(api.ledger.retry, { jobId, ownerId, ...over });
    expect(await retry()).toMatchObject({ kind: "not_ended" });
    await fail(waiting[0]!, "invalid_media");
    expect(await retry({ ownerId: ownerIdOf("bob") })).toEqual({ kind: "not_found" });
    expect(await retry({ fromStage: "clips" })).toEqual({ kind: "not_reached" });
  });

  it("cancels once, tells workers, and only its owner may", async () => {
    const { job, messages } = await createJob(backend);
    const { jobId } = job;
    const { attempt } = await claimRun(backend, messages[0]!);
    const cancel = (who: string) =>
      backend.service.mutation(api.ledger.cancel, { jobId, ownerId: ownerIdOf(who) });
    expect(await cancel("bob")).toEqual({ kind: "not_found" });
    expect(await cancel("ada")).toMatchObject({ kind: "canceled", job: { status: "Canceled" } });
    expect(await cancel("ada")).toMatchObject({ kind: "ended" });
    const { v: _, ...task } = messages[0]!;
    const beat = { ...task, attempt, progress: 0.5 };
    expect(await backend.service.mutation(api.ledger.heartbeat, beat)).toEqual({
      kind: "canceled",
    });
    expect(await claim(backend, messages[0]!)).toEqual({ kind: "canceled" });
  });
});
