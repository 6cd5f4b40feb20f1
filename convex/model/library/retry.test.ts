// What failed of a video is run again, by whoever has to: sweep publishes what Convex cannot.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Doc, Id } from "../../_generated/dataModel.js";
import { api } from "../../_generated/api.js";
import {
  type Backend,
  claimRun,
  createBackend,
  createJob,
  ownerIdOf,
  runAll,
  standInEnvironment,
} from "../../testing.setup.ts";
import { patchVideo } from "./status.ts";

const PLAN = { media: 2, chat: 0, transcribe: 0, clips: 0 };
let backend: Backend;
let ada: ReturnType<Backend["user"]>;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  ada = backend.user("ada");
  return restore;
});

const retry = (videoId: Id<"videos">, who = ada) =>
  who.mutation(api.videos.retryFailedVideo, { videoId });
const sweep = () => backend.service.mutation(api.ledger.sweep, {});
const statusOf = async (videoId: Id<"videos">) =>
  (await ada.query(api.videos.getVideo, { videoId }))?.status;
const conflict = (message: RegExp) => ({
  data: { code: "conflict", message: expect.stringMatching(message) as string },
});

/** A job whose first task has failed for good. */
const failedJob = async (code: "live_stream" | "source_failed" = "source_failed") => {
  const { job, messages } = await createJob(backend);
  const [message] = messages;
  if (!message) throw new Error("The job waits.");
  for (;;) {
    const { attempt } = await claimRun(backend, message);
    const answer = await backend.service.mutation(api.ledger.fail, {
      jobId: job.jobId,
      stage: "ingest",
      index: 0,
      attempt,
      code,
      message: "It is not to be had.",
    });
    if (answer.kind === "failed") return { job, message, videoId: job.videoId as Id<"videos"> };
    vi.advanceTimersByTime("delayMs" in answer ? answer.delayMs : 0);
  }
};

describe("of an analysis", () => {
  it("failed -> due again, published by the next sweep, and run to its end", async () => {
    const { message, videoId } = await failedJob();
    expect(await statusOf(videoId)).toBe("failed");
    expect((await sweep()).messages).toEqual([]);

    expect(await retry(videoId)).toEqual({ retried: ["analysis"] });
    expect(await statusOf(videoId)).toBe("pending");
    const { messages } = await sweep();
    expect(messages).toEqual([message]);
    expect((await sweep()).messages).toEqual([]);
    await runAll(backend, messages, PLAN);
    expect(await statusOf(videoId)).toBe("completed");
  });
  it("failed while as many run as may -> waits, and sweep starts it when there is room", async () => {
    vi.stubEnv("MAX_RUNNING_JOBS", "1");
    const { message, videoId } = await failedJob();
    const other = await createJob(backend, { url: "https://media.example/other.mp4" });
    expect(await retry(videoId)).toEqual({ retried: ["analysis"] });
    expect((await sweep()).messages).toEqual([]);
    const { jobId } = other.job;
    const ended = await backend.service.mutation(api.ledger.cancel, {
      jobId,
      ownerId: ownerIdOf("ada"),
    });
    expect("messages" in ended && ended.messages).toEqual([message]);
  });
  it("canceled -> the same", async () => {
    const { job, messages } = await createJob(backend);
    await backend.service.mutation(api.ledger.cancel, {
      jobId: job.jobId,
      ownerId: ownerIdOf("ada"),
    });
    const videoId = job.videoId as Id<"videos">;
    expect(await retry(videoId)).toEqual({ retried: ["analysis"] });
    expect((await sweep()).messages).toEqual(messages);
  });
  it("an admin's retry runs for the owner", async () => {
    const { videoId } = await failedJob();
    await expect(retry(videoId, backend.user("bob"))).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    expect(await retry(videoId, backend.user("eve", "admin"))).toEqual({ retried: ["analysis"] });
    expect((await sweep()).messages).toHaveLength(1);
  });
  it("failed for a reason that stays, run elsewhere, running, completed -> refused", async () => {
    const { videoId } = await failedJob("live_stream");
    await expect(retry(videoId)).rejects.toMatchObject(conflict(/not help: It is not to be had/));
    const elsewhere = await ada.mutation(api.videos.createVideo, {
      title: "Old",
      url: "https://media.example/old.mp4",
    });
    const set = (status: NonNullable<Doc<"videos">["status"]>) =>
      backend.service.mutation(api.video.updateStatus, { id: elsewhere, status });
    await expect(retry(elsewhere)).rejects.toMatchObject(conflict(/Nothing .* failed/));
    await set("Failed");
    await expect(retry(elsewhere)).rejects.toMatchObject(conflict(/not run here/));
    await set("Transcribing");
    await expect(retry(elsewhere)).rejects.toMatchObject(conflict(/Nothing .* failed/));
    await set("Completed");
    await expect(retry(elsewhere)).rejects.toMatchObject(conflict(/Nothing .* failed/));
  });
});

