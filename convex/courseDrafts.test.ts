// Courses drafted from videos, through the functions that instructors call.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { hashPieces, inSpan, loadPieces } from "./model/library/transcript.ts";
import {
  type Backend,
  createBackend,
  ownerIdOf,
  refused,
  standInEnvironment,
} from "./testing.setup.ts";

beforeEach(standInEnvironment);

let backend: Backend;
beforeEach(() => {
  backend = createBackend();
});

const QUIZ = { questions: [{ question: "So?", options: ["Yes", "No"], correctAnswer: 0 }] };
const PIECES = ["first minute", "second minute", "third minute"];
const ada = () => backend.user("ada", "instructor");

const insertVideo = (title: string, over: Partial<Doc<"videos">> = {}): Promise<Id<"videos">> =>
  backend.nobody.run(({ db }) =>
    db.insert("videos", { title, ownerId: ownerIdOf("ada"), ...over }),
  );

/** Makes these the pieces of the video's transcript, a minute each. */
const writePieces = (videoId: Id<"videos">, generation: string, texts: readonly string[]) =>
  backend.nobody.run(async ({ db }) => {
    for (const [index, text] of texts.entries()) {
      const times = { startSec: index * 60, endSec: index * 60 + 60 };
      await db.insert("transcriptCues", { videoId, generation, index, ...times, text });
    }
    await db.patch("videos", videoId, { transcriptGeneration: generation });
  });

/** A video with three minutes of transcript in two topics, notes, and a quiz. */
const analysedVideo = async (title: string, over: Partial<Doc<"videos">> = {}) => {
  const videoId = await insertVideo(title, {
    durationInSeconds: 180,
    notes: { sections: [{ title: "Later", text: "b", start_sec: 130 }] },
    quiz: QUIZ,
    ...over,
  });
  await writePieces(videoId, "one", PIECES);
  await backend.nobody.run(({ db }) =>
    db.insert("videoOutlines", {
      videoId,
      jobId: "job",
      chapters: [
        { title: "Start", startSec: 0, endSec: 60 },
        { title: "End", startSec: 60, endSec: 180 },
      ],
      highlights: [{ rank: 1, title: "Best", startSec: 70, endSec: 90, score: 1 }],
      createdAt: 0,
    }),
  );
  return videoId;
};

const draft = async (
  videoIds: Id<"videos">[],
  over: { name?: string; description?: string } = {},
) => {
  const courseId = await ada().mutation(api.courseDrafts.draftFromVideos, {
    videoIds,
    ...over,
  });
  return courseId;
};
const settle = () => backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
const getCourse = (courseId: Id<"courses">) =>
  ada().query(api.courses.getCourseWithStructure, { courseId });
const shape = ({ chapters }: Awaited<ReturnType<typeof getCourse>>) =>
  chapters.map(({ name, contentItems }) => [name, ...contentItems.map(({ title }) => title)]);

