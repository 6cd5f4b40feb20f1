// What the pipeline's functions read and write beside some jobs of others and ten times as many: the
// same, whatever the ledger holds. (Objects: assets.reads.test.ts; people's functions:
// limits.test.ts.)
import { beforeAll, expect, it } from "vitest";
import { type FunctionReference, getFunctionName } from "convex/server";
import { api } from "./_generated/api.js";
import type { Doc } from "./_generated/dataModel.js";
import { PIPELINE } from "./permissionRows.setup.ts";
import { PERMISSIONS } from "./permissions.setup.ts";
import { type Usage, measureUsage } from "./reads.setup.ts";
import {
  type Backend,
  type Plan,
  claimRun,
  createBackend,
  createJob,
  ownerIdOf,
  resultOf,
  runAll,
  runTask,
  standInEnvironment,
} from "./testing.setup.ts";

const OTHERS = 12;
/** What a function may use more beside ten times as many: a step of a search in a tree. */
const TOLERANCE = 20;
const PLAN: Plan = { media: 2, chat: 1, transcribe: 2, clips: 1 };
const ownerId = ownerIdOf("ada");
const callbackUrl = "https://hooks.example/done";

beforeAll(() => standInEnvironment());

type Usages = Record<string, Usage>;

/** A backend whose pipeline's calls are measured: the most of each function. */
const measuring = (backend: Backend, usages: Usages): Backend => {
  const measured =
    (kind: "query" | "mutation" | "action") =>
    async (reference: FunctionReference<typeof kind>, args: Record<string, unknown>) => {
      const call = backend.service[kind] as (
        ref: typeof reference,
        given: typeof args,
      ) => Promise<unknown>;
      const { usage, result } = await measureUsage(() => call(reference, args));
      const name = getFunctionName(reference);
      const known = usages[name] ?? usage;
      usages[name] = {
        documentsRead: Math.max(known.documentsRead, usage.documentsRead),
        documentsWritten: Math.max(known.documentsWritten, usage.documentsWritten),
        databaseQueries: Math.max(known.databaseQueries, usage.databaseQueries),
      };
      return result;
    };
  const service = {
    ...backend.service,
    query: measured("query"),
    mutation: measured("mutation"),
    action: measured("action"),
  } as unknown as Backend["service"];
  return { ...backend, service };
};

const bare = <T extends { _id: unknown; _creationTime: number }>(row: T) => {
  const { _id, _creationTime, ...fields } = row;
  return fields;
};

/** Ended jobs of Ada's and of others, each with all that a job leaves behind. */
const addOthers = async (backend: Backend, count: number): Promise<void> => {
  const { job, messages } = await createJob(backend, { callbackUrl, idempotencyKey: "first" });
  await runAll(backend, messages, PLAN);
  await backend.service.action(api.apiKeys.issue, { ownerId, name: "a key" });
  await backend.nobody.run(async ({ db }) => {
    const first = (await db.query("jobs").first()) as Doc<"jobs">;
    const video = (await db.get("videos", first.videoId)) as Doc<"videos">;
    const tasks = await db.query("tasks").take(50);
    const events = await db.query("jobEvents").take(100);
    const delivery = (await db.query("webhookDeliveries").first()) as Doc<"webhookDeliveries">;
    const key = (await db.query("apiKeys").first()) as Doc<"apiKeys">;
    for (let i = 0; i < count; i += 1) {
      const jobId = `${job.jobId}${i}`;
      const owner = i % 2 === 0 ? ownerId : ownerIdOf(`other${i}`);
      const url = `https://media.example/${i}.mp4`;
      const videoId = await db.insert("videos", { ...bare(video), ownerId: owner, url, jobId });
      const own = { jobId, ownerId: owner, videoId, url, idempotencyKey: `key${i}` };
      await db.insert("jobs", { ...bare(first), ...own });
      for (const task of tasks.slice(0, 4)) await db.insert("tasks", { ...bare(task), jobId });
      for (const event of events.slice(0, 4)) {
        await db.insert("jobEvents", { ...bare(event), jobId });
      }
      await db.insert("webhookDeliveries", {
        ...bare(delivery),
        deliveryId: `delivery${i}`,
        jobId,
        ownerId: owner,
        state: "delivered",
        sweepAt: undefined,
      });
      await db.insert("apiKeys", { ...bare(key), ownerId: ownerIdOf(`other${i}`), hash: `${i}` });
      await db.insert("transcriptCues", { videoId, generation: "g", index: 0, text: "Words." });
    }
  });
};

/** Runs a job's tasks up to `finish`. */
const upToFinish = async (backend: Backend, key: string) => {
  const { job, messages } = await createJob(backend, { callbackUrl, idempotencyKey: key });
  const queue = [...messages];
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (next.stage === "finish") return { jobId: job.jobId, finish: next };
    queue.push(...(await runTask(backend, next, resultOf(PLAN, next.stage))).messages);
  }
  throw new Error("the job came to no finish");
};