describe("of notes and quiz", () => {
  type Study = NonNullable<Doc<"videos">["study"]>;
  const withStudy = async (study: Partial<Study>, transcript = "Leases end.") => {
    const videoId = await ada.mutation(api.videos.createVideo, {
      title: "A talk",
      url: "https://media.example/given.mp4",
      transcript,
    });
    await setStudy(videoId, study);
    return videoId;
  };
  const setStudy = (videoId: Id<"videos">, study: Partial<Study>) =>
    backend.nobody.run(async (ctx) => {
      const video = await ctx.db.get("videos", videoId);
      if (!video) throw new Error("no video");
      const failed = { state: "failed" as const, run: 1, startedAt: 1, isRetryable: true };
      await patchVideo(ctx, video, { study: { ...failed, ...study } });
    });
  const setUp = () => {
    vi.stubEnv("NOTES_GENERATION_ENDPOINT", "https://notes.example/");
    vi.stubEnv("QUIZ_GENERATION_ENDPOINT", "https://quiz.example/");
  };

  it("failed -> processing, in another run", async () => {
    setUp();
    const videoId = await withStudy({ errorMessage: "Away." });
    expect(await ada.query(api.videos.getVideo, { videoId })).toMatchObject({
      status: "failed",
      errorMessage: "Away.",
      isRetryable: true,
    });
    expect(await retry(videoId)).toEqual({ retried: ["study"] });
    expect(await ada.query(api.videos.getVideo, { videoId })).toMatchObject({
      status: "processing",
      study: { state: "processing" },
    });
    await expect(retry(videoId)).rejects.toMatchObject(conflict(/Nothing .* failed/));
  });
  it("nobody there to make them, no transcript to make them from -> refused", async () => {
    const videoId = await withStudy({ errorCode: "study_not_configured", isRetryable: false });
    await expect(retry(videoId)).rejects.toMatchObject({ data: { code: "study_not_configured" } });
    setUp();
    await setStudy(videoId, {});
    await ada.mutation(api.videos.updateVideo, { videoId, transcript: null });
    await expect(retry(videoId)).rejects.toMatchObject(conflict(/transcript/));
  });
  it("not set up then, or refused by the endpoint for good -> processing, as things may have changed", async () => {
    const videoId = await withStudy({ errorCode: "study_not_configured", isRetryable: false });
    setUp();
    expect(await retry(videoId)).toEqual({ retried: ["study"] });
    await setStudy(videoId, { errorCode: "study_rejected", isRetryable: false });
    expect(await retry(videoId)).toEqual({ retried: ["study"] });
  });
  it("both failed, nobody there to make notes and quiz -> the analysis alone", async () => {
    const { videoId } = await failedJob();
    await ada.mutation(api.videos.updateVideo, { videoId, transcript: "Leases end." });
    await setStudy(videoId, {});
    expect(await retry(videoId)).toEqual({ retried: ["analysis"] });
  });
  it("both failed -> both again", async () => {
    setUp();
    const { videoId } = await failedJob();
    await ada.mutation(api.videos.updateVideo, { videoId, transcript: "Leases end." });
    await setStudy(videoId, {});
    expect(await retry(videoId)).toEqual({ retried: ["analysis", "study"] });
    expect(await statusOf(videoId)).toBe("processing");
  });
});
