// The documents' functions (convex-integration, convex-schema-updates), under their names.
import { beforeEach, describe, expect, it } from "vitest";
import type { Id } from "./_generated/dataModel.js";
import { api } from "./_generated/api.js";
import {
  type Backend,
  claimRun,
  createBackend,
  createJob,
  ownerIdOf,
  refused,
  runAll,
  standInEnvironment,
} from "./testing.setup.ts";

const PLAN = { media: 1, chat: 0, transcribe: 0, clips: 0 };
let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

/** A row that something else than the ledger works on. */
const legacy = (over: { twitchId?: string; jobId?: string } = {}) =>
  backend.nobody.run((ctx) =>
    ctx.db.insert("videos", { title: "Old", twitchId: "7", createdAt: 1, ...over }),
  );
const row = (id: Id<"videos">) => backend.nobody.run((ctx) => ctx.db.get("videos", id));

describe("video:*", () => {
  it("updateStatus sets the status of a row", async () => {
    const id = await legacy();
    await backend.service.mutation(api.video.updateStatus, { id, status: "Fetching chat" });
    expect(await row(id)).toMatchObject({ status: "Fetching chat" });
  });
  it("updateStatusByTwitchId finds the row by Twitch's id", async () => {
    const id = await legacy();
    const update = { twitchId: "7", status: "Analyzing" as const };
    await backend.service.mutation(api.video.updateStatusByTwitchId, update);
    expect(await row(id)).toMatchObject({ status: "Analyzing" });
    await expect(
      backend.service.mutation(api.video.updateStatusByTwitchId, { ...update, twitchId: "8" }),
    ).rejects.toMatchObject(refused("not_found"));
  });
  it("updateStatusByTwitchId does not choose among several owners' rows", async () => {
    await legacy();
    await legacy();
    await expect(
      backend.service.mutation(api.video.updateStatusByTwitchId, {
        twitchId: "7",
        status: "Queued",
      }),
    ).rejects.toMatchObject(refused("conflict"));
  });
  it("updateUrls sets what is given, by id or by Twitch's id", async () => {
    const id = await legacy();
    const { service } = backend;
    await service.mutation(api.video.updateUrls, { id, urls: { chatUrl: "gs://b/chat.json" } });
    const urls = { transcriptUrl: "https://signed.example/t" };
    await service.mutation(api.video.updateUrls, { twitchId: "7", urls });
    expect(await row(id)).toMatchObject({ ...urls, chatUrl: "gs://b/chat.json" });
    await expect(service.mutation(api.video.updateUrls, { urls })).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });
  it("getByTwitchIdPublic never answers a signed address, nor whose the video is", async () => {
    const { messages } = await createJob(backend, {
      provider: "twitch",
      twitchId: "7",
      callbackUrl: "https://hook.example/",
    });
    await runAll(backend, messages, PLAN);
    const { videoId } = (await createJob(backend, { twitchId: "7", provider: "twitch" })).job;
    const { service, nobody } = backend;
    expect(await row(videoId as Id<"videos">)).toMatchObject({
      transcriptUrl: "https://signed.example/t",
    });
    const found = await nobody.query(api.video.getByTwitchIdPublic, { twitchId: "7" });
    expect(found).toMatchObject({ twitchId: "7", title: "A talk" });
    expect(JSON.stringify(found)).not.toMatch(/signed|users\.example|hook\.example/);
    expect(await service.query(api.video.getByTwitchIdPublic, { twitchId: "8" })).toBeNull();
  });
});