describe("a draft", () => {
  it("is made of the videos' topics, highlights, notes and quizzes, in their order", async () => {
    const videoIds = [await analysedVideo("First"), await analysedVideo("Second")];
    const courseId = await draft(videoIds);
    expect(await getCourse(courseId)).toMatchObject({ status: "generating", chapters: [] });
    await settle();
    const course = await getCourse(courseId);
    expect(course).toMatchObject({
      name: "First and 1 more",
      status: "draft",
      isPublished: false,
      generation: { videoIds, done: 2, warnings: [] },
    });
    const ofOne = [
      ["Start", "Start"],
      ["End", "End", "Highlight: Best", "Later", "Quiz"],
    ];
    expect(shape(course)).toEqual([...ofOne, ...ofOne]);
    expect(course.chapters.map(({ order }) => order)).toEqual([1, 2, 3, 4]);
    const [, end] = course.chapters;
    expect(end?.contentItems).toMatchObject([
      { type: "video", videoId: videoIds[0], startSec: 60, endSec: 180, order: 1 },
      { type: "video", videoId: videoIds[0], startSec: 70, endSec: 90 },
      { type: "text", textContent: "<p>b</p>" },
      { type: "quiz", quizData: { passPercentage: 70 } },
    ]);
  });
  it("can be published as it is, and counts its content", async () => {
    const courseId = await draft([await analysedVideo("A talk")], { name: "Mine" });
    await settle();
    const { contentBytes, chapters } = await getCourse(courseId);
    await ada().mutation(api.courses.updateCourse, { id: courseId, isPublished: true });
    expect(await getCourse(courseId)).toMatchObject({ name: "Mine", isPublished: true });
    const items = chapters.flatMap(({ contentItems }) => contentItems);
    for (const { _id } of items) {
      if (_id) await ada().mutation(api.contentItems.deleteContentItem, { id: _id });
    }
    expect(contentBytes).toBeGreaterThan(100);
    expect((await getCourse(courseId)).contentBytes).toBe(0);
  });
  it("of a video with nothing but its transcript is one chapter", async () => {
    const videoId = await insertVideo("A talk", { transcript: "All that is said." });
    const courseId = await draft([videoId]);
    await settle();
    const course = await getCourse(courseId);
    expect(shape(course)).toEqual([["A talk", "A talk"]]);
    const [item] = course.chapters[0]?.contentItems ?? [];
    expect(item).toMatchObject({ type: "video", videoId });
    expect(item).not.toHaveProperty("startSec");
  });
  it("says what was left out", async () => {
    const videoId = await insertVideo("A talk", { transcript: "Words.", quiz: { questions: [1] } });
    const courseId = await draft([videoId]);
    await settle();
    expect(await getCourse(courseId)).toMatchObject({
      status: "draft",
      generation: {
        warnings: [
          "A talk: It has no notes.",
          "A talk: The quiz is left out. Question 1: it is no question.",
        ],
      },
    });
  });
  it.each<[string, Partial<Doc<"videos">>, string[]]>([
    ["were never asked for", {}, ["A talk: It has no notes and no quiz."]],
    [
      "failed",
      { study: { state: "failed", run: 1, startedAt: 1, errorMessage: "The endpoint is away." } },
      ["A talk: It has no notes and no quiz: making them failed. The endpoint is away."],
    ],
    [
      "are being made",
      { notes: "Notes.", study: { state: "processing", run: 1, startedAt: 1 } },
      ["A talk: It has no quiz yet: they are being made."],
    ],
    [
      "failed when they were made anew",
      { notes: "Notes.", quiz: QUIZ, study: { state: "failed", run: 2, startedAt: 1 } },
      ["A talk: The notes and quiz may be old: making them anew failed."],
    ],
    ["are there", { notes: "Notes.", quiz: QUIZ }, []],
  ])("says of notes and quiz that they %s", async (_, over, warnings) => {
    const courseId = await draft([await insertVideo("A talk", { transcript: "Words.", ...over })]);
    await settle();
    expect(await getCourse(courseId)).toMatchObject({ status: "draft", generation: { warnings } });
  });
  it("adds nothing twice when a step runs twice", async () => {
    const courseId = await draft([await analysedVideo("First"), await analysedVideo("Second")]);
    for (const index of [0, 0, 1, 0, 1]) {
      await backend.nobody.mutation(internal.courseDrafts.draftStep, { courseId, index });
    }
    await settle();
    expect(shape(await getCourse(courseId))).toHaveLength(4);
  });
  it("is nobody else's business, and is not changed meanwhile", async () => {
    const courseId = await draft([await analysedVideo("A talk")]);
    for (const other of [backend.user("lea"), backend.user("eve", "instructor")]) {
      await expect(
        other.query(api.courses.getCourseWithStructure, { courseId }),
      ).rejects.toMatchObject(refused("not_found"));
    }
    await expect(
      ada().mutation(api.chapters.createChapter, { courseId, name: "Mine" }),
    ).rejects.toMatchObject(refused("conflict"));
  });
  it("ends with the deletion of its course", async () => {
    const courseId = await draft([await analysedVideo("A talk")]);
    await backend.nobody.run(({ db }) => db.patch("courses", courseId, { deletingAt: 1 }));
    await settle();
    const chapters = await backend.nobody.run(({ db }) => db.query("chapters").take(10));
    expect(chapters).toEqual([]);
  });
  it.each([
    ["none", 0],
    ["too many", 21],
  ])("is refused of %s", async (_, count) => {
    const videoIds = await Promise.all(Array.from({ length: count }, () => insertVideo("V")));
    await expect(draft(videoIds)).rejects.toMatchObject(refused("invalid_request"));
  });
  it("is refused of a video that has neither topics nor a transcript", async () => {
    const good = await analysedVideo("Good");
    const bare = await insertVideo("Bare", { transcript: " " });
    await expect(draft([good, bare])).rejects.toMatchObject({
      data: {
        code: "conflict",
        message: expect.stringContaining("Bare"),
        details: { videoId: bare },
      },
    });
    expect(await backend.nobody.run(({ db }) => db.query("courses").take(1))).toEqual([]);
  });
  it("is refused of one video twice, of somebody else's, and with a bad name", async () => {
    const videoId = await insertVideo("A talk", { transcript: "Words." });
    await expect(draft([videoId, videoId])).rejects.toMatchObject(refused("invalid_request"));
    await expect(draft([videoId], { name: " " })).rejects.toMatchObject(refused("invalid_request"));
    await expect(
      backend
        .user("eve", "instructor")
        .mutation(api.courseDrafts.draftFromVideos, { videoIds: [videoId] }),
    ).rejects.toMatchObject(refused("not_found"));
    await expect(
      backend.user("ada").mutation(api.courseDrafts.draftFromVideos, { videoIds: [videoId] }),
    ).rejects.toMatchObject(refused("forbidden"));
  });
});