/** Calls every function of the ledger and of those around it, as a good and a bad day do. */
const callAll = async (backend: Backend): Promise<void> => {
  const { service } = backend;
  const { jobId, finish } = await upToFinish(backend, "mine");
  const held = await claimRun(backend, finish);
  const task = { jobId, stage: finish.stage, index: finish.index, attempt: held.attempt };
  await service.mutation(api.ledger.heartbeat, { ...task, progress: 0.5 });
  const generation = "a1".repeat(32);
  await service.mutation(api.transcripts.beginTranscript, { ...task, generation });
  const pieces = [{ startSec: 0, endSec: 60, text: "Some words." }];
  await service.mutation(api.transcripts.appendTranscript, {
    ...task,
    generation,
    first: 0,
    pieces,
  });
  await service.mutation(api.transcripts.activateTranscript, { ...task, generation, count: 1 });
  await service.mutation(api.transcripts.publishOutline, {
    ...task,
    chapters: [],
    highlights: [],
  });
  await service.mutation(api.ledger.release, task);
  const again = await claimRun(backend, finish);
  await service.mutation(api.ledger.fail, {
    ...task,
    attempt: again.attempt,
    code: "storage_unavailable",
    message: "Storage cannot be reached.",
  });
  await service.mutation(api.ledger.deadLetter, { v: 1, jobId, stage: "finish", index: 0 });
  await service.mutation(api.ledger.sweep, {});
  await service.query(api.jobs.get, { jobId, ownerId });
  await service.query(api.jobs.events, { jobId, ownerId, afterSeq: 0, limit: 10 });
  await service.query(api.jobs.list, { ownerId, limit: 5 });
  await service.mutation(api.ledger.retry, { jobId, ownerId, fromStage: "ingest" });
  const { job: another } = await createJob(backend, { callbackUrl, idempotencyKey: "another" });
  const canceled = await service.mutation(api.ledger.cancel, { jobId: another.jobId, ownerId });
  const deliveryId = canceled.kind === "canceled" ? (canceled.deliveryIds[0] ?? "") : "";
  const claimed = await service.mutation(api.webhooks.claimDelivery, { deliveryId });
  expect(claimed.kind).toBe("deliver");
  await service.mutation(api.webhooks.recordAttempt, {
    deliveryId,
    attempt: claimed.kind === "deliver" ? claimed.attempt : 0,
    outcome: { ok: true, httpStatus: 200 },
  });
  await service.mutation(api.webhooks.replay, { deliveryId, ownerId });
  await service.action(api.webhooks.secretFor, { ownerId });
  await service.action(api.apiKeys.issue, { ownerId, name: "another" });
  await service.mutation(api.apiKeys.verify, { hash: "1" });
  await callDocumented(backend);
};

/** The documents' writes, for a video that something else runs. */
const callDocumented = async (backend: Backend): Promise<void> => {
  const { service } = backend;
  const twitchId = "77";
  const id = await backend.nobody.run(({ db }) => db.insert("videos", { twitchId, title: "VOD" }));
  const named = { twitchId, jobId: "elsewhere" };
  await service.mutation(api.video.updateStatus, { id, status: "Analyzing" });
  await service.mutation(api.video.updateStatusByTwitchId, { twitchId, status: "Analyzing" });
  await service.mutation(api.video.updateUrls, { twitchId, urls: { chatUrl: "gs://b/chat.json" } });
  await service.mutation(api.videos.updateJobProgress, { ...named, progressPercentage: 5 });
  await service.mutation(api.videos.updateJobError, {
    ...named,
    errorType: "network_error",
    errorMessage: "It broke.",
    isRetryable: true,
  });
  await service.mutation(api.videos.completeJob, named);
};

const measureBeside = async (others: number): Promise<Usages> => {
  const backend = createBackend();
  await addOthers(backend, others);
  const usages: Usages = {};
  await callAll(measuring(backend, usages));
  return usages;
};

it("is the same beside ten times as many, for every function of the pipeline", async () => {
  const few = await measureBeside(OTHERS);
  const many = await measureBeside(10 * OTHERS);
  const asked = Object.entries(PERMISSIONS).flatMap(([name, entry]) =>
    entry === PIPELINE && !name.startsWith("assets:") ? [name] : [],
  );
  expect(Object.keys(few).toSorted()).toEqual(asked.toSorted());
  for (const [name, usage] of Object.entries(many)) {
    for (const count of ["documentsRead", "documentsWritten", "databaseQueries"] as const) {
      const before = few[name]?.[count] ?? 0;
      expect([name, count, usage[count]]).toEqual([
        name,
        count,
        expect.toSatisfy((now: number) => now <= before + TOLERANCE, `${before} before`),
      ]);
    }
  }
  expect(Object.values(few).some(({ documentsRead }) => documentsRead > 0)).toBe(true);
});