describe("videos:*", () => {
  const names = { twitchId: "7", jobId: "old-job" };
  it("updateJobProgress, updateJobError, completeJob write the row of a job run elsewhere", async () => {
    const id = await legacy();
    const { service } = backend;
    await service.mutation(api.videos.updateJobProgress, {
      ...names,
      progressPercentage: 40,
      currentStage: "Transcribing",
      estimatedCompletionSeconds: 90,
      stageProgress: { transcribe: 0.5 },
    });
    expect(await row(id)).toMatchObject({ jobId: "old-job", progressPercentage: 40 });
    await service.mutation(api.videos.updateJobError, {
      ...names,
      errorType: "network_error",
      errorMessage: "Away.",
      isRetryable: true,
    });
    expect(await row(id)).toMatchObject({ status: "Failed", isRetryable: true });
    await service.mutation(api.videos.completeJob, { ...names, urls: { chatUrl: "gs://b/c" } });
    const completed = await row(id);
    expect(completed).toMatchObject({
      status: "Completed",
      currentStage: "Completed",
      progressPercentage: 100,
      chatUrl: "gs://b/c",
    });
    // What went wrong in the attempt before is not said of one that went well.
    for (const field of ["errorType", "errorMessage", "isRetryable"]) {
      expect(completed).not.toHaveProperty(field);
    }
    expect(
      await backend.nobody.query(api.video.getByTwitchIdPublic, { twitchId: "7" }),
    ).toMatchObject({ chatUrl: "gs://b/c" });
  });
  it("find their row by the job first", async () => {
    await legacy();
    const mine = await legacy({ jobId: "old-job" });
    await backend.service.mutation(api.videos.updateJobProgress, {
      ...names,
      progressPercentage: 7,
    });
    expect(await row(mine)).toMatchObject({ progressPercentage: 7 });
  });
  it("are refused for a job the pipeline is running, and for its video", async () => {
    const { job } = await createJob(backend, { provider: "twitch", twitchId: "7" });
    const { service } = backend;
    const id = job.videoId as Id<"videos">;
    const running = { twitchId: "7", jobId: job.jobId };
    const conflict = refused("conflict");
    for (const jobId of [job.jobId, "another"]) {
      await expect(
        service.mutation(api.videos.updateJobProgress, { ...running, jobId }),
      ).rejects.toMatchObject(conflict);
    }
    await expect(service.mutation(api.videos.completeJob, running)).rejects.toMatchObject(conflict);
    await expect(
      service.mutation(api.video.updateStatus, { id, status: "Completed" }),
    ).rejects.toMatchObject(conflict);
    await expect(service.mutation(api.video.updateUrls, { id, urls: {} })).rejects.toMatchObject(
      conflict,
    );
  });
  it("refuse a percentage beyond 100", async () => {
    await legacy();
    await expect(
      backend.service.mutation(api.videos.updateJobProgress, { ...names, progressPercentage: 101 }),
    ).rejects.toMatchObject(refused("invalid_request"));
  });
});

describe("videos:getJobById", () => {
  it("answers a job in the shape of a video, to its owner and the pipeline alone", async () => {
    const { job, messages } = await createJob(backend);
    const { jobId } = job;
    const expected = { _id: job.videoId, jobId, status: "Queued", progressPercentage: 0 };
    const ask = (who: Pick<Backend["service"], "query">) =>
      who.query(api.videos.getJobById, { jobId });
    expect(await ask(backend.user("ada"))).toMatchObject(expected);
    expect(await ask(backend.service)).toMatchObject(expected);
    expect(await ask(backend.user("bob"))).toBeNull();
    await runAll(backend, messages, PLAN);
    expect(await ask(backend.user("ada"))).toMatchObject({
      ownerId: ownerIdOf("ada"),
      status: "Completed",
      transcriptUrl: "https://signed.example/t",
    });
  });
  it("keeps the details of an error from people", async () => {
    const { job, messages } = await createJob(backend);
    const { jobId } = job;
    const { attempt } = await claimRun(backend, messages[0]!);
    const failure = { code: "live_stream" as const, message: "It is live.", details: "GET /x" };
    const task = { jobId, stage: "ingest" as const, index: 0, attempt };
    await backend.service.mutation(api.ledger.fail, { ...task, ...failure });
    const shown = await backend.user("ada").query(api.videos.getJobById, { jobId });
    expect(shown).toMatchObject({ status: "Failed", errorType: "invalid_video_url" });
    expect(shown).not.toHaveProperty("errorDetails");
    expect(await backend.service.query(api.videos.getJobById, { jobId })).toMatchObject({
      errorDetails: "GET /x",
    });
  });
  it("still answers an earlier job when the video has a newer one", async () => {
    const first = await createJob(backend);
    const second = await createJob(backend);
    await backend.service.mutation(api.ledger.cancel, {
      jobId: first.job.jobId,
      ownerId: ownerIdOf("ada"),
    });
    const ask = (jobId: string) => backend.service.query(api.videos.getJobById, { jobId });
    expect(await ask(first.job.jobId)).toMatchObject({ status: "Canceled" });
    expect(await ask(second.job.jobId)).toMatchObject({ status: "Queued" });
    // The row itself shows the latest.
    expect(await row(second.job.videoId as Id<"videos">)).toMatchObject({ status: "Queued" });
  });
  it("answers a job that the ledger does not know from the row", async () => {
    const id = await legacy({ jobId: "old-job" });
    expect(await backend.service.query(api.videos.getJobById, { jobId: "old-job" })).toMatchObject({
      _id: id,
    });
    expect(await backend.user("ada").query(api.videos.getJobById, { jobId: "old-job" })).toBeNull();
  });
});