describe("a draft that fails", () => {
  /** A draft of a good video, and of one that has lost its transcript since. */
  const draftOfBare = async () => {
    const good = await analysedVideo("Good");
    const bare = await insertVideo("Bare", { transcript: "Words." });
    const courseId = await draft([good, bare]);
    await backend.nobody.run(({ db }) => db.patch("videos", bare, { transcript: undefined }));
    return { bare, courseId };
  };
  it("names the video, and goes on from there", async () => {
    const { bare, courseId } = await draftOfBare();
    await settle();
    expect(await getCourse(courseId)).toMatchObject({
      status: "failed",
      errorMessage: '"Bare" has not been analysed yet, and has no transcript.',
      generation: { done: 1 },
    });
    await backend.nobody.run(({ db }) => db.patch("videos", bare, { transcript: "Words." }));
    await ada().mutation(api.courseDrafts.retryDraft, { courseId });
    await settle();
    const course = await getCourse(courseId);
    expect(course).toMatchObject({ status: "draft", generation: { done: 2 } });
    expect(course).not.toHaveProperty("errorMessage");
    expect(shape(course).map(([name]) => name)).toEqual(["Start", "End", "Bare"]);
    await expect(ada().mutation(api.courseDrafts.retryDraft, { courseId })).rejects.toMatchObject(
      refused("conflict"),
    );
  });
  it("can be used as far as it came, and then has not failed", async () => {
    const { courseId } = await draftOfBare();
    await settle();
    await ada().mutation(api.courses.updateCourse, { id: courseId, isPublished: true });
    const course = await getCourse(courseId);
    expect(course).toMatchObject({ status: "ready", isPublished: true });
    expect(course).not.toHaveProperty("errorMessage");
  });
  it("says that a video is gone", async () => {
    const videoId = await analysedVideo("A talk");
    const courseId = await draft([videoId]);
    await backend.nobody.run(({ db }) => db.delete("videos", videoId));
    await settle();
    expect(await getCourse(courseId)).toMatchObject({
      status: "failed",
      errorMessage: "Video 1 of 1 is not there any more.",
    });
  });
  it("says that there is no room left, and writes no more than a course may have", async () => {
    const { bare, courseId } = await draftOfBare();
    await settle();
    await backend.nobody.run(async ({ db }) => {
      await db.patch("videos", bare, { transcript: "Words." });
      for (let order = 3; order <= 100; order += 1) {
        await db.insert("chapters", { courseId, name: "More", order, itemIds: [], createdAt: 0 });
      }
    });
    await ada().mutation(api.courseDrafts.retryDraft, { courseId });
    await settle();
    expect(await getCourse(courseId)).toMatchObject({
      status: "failed",
      errorMessage: '"Bare" does not fit: the course is full.',
    });
    const chapters = await backend.nobody.run(({ db }) => db.query("chapters").take(200));
    expect(chapters).toHaveLength(100);
  });
  it("is told when its step never ends, and can be taken up again", async () => {
    const courseId = await draft([await analysedVideo("A talk")]);
    await backend.nobody.mutation(internal.courseDrafts.giveUp, { courseId, index: 0 });
    expect(await getCourse(courseId)).toMatchObject({ status: "failed" });
    await ada().mutation(api.courseDrafts.retryDraft, { courseId });
    await settle();
    expect(await getCourse(courseId)).toMatchObject({ status: "draft" });
  });
  it("is taken up by its owner alone", async () => {
    const courseId = await draft([await analysedVideo("A talk")]);
    await expect(
      backend.user("eve", "instructor").mutation(api.courseDrafts.retryDraft, { courseId }),
    ).rejects.toMatchObject(refused("not_found"));
  });
});

