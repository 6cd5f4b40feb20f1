// A deleted video is gone at once, with all that hangs on it in the end, and nothing else is.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { MutationCtx } from "../../_generated/server.js";
import type { Id } from "../../_generated/dataModel.js";
import { api, internal } from "../../_generated/api.js";
import { useAsset } from "../assets/references.ts";
import {
  type Backend,
  claimRun,
  createBackend,
  createJob,
  ownerIdOf,
  runAll,
  standInEnvironment,
} from "../../testing.setup.ts";

const PLAN = { media: 2, chat: 1, transcribe: 2, clips: 1 };
const TALK = "https://media.example/talk.mp4";
const ownerId = ownerIdOf("ada");

let backend: Backend;
let ada: ReturnType<Backend["user"]>;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  ada = backend.user("ada");
  return restore;
});

const settle = () => backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
const run = <T>(body: (ctx: MutationCtx) => Promise<T>): Promise<T> => backend.nobody.run(body);
const remove = (videoId: Id<"videos">, who = ada) =>
  who.mutation(api.videos.deleteVideo, { videoId });

const TABLES = [
  "videos",
  "transcriptCues",
  "videoOutlines",
  "jobs",
  "tasks",
  "jobEvents",
  "rollups",
  "webhookDeliveries",
  "scenes",
  "videoSessions",
  "assetUses",
] as const;
/** How many rows each table has, those with none left out. */
const census = () =>
  run(async (ctx) => {
    const counts: Record<string, number> = {};
    for (const table of TABLES) {
      const rows = await ctx.db.query(table as "videos").take(500);
      if (rows.length > 0) counts[table] = rows.length;
    }
    return counts;
  });

/** A video with several jobs that have run, a webhook each, and everything else one may have. */
const furnish = async (url: string, jobs = 1): Promise<Id<"videos">> => {
  let videoId: Id<"videos"> | undefined;
  for (let i = 0; i < jobs; i += 1) {
    const { job, messages } = await createJob(backend, {
      url,
      callbackUrl: "https://hook.example/",
      idempotencyKey: `${url} ${i}`,
    });
    videoId = job.videoId as Id<"videos">;
    await runAll(backend, messages, PLAN);
  }
  const id = videoId as Id<"videos">;
  await ada.mutation(api.videos.updateVideo, {
    videoId: id,
    transcript: "Leases end. ".repeat(500),
  });
  await settle();
  await run(async (ctx) => {
    await ctx.db.insert("videoOutlines", {
      videoId: id,
      jobId: "x",
      chapters: [],
      highlights: [],
      createdAt: 1,
    });
    const sessionId = await ctx.db.insert("videoSessions", { videoId: id, ownerId });
    for (let index = 0; index < 2; index += 1) {
      const clip = { videoId: id, sessionId, ownerId, index };
      const sceneId = await ctx.db.insert("scenes", clip);
      await useAsset(
        ctx,
        { bucket: "b", key: `${url} ${index}`, type: "video", ownerId },
        { kind: "scene", id: sceneId, field: "videoAsset", sessionId },
        1,
      );
    }
  });
  return id;
};

