// The video library, through its functions: whose videos are whose, and in which state.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Doc, Id } from "./_generated/dataModel.js";
import { api } from "./_generated/api.js";
import { patchVideo } from "./model/library/status.ts";
import { measureUsage } from "./reads.setup.ts";
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
import type { LibraryStatus } from "./tables/library.ts";

const PLAN = { media: 1, chat: 0, transcribe: 0, clips: 0 };
const URL_OF_TALK = "https://media.example/talk.mp4";

let backend: Backend;
let ada: ReturnType<Backend["user"]>;
let bob: typeof ada;
let admin: typeof ada;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  ada = backend.user("ada");
  bob = backend.user("bob");
  admin = backend.user("eve", "admin");
  return () => {
    restore();
    vi.unstubAllGlobals();
  };
});

let made = 0;
const create = (over: Partial<typeof api.videos.createVideo._args> = {}, who = ada) =>
  who.mutation(api.videos.createVideo, {
    title: "A talk",
    url: `https://media.example/${(made += 1)}.mp4`,
    ...over,
  });
const row = (id: Id<"videos">) => backend.nobody.run((ctx) => ctx.db.get("videos", id));
const patch = (id: Id<"videos">, fields: Partial<Doc<"videos">>) =>
  backend.nobody.run((ctx) => ctx.db.patch("videos", id, fields));
const page = { cursor: null, numItems: 50 };
const settle = () => backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);

describe("createVideo", () => {
  it("makes a pending video of one's own", async () => {
    const videoId = await create({
      youtubeVideoId: "abc123",
      title: " Introduction to AI ",
      url: "https://youtube.com/watch?v=abc123",
      transcript: "A lease ends.",
      notes: {},
      quiz: {},
    });
    await settle();
    expect(await ada.query(api.videos.getVideo, { videoId })).toMatchObject({
      status: "pending",
      ownerId: ownerIdOf("ada"),
      provider: "youtube",
      youtubeVideoId: "abc123",
      title: "Introduction to AI",
      transcript: "A lease ends.",
      hasTranscript: true,
      hasNotes: false,
      hasQuiz: false,
    });
    await expect(bob.query(api.videos.getVideo, { videoId })).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    expect(await admin.query(api.videos.getVideo, { videoId })).toMatchObject({ _id: videoId });
  });

  it("has each video once for an owner, in whatever spelling, and names the one there is", async () => {
    const videoId = await create({ url: "https://youtu.be/dQw4w9WgXcQ" });
    await expect(
      create({ url: "https://www.youtube.com/embed/dQw4w9WgXcQ" }),
    ).rejects.toMatchObject({ data: { code: "conflict", details: { videoId } } });
    await expect(
      create({ url: "https://e.example", youtubeVideoId: "dQw4w9WgXcQ" }),
    ).rejects.toMatchObject(refused("conflict"));
    expect(await create({ url: "https://youtu.be/dQw4w9WgXcQ" }, bob)).not.toBe(videoId);
  });
  it("is the row that a job over the same address takes, and the other way round", async () => {
    const videoId = await create({ url: "https://twitch.tv/videos/v2345678901", title: "Mine" });
    const { job } = await createJob(backend, {
      provider: "twitch",
      twitchId: "2345678901",
      url: "https://www.twitch.tv/videos/2345678901",
    });
    expect(job.videoId).toBe(videoId);
    expect(await row(videoId)).toMatchObject({ title: "Mine", jobId: job.jobId });
    const other = await createJob(backend);
    await expect(create({ url: URL_OF_TALK })).rejects.toMatchObject({
      data: { code: "conflict", details: { videoId: other.job.videoId } },
    });
  });

  it.each([
    ["no title", { title: "  " }],
    ["a long title", { title: "x".repeat(501) }],
    ["a script for a picture", { thumbnailUrl: "javascript:alert(1)" }],
    ["a length below 0", { durationInSeconds: -1 }],
    ["no number for a length", { durationInSeconds: Number.NaN }],
    ["no end of it", { durationInSeconds: Number.POSITIVE_INFINITY }],
    ["a day that never was", { publishedAt: 1e300 }],
    ["a long transcript", { transcript: "ü".repeat(257 * 1024) }],
    ["long notes", { notes: { text: "x".repeat(129 * 1024) } }],
    ["notes that no row holds", { notes: JSON.parse(`${"[".repeat(16)}${"]".repeat(16)}`) }],
    ["a long quiz of bytes", { quiz: new ArrayBuffer(129 * 1024) }],
    ["an id that is none", { youtubeVideoId: "../x" }],
    ["ids of two videos", { url: "https://youtu.be/dQw4w9WgXcQ", youtubeVideoId: "abc123" }],
    ["ids of two sites", { url: "https://twitch.tv/videos/23456789", youtubeVideoId: "abc123" }],
  ])("refuses %s", async (_name, over) => {
    await expect(create(over)).rejects.toMatchObject(refused("invalid_request"));
  });
  it("refuses what is no web address", async () => {
    await expect(create({ url: "gs://bucket/uploads/a" })).rejects.toMatchObject(
      refused("invalid_url"),
    );
  });
});