describe("what an item cites", () => {
  const items = async (courseId: Id<"courses">) =>
    (await getCourse(courseId)).chapters.flatMap(({ contentItems }) => contentItems);
  /** Titles of the items that are stale. */
  const stale = async (courseId: Id<"courses">) =>
    (await items(courseId)).flatMap(({ staleAt, title }) => (staleAt === undefined ? [] : [title]));
  const changePieces = async (videoId: Id<"videos">, generation: string, texts: string[]) => {
    await writePieces(videoId, generation, texts);
    await backend.nobody.mutation(internal.transcripts.markStale, { videoId, cursor: null });
    await settle();
  };

  it("is its span of the transcript", async () => {
    const videoId = await analysedVideo("A talk");
    const courseId = await draft([videoId]);
    await settle();
    const cited = (await items(courseId)).map(({ title, citation }) => ({ title, citation }));
    const video = await backend.nobody.run(({ db }) => db.get("videos", videoId));
    if (!video) throw new Error("no video");
    for (const { title, citation } of cited) {
      const { startSec, endSec, textHash } = citation ?? { textHash: "" };
      const span = startSec === undefined || endSec === undefined ? {} : { startSec, endSec };
      expect([title, textHash]).toEqual([
        title,
        await backend.nobody.run(async (ctx) =>
          hashPieces(inSpan(await loadPieces(ctx, video), span)),
        ),
      ]);
    }
    expect(cited.map(({ citation }) => [citation?.startSec, citation?.endSec])).toEqual([
      [0, 60],
      [60, 180],
      [70, 90],
      [130, 180],
      [undefined, undefined],
    ]);
  });
  it("makes it stale when that span changes, and no other", async () => {
    const videoId = await analysedVideo("A talk");
    const courseId = await draft([videoId]);
    await settle();
    await changePieces(videoId, "two", ["first minute", "second minute", "another minute"]);
    expect(await stale(courseId)).toEqual(["End", "Later", "Quiz"]);
    await changePieces(videoId, "three", ["a first minute", "second minute", "third minute"]);
    expect(await stale(courseId)).toEqual(["Start", "Quiz"]);
  });
  it("can be confirmed by the course's owner", async () => {
    const videoId = await analysedVideo("A talk");
    const courseId = await draft([videoId]);
    await settle();
    await changePieces(videoId, "two", ["a first minute", "second minute", "third minute"]);
    const [first] = await items(courseId);
    if (!first?._id) throw new Error("no item");
    const contentItemId = first._id;
    await ada().mutation(api.courseDrafts.confirmItem, { contentItemId });
    expect(await stale(courseId)).toEqual(["Quiz"]);
    await backend.nobody.mutation(internal.transcripts.markStale, { videoId, cursor: null });
    await settle();
    expect(await stale(courseId)).toEqual(["Quiz"]);
    await backend.nobody.run(({ db }) => db.delete("videos", videoId));
    await expect(
      ada().mutation(api.courseDrafts.confirmItem, { contentItemId }),
    ).rejects.toMatchObject(refused("conflict"));
  });
});