describe("deleteVideo", () => {
  it("takes everything of a video, and nothing of another", async () => {
    const kept = await furnish("https://media.example/other.mp4", 2);
    const before = await census();
    const counted = await ada.query(api.videos.countVideos, {});
    const videoId = await furnish(TALK, 3);
    for (const [table, count] of Object.entries(await census())) {
      expect([table, count > (before[table] ?? 0)]).toEqual([table, true]);
    }
    await remove(videoId);
    await settle();
    expect(await census()).toEqual(before);
    expect(await ada.query(api.videos.countVideos, {})).toEqual(counted);
    expect(await ada.query(api.videos.getVideo, { videoId: kept })).toMatchObject({
      status: "completed",
      hasTranscript: true,
    });
  });

  it("releases an object that only it used, and keeps one that another uses as well", async () => {
    const [mine, other] = [await furnish(TALK), await furnish("https://media.example/b.mp4")];
    const use = (id: string, key: string) =>
      run((ctx) =>
        useAsset(
          ctx,
          { bucket: "b", key, type: "output", ownerId },
          { kind: "video", id, field: key },
          1,
        ),
      );
    await use(mine, "only-mine");
    await use(mine, "shared");
    await use(other, "shared");
    await remove(mine);
    await settle();
    const states = await run(async (ctx) =>
      (await ctx.db.query("assetReferences").take(9)).map(({ key, state }) => [key, state]),
    );
    expect(Object.fromEntries(states)).toEqual({
      [`${TALK} 0`]: "released",
      [`${TALK} 1`]: "released",
      "only-mine": "released",
      "https://media.example/b.mp4 0": "active",
      "https://media.example/b.mp4 1": "active",
      shared: "active",
    });
  });

  it("is gone for everybody in the same moment", async () => {
    const twitch = {
      provider: "twitch" as const,
      twitchId: "7",
      url: "https://twitch.tv/videos/7",
    };
    const { job, messages } = await createJob(backend, { ...twitch, idempotencyKey: "k" });
    await runAll(backend, messages, PLAN);
    const { jobId } = job;
    const videoId = job.videoId as Id<"videos">;
    await remove(videoId);

    const { service, nobody } = backend;
    expect(await nobody.query(api.video.getByTwitchIdPublic, { twitchId: "7" })).toBeNull();
    expect(await service.query(api.videos.getJobById, { jobId })).toBeNull();
    expect(await service.query(api.jobs.get, { jobId, ownerId })).toBeNull();
    expect(
      await service.query(api.jobs.events, { jobId, ownerId, afterSeq: 0, limit: 9 }),
    ).toBeNull();
    expect(await service.query(api.jobs.list, { ownerId, limit: 9 })).toMatchObject({ jobs: [] });
    expect(await service.mutation(api.ledger.retry, { jobId, ownerId })).toEqual({
      kind: "not_found",
    });
    await expect(ada.query(api.videos.getVideo, { videoId })).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    const paginationOpts = { cursor: null, numItems: 9 };
    expect(await ada.query(api.videos.listVideos, { paginationOpts })).toMatchObject({ page: [] });
    const admin = backend.user("eve", "admin");
    expect(await admin.query(api.videos.listVideos, { paginationOpts })).toMatchObject({
      page: [],
    });
    expect(await ada.query(api.videos.getVideosByStatus, { status: "completed" })).toEqual([]);
    expect(await ada.query(api.videos.searchVideos, { query: "talk" })).toEqual([]);
    expect(await ada.query(api.videos.countVideos, {})).toMatchObject({ total: 0 });
    await expect(
      ada.mutation(api.videos.updateVideo, { videoId, title: "Back" }),
    ).rejects.toMatchObject({ data: { code: "not_found" } });
    await expect(
      service.mutation(api.video.updateStatus, { id: videoId, status: "Queued" }),
    ).rejects.toMatchObject({ data: { code: "not_found" } });

    // The same address, and the same idempotency key, are free again.
    const again = await createJob(backend, { ...twitch, idempotencyKey: "k" });
    expect(again.kind).toBe("created");
    expect(again.job.videoId).not.toBe(videoId);
    await settle();
    expect(await service.query(api.jobs.get, { jobId: again.job.jobId, ownerId })).not.toBeNull();
    await expect(remove(videoId)).rejects.toMatchObject({ data: { code: "not_found" } });
  });

  it("goes on where it stopped, when it is called again", async () => {
    const before = await census();
    const videoId = await furnish(TALK, 2);
    await remove(videoId);
    // What was scheduled is lost, after some steps.
    vi.clearAllTimers();
    for (let step = 0; step < 3; step += 1) {
      await backend.nobody.mutation(internal.videos.continueDeletion, { videoId });
      vi.clearAllTimers();
    }
    expect(Object.keys(await census()).length).toBeGreaterThan(1);
    await remove(videoId);
    await remove(videoId);
    await settle();
    expect(await census()).toEqual(before);
    await backend.nobody.mutation(internal.videos.continueDeletion, { videoId });
  });

  it("does nothing to a video that nobody deletes", async () => {
    const videoId = await furnish(TALK);
    const before = await census();
    await backend.nobody.mutation(internal.videos.continueDeletion, { videoId });
    expect(await census()).toEqual(before);
  });

  it("is for its owner and admins", async () => {
    const videoId = await furnish(TALK);
    await expect(remove(videoId, backend.user("bob"))).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    await remove(videoId, backend.user("eve", "admin"));
    await expect(ada.query(api.videos.getVideo, { videoId })).rejects.toMatchObject({
      data: { code: "not_found" },
    });
  });

  it("is refused while any job of the video is running", async () => {
    const first = await createJob(backend);
    const second = await createJob(backend);
    const videoId = first.job.videoId as Id<"videos">;
    const cancel = (jobId: string) =>
      backend.service.mutation(api.ledger.cancel, { jobId, ownerId });
    await cancel(second.job.jobId);
    await expect(remove(videoId)).rejects.toMatchObject({
      data: { code: "conflict", details: { jobId: first.job.jobId } },
    });
    await claimRun(backend, first.messages[0]!);
    await cancel(first.job.jobId);
    await remove(videoId);
    await settle();
    expect(await census()).toEqual({});
  });

  it("is refused while courses show it, naming those that are one's own", async () => {
    const videoId = await furnish(TALK);
    const course = (createdBy: string, name: string) =>
      run((ctx) => ctx.db.insert("courses", { name, createdBy, createdAt: 1, updatedAt: 1 }));
    const chapter = (courseId: Id<"courses">, own?: Id<"videos">) =>
      run((ctx) =>
        ctx.db.insert("chapters", { courseId, name: "A", order: 1, createdAt: 1, videoId: own }),
      );
    const legacy = await course(ownerId, "Of before");
    const inIt = await chapter(legacy, videoId);
    await expect(remove(videoId)).rejects.toMatchObject({
      data: { code: "conflict", details: { courses: [{ id: legacy, name: "Of before" }] } },
    });
    await run((ctx) => ctx.db.delete("chapters", inIt));
    const theirs = await chapter(await course(ownerIdOf("bob"), "Secret"));
    const itemId = await run((ctx) =>
      ctx.db.insert("contentItems", {
        chapterId: theirs,
        type: "video",
        videoId,
        order: 1,
        createdAt: 1,
      }),
    );
    await expect(remove(videoId)).rejects.toMatchObject({
      data: { code: "conflict", details: { courses: [] } },
    });
    await run((ctx) => ctx.db.delete("contentItems", itemId));
    await remove(videoId);
  });

  it("makes stale what cites it", async () => {
    const videoId = await furnish(TALK);
    const itemId = await run(async (ctx) => {
      const courseId = await ctx.db.insert("courses", { name: "C", createdAt: 1, updatedAt: 1 });
      const place = { courseId, name: "A", order: 1, createdAt: 1 };
      const chapterId = await ctx.db.insert("chapters", place);
      return ctx.db.insert("contentItems", {
        chapterId,
        type: "text",
        order: 1,
        createdAt: 1,
        citation: { videoId, textHash: "x" },
      });
    });
    await remove(videoId);
    await settle();
    const item = await run((ctx) => ctx.db.get("contentItems", itemId));
    expect(item?.staleAt).toBeDefined();
  });
});