describe("createVideoFromUrl", () => {
  const oembed = (answer: unknown) => {
    const asked = vi.fn<(url: string) => Promise<Response>>(() =>
      Promise.resolve(new Response(JSON.stringify(answer))),
    );
    vi.stubGlobal("fetch", asked);
    return asked;
  };
  const paste = (url: string) => ada.action(api.videos.createVideoFromUrl, { url });

  it("asks the page's service for title, channel, picture and length", async () => {
    const asked = oembed({ title: "A talk", author_name: "Ada", duration: 62 });
    const { videoId, fetched } = await paste("https://vimeo.com/7100569");
    expect(fetched).toBe(true);
    expect(asked.mock.calls.map(([url]) => new URL(url).host)).toEqual(["vimeo.com"]);
    expect(await row(videoId)).toMatchObject({
      title: "A talk",
      channelTitle: "Ada",
      durationInSeconds: 62,
      libraryStatus: "pending",
      ownerId: ownerIdOf("ada"),
    });
  });
  it("takes the address for a title where the service says nothing of use", async () => {
    oembed({ title: 7, thumbnail_url: "javascript:alert(1)" });
    const { videoId, fetched } = await paste("https://youtu.be/dQw4w9WgXcQ");
    expect(fetched).toBe(false);
    expect(await row(videoId)).toMatchObject({
      title: "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    });
  });
  it("fetches nothing that a stranger names, and nothing for a video that is there", async () => {
    const asked = oembed({ title: "A" });
    await paste("http://169.254.169.254/latest");
    await paste("https://www.twitch.tv/videos/2345678901");
    await create({ url: "https://vimeo.com/7100569" });
    await expect(paste("https://vimeo.com/7100569")).rejects.toMatchObject(refused("conflict"));
    await expect(paste("file:///etc/passwd")).rejects.toMatchObject(refused("invalid_url"));
    expect(asked).not.toHaveBeenCalled();
  });
});

describe("updateVideo", () => {
  it("sets what is given, and takes away what is null", async () => {
    const videoId = await create({ channelTitle: "Ada", durationInSeconds: 5 });
    await ada.mutation(api.videos.updateVideo, {
      videoId,
      title: "Another",
      channelTitle: null,
      notes: { a: 1 },
    });
    const video = await row(videoId);
    expect(video).toMatchObject({ title: "Another", durationInSeconds: 5, notes: { a: 1 } });
    expect(video).not.toHaveProperty("channelTitle");
    expect(await ada.query(api.videos.getVideo, { videoId })).toMatchObject({ hasNotes: true });
  });
  it("is for one's own, within the same limits", async () => {
    const videoId = await create();
    const change = (who: typeof ada, title: string) =>
      who.mutation(api.videos.updateVideo, { videoId, title });
    await expect(change(bob, "Mine")).rejects.toMatchObject(refused("not_found"));
    await expect(change(ada, "")).rejects.toMatchObject(refused("invalid_request"));
    await change(admin, "Moderated");
    expect(await row(videoId)).toMatchObject({ title: "Moderated" });
  });
  it("what a person wrote stays when the analysis finds what the page says", async () => {
    const { videoId } = await ada.action(api.videos.createVideoFromUrl, { url: URL_OF_TALK });
    const analyze = async () => {
      const { messages } = await createJob(backend);
      await runAll(backend, messages, PLAN);
    };
    await analyze();
    expect(await row(videoId)).toMatchObject({ title: "A talk", durationInSeconds: 60 });
    await ada.mutation(api.videos.updateVideo, { videoId, title: "Mine", durationInSeconds: 5 });
    await analyze();
    expect(await row(videoId)).toMatchObject({ title: "Mine", durationInSeconds: 60 });
  });
  it("has a new transcript searched in place of the old one", async () => {
    const videoId = await create({ transcript: "Leases end." });
    await settle();
    await ada.mutation(api.videos.updateVideo, { videoId, transcript: "Queues are full." });
    await settle();
    const texts = await backend.nobody.run(async (ctx) =>
      (await ctx.db.query("transcriptCues").take(9)).map(({ text }) => text),
    );
    expect(texts).toEqual(["Queues are full."]);
  });
});

describe("lists", () => {
  const titlesOf = (videos: { title: string }[]) => videos.map(({ title }) => title);
  const withStatus = async (title: string, status: Doc<"videos">["status"], who = ada) => {
    const id = await create({ title }, who);
    if (status) await backend.service.mutation(api.video.updateStatus, { id, status });
    return id;
  };
  const byStatus = (who: typeof ada, status: LibraryStatus, limit?: number) =>
    who.query(api.videos.getVideosByStatus, { status, limit }).then(titlesOf);

  beforeEach(async () => {
    await withStatus("one waits", undefined);
    await withStatus("two runs", "Transcribing");
    await withStatus("three waits", "Queued");
    await withStatus("four waits elsewhere", undefined, bob);
    await withStatus("five is done", "Completed");
    await withStatus("six has failed", "Failed");
  });

  it("getVideosByStatus: one's own, newest first; an admin's everybody's", async () => {
    expect(await byStatus(ada, "pending")).toEqual(["three waits", "one waits"]);
    expect(await byStatus(ada, "pending", 1)).toEqual(["three waits"]);
    expect(await byStatus(ada, "processing")).toEqual(["two runs"]);
    expect(await byStatus(ada, "failed")).toEqual(["six has failed"]);
    expect(await byStatus(bob, "completed")).toEqual([]);
    expect(await byStatus(admin, "pending")).toEqual([
      "four waits elsewhere",
      "three waits",
      "one waits",
    ]);
    for (const limit of [0, 101, 1.5, Number.NaN]) {
      await expect(byStatus(ada, "pending", limit)).rejects.toMatchObject(
        refused("invalid_request"),
      );
    }
  });
  it("listVideos goes through all, a page at a time", async () => {
    const seen: string[] = [];
    for (let cursor: string | null = null, done = false; !done;) {
      const found: Awaited<ReturnType<typeof list>> = await list(cursor);
      seen.push(...titlesOf(found.page));
      ({ isDone: done, continueCursor: cursor } = found);
    }
    expect(seen).toEqual([
      "six has failed",
      "five is done",
      "three waits",
      "two runs",
      "one waits",
    ]);
    const own = { paginationOpts: page, status: "pending" as const };
    expect(titlesOf((await bob.query(api.videos.listVideos, own)).page)).toEqual([
      "four waits elsewhere",
    ]);
    const all = await admin.query(api.videos.listVideos, { paginationOpts: page });
    expect(all.page).toHaveLength(6);
  });
  const list = (cursor: string | null) =>
    ada.query(api.videos.listVideos, { paginationOpts: { cursor, numItems: 2 } });

  it("searchVideos finds titles, in a status where one is given", async () => {
    const search = (who: typeof ada, query: string, status?: LibraryStatus) =>
      who.query(api.videos.searchVideos, { query, status }).then(titlesOf);
    expect(await search(ada, "waits")).toHaveLength(2);
    expect(await search(ada, "elsewhere")).toEqual([]);
    expect(await search(admin, "elsewhere")).toEqual(["four waits elsewhere"]);
    expect(await search(ada, "done", "completed")).toEqual(["five is done"]);
    expect(await search(ada, "done", "pending")).toEqual([]);
    expect(await search(ada, " ")).toEqual([]);
    await expect(search(ada, "x".repeat(501))).rejects.toMatchObject(refused("invalid_request"));
  });
  it("countVideos counts one's own, by status", async () => {
    const expected = { pending: 2, processing: 1, completed: 1, failed: 1, total: 5 };
    expect(await ada.query(api.videos.countVideos, {})).toEqual(expected);
    const ownerId = ownerIdOf("ada");
    expect(await admin.query(api.videos.countVideos, { ownerId })).toEqual(expected);
    await expect(bob.query(api.videos.countVideos, { ownerId })).rejects.toMatchObject(
      refused("forbidden"),
    );
  });
  it("ends a list where the rows are large", async () => {
    const transcript = "x".repeat(500 * 1024);
    for (let i = 0; i < 18; i += 1) {
      await patch(await create({ title: `large ${i}` }, bob), { transcript });
    }
    const found = await bob.query(api.videos.getVideosByStatus, { status: "pending" });
    expect(found.length).toBeGreaterThan(10);
    expect(found.length).toBeLessThan(18);
    expect(JSON.stringify(found).length).toBeLessThan(20_000);
    const listed = await bob.query(api.videos.listVideos, { paginationOpts: page });
    expect(listed.isDone).toBe(false);
  });
  it("addresses of outputs are for the owner alone, and in no list", async () => {
    const { job, messages } = await createJob(backend, { url: URL_OF_TALK });
    await runAll(backend, messages, PLAN);
    const videoId = job.videoId as Id<"videos">;
    expect(await ada.query(api.videos.getVideo, { videoId })).toMatchObject({
      status: "completed",
      analysis: { status: "Completed", progressPercentage: 100, jobId: job.jobId },
      transcriptUrl: "https://signed.example/t",
    });
    const shown = [
      await admin.query(api.videos.getVideo, { videoId }),
      await ada.query(api.videos.getVideosByStatus, { status: "completed" }),
    ];
    expect(JSON.stringify(shown)).not.toContain("signed.example");
  });
});

describe("counts and statuses", () => {
  it("a legacy row gets both with its next write", async () => {
    const id = await backend.nobody.run((ctx) =>
      ctx.db.insert("videos", { title: "Old", ownerId: ownerIdOf("ada"), status: "Failed" }),
    );
    const count = () => ada.query(api.videos.countVideos, {});
    expect(await count()).toMatchObject({ total: 0 });
    expect(await ada.query(api.videos.getVideo, { videoId: id })).toMatchObject({
      status: "failed",
    });
    await ada.mutation(api.videos.updateVideo, { videoId: id, title: "Older" });
    expect(await count()).toMatchObject({ failed: 1, total: 1 });
  });

  it("backfillStatuses gives all legacy rows theirs, and leaves what is being deleted", async () => {
    await backend.nobody.run(async (ctx) => {
      for (let i = 0; i < 40; i += 1) {
        await ctx.db.insert("videos", {
          title: `Old ${i}`,
          ownerId: ownerIdOf("ada"),
          status: i % 2 ? "Completed" : undefined,
          deletingAt: i % 4 === 3 ? 1 : undefined,
        });
      }
    });
    for (let again = 0; again < 2; again += 1) {
      await backend.service.mutation(api.videos.backfillStatuses, {});
      await settle();
      expect(await ada.query(api.videos.countVideos, {})).toMatchObject({
        pending: 20,
        completed: 10,
        total: 30,
      });
    }
    expect(await ada.query(api.videos.getVideosByStatus, { status: "completed" })).toHaveLength(10);
  });

  it("progress does not touch the counts", async () => {
    const { job, messages } = await createJob(backend);
    await claimRun(backend, messages[0]!);
    const video = await row(job.videoId as Id<"videos">);
    const { usage } = await measureUsage(() =>
      backend.nobody.run((ctx) => patchVideo(ctx, video!, { progressPercentage: 7 })),
    );
    expect(usage).toMatchObject({ documentsWritten: 1 });
  });
});
