// A learner's way through a course, through the functions that pages call.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { seedCourse } from "./model/learning/course.setup.ts";
import { measureUsage } from "./reads.setup.ts";
import {
  type Backend,
  createBackend,
  ownerIdOf,
  refused,
  standInEnvironment,
} from "./testing.setup.ts";

beforeEach(standInEnvironment);

let backend: Backend;
let courseId: Id<"courses">;
let video: Id<"contentItems">;
let text: Id<"contentItems">;
let quiz: Id<"contentItems">;
let assignment: Id<"contentItems">;
beforeEach(async () => {
  vi.setSystemTime(1_000_000);
  backend = createBackend();
  const seeded = await seedCourse(backend, [
    { type: "video", startSec: 100, endSec: 300 },
    { type: "text", textContent: "Read." },
    { type: "quiz", quizData: {} },
    { type: "assignment", assignmentData: {} },
  ]);
  courseId = seeded.courseId;
  [video, text, quiz, assignment] = seeded.itemIds as [
    Id<"contentItems">,
    Id<"contentItems">,
    Id<"contentItems">,
    Id<"contentItems">,
  ];
});

const lea = () => backend.user("lea");
const mark = (contentItemId: Id<"contentItems">, completed = true, name = "lea") =>
  backend.user(name).mutation(api.progress.markCompleted, { courseId, contentItemId, completed });
const courseOf = (name = "lea") =>
  backend.user(name).query(api.progress.getUserCourseProgress, { courseId });
const detailOf = (name = "lea") =>
  backend.user(name).query(api.progress.getUserProgress, { courseId });
const enroll = (name = "lea") => backend.user(name).mutation(api.enrollments.enroll, { courseId });
const watch = (positionSec: number, watchedSec = 10, name = "lea") =>
  backend
    .user(name)
    .mutation(api.progress.watched, { contentItemId: video, positionSec, watchedSec });
const playback = () => lea().query(api.progress.getPlayback, { contentItemId: video });
const resume = () => lea().query(api.progress.getResume, { courseId });
const wait = (sec: number) => vi.setSystemTime(Date.now() + sec * 1000);
const removeItem = (itemId: Id<"contentItems">) =>
  backend.nobody.run(async ({ db }) => {
    const item = await db.get("contentItems", itemId);
    const chapter = await db.get("chapters", item!.chapterId);
    const itemIds = chapter?.itemIds?.filter((id) => id !== itemId) ?? [];
    await db.patch("chapters", chapter!._id, { itemIds });
    await db.delete("contentItems", itemId);
  });

describe("marking", () => {
  it("works as the document has it, and enrols", async () => {
    await lea().mutation(api.progress.markCompleted, {
      userId: "lea",
      courseId,
      contentItemId: text,
      completed: true,
    });
    const mine = { userId: ownerIdOf("lea"), courseId };
    expect(await lea().query(api.progress.getUserCourseProgress, mine)).toEqual({
      completed: 1,
      total: 4,
      percentage: 25,
    });
    expect(await lea().query(api.progress.getUserProgress, mine)).toMatchObject({
      enrolledAt: 1_000_000,
      completed: false,
      completedAt: null,
      progressPercentage: 25,
      completedItems: 1,
      totalItems: 4,
      chapters: [
        {
          progressPercentage: 25,
          items: [
            { contentItemId: video, completed: false, startedAt: null },
            { contentItemId: text, completed: true, completedAt: 1_000_000 },
            {},
            {},
          ],
        },
      ],
    });
    expect(await lea().query(api.progress.getUserOverallProgress, { userId: "lea" })).toEqual({
      courses: 1,
      completedCourses: 0,
      completedItems: 1,
      totalItems: 4,
      percentage: 25,
      perCourse: [{ courseId, name: "A course", completed: 1, total: 4, percentage: 25 }],
      hasMore: false,
    });
  });
  it("twice is once, and is taken back", async () => {
    await mark(text);
    wait(5);
    await mark(text);
    expect(await courseOf()).toMatchObject({ completed: 1 });
    expect((await detailOf()).chapters[0]?.items[1]?.completedAt).toBe(1_000_000);
    await mark(text, false);
    expect(await courseOf()).toMatchObject({ completed: 0, percentage: 0 });
    await mark(video, false);
    await mark(video, false, "bob");
    expect(await detailOf("bob")).toMatchObject({ enrolledAt: null });
    expect((await detailOf()).chapters[0]?.items[0]?.startedAt).toBeNull();
  });
  it("leaves quizzes and assignments to their grading", async () => {
    for (const item of [quiz, assignment]) {
      await expect(mark(item)).rejects.toMatchObject(refused("conflict"));
      await expect(mark(item, false)).rejects.toMatchObject(refused("conflict"));
    }
    expect(await courseOf()).toMatchObject({ completed: 0 });
  });
  it("is for oneself, and for items of the course", async () => {
    const bob = { userId: ownerIdOf("bob"), courseId };
    await expect(
      lea().mutation(api.progress.markCompleted, { ...bob, contentItemId: text, completed: true }),
    ).rejects.toMatchObject(refused("forbidden"));
    for (const read of [api.progress.getUserProgress, api.progress.getUserCourseProgress]) {
      await expect(lea().query(read, bob)).rejects.toMatchObject(refused("forbidden"));
    }
    await expect(
      lea().query(api.progress.getUserOverallProgress, { userId: "bob" }),
    ).rejects.toMatchObject(refused("forbidden"));
    const other = await seedCourse(backend, [{ type: "text", textContent: "Other." }]);
    await expect(mark(other.itemIds[0]!)).rejects.toMatchObject(refused("not_found"));
    await expect(
      lea().mutation(api.progress.markCompleted, { courseId, completed: true }),
    ).rejects.toMatchObject(refused("invalid_request"));
  });
  it("sees no draft", async () => {
    await mark(text);
    await backend.nobody.run(({ db }) => db.patch("courses", courseId, { isPublished: false }));
    const notFound = refused("not_found");
    await expect(mark(text)).rejects.toMatchObject(notFound);
    await expect(courseOf()).rejects.toMatchObject(notFound);
    await expect(detailOf()).rejects.toMatchObject(notFound);
    await expect(resume()).rejects.toMatchObject(notFound);
    await expect(watch(110)).rejects.toMatchObject(notFound);
    await expect(playback()).rejects.toMatchObject(notFound);
    const overall = await lea().query(api.progress.getUserOverallProgress, {});
    expect(overall).toMatchObject({ courses: 0, percentage: 0, hasMore: false });
  });
  it("keeps learners apart", async () => {
    await mark(text);
    await mark(video, true, "bob");
    expect((await detailOf()).chapters[0]?.items.map((item) => item.completed)).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect((await detailOf("bob")).chapters[0]?.items.map((item) => item.completed)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(await courseOf("eve")).toMatchObject({ completed: 0, total: 4 });
  });
});

describe("a course", () => {
  it("is complete when all is, also after items went and came", async () => {
    await mark(text);
    await removeItem(quiz);
    await removeItem(assignment);
    expect(await courseOf()).toEqual({ completed: 1, total: 2, percentage: 50 });
    wait(60);
    await mark(video);
    expect(await courseOf()).toEqual({ completed: 2, total: 2, percentage: 100 });
    const whole = { completed: true, completedAt: 1_060_000, progressPercentage: 100 };
    expect(await detailOf()).toMatchObject({ ...whole, chapters: [whole] });
    expect(await enrollmentRow()).toMatchObject({ completedAt: 1_060_000 });
    expect(await wholeRows()).toMatchObject([whole, whole]);

    await removeItem(text);
    expect(await courseOf()).toEqual({ completed: 1, total: 1, percentage: 100 });
    await removeItem(video);
    expect(await courseOf()).toEqual({ completed: 0, total: 0, percentage: 0 });
    expect(await detailOf()).toMatchObject({ completed: false, completedAt: null });
  });
  it("is taken back with one of its items", async () => {
    await removeItem(quiz);
    await removeItem(assignment);
    await mark(text);
    await mark(video);
    await mark(text, false);
    expect((await enrollmentRow())?.completedAt).toBeUndefined();
    expect(await wholeRows()).toMatchObject([
      { completed: false, progressPercentage: 50 },
      { completed: false, progressPercentage: 50 },
    ]);
  });
  it("counts one of several legacy rows of an item, the one that is written", async () => {
    await backend.nobody.run(async ({ db }) => {
      const row = { userId: ownerIdOf("lea"), courseId, contentItemId: text };
      for (let n = 0; n < 2; n += 1) await db.insert("progress", { ...row, completed: false });
    });
    await mark(text);
    expect(await courseOf()).toMatchObject({ completed: 1 });
    await mark(text, false);
    expect(await courseOf()).toMatchObject({ completed: 0 });
  });
  it("counts a legacy chapter, which is its video, as one item", async () => {
    const [old, empty] = await backend.nobody.run(async ({ db }) => {
      const videoId = await db.insert("videos", { title: "Old", durationInSeconds: 60 });
      const row = { courseId, name: "Old", createdAt: 0 };
      return [
        await db.insert("chapters", { ...row, videoId, order: 2 }),
        await db.insert("chapters", { ...row, order: 3 }),
      ] as const;
    });
    const markChapter = (chapterId: Id<"chapters">, completed = true) =>
      lea().mutation(api.progress.markCompleted, { courseId, chapterId, completed });
    await markChapter(old);
    expect(await courseOf()).toEqual({ completed: 1, total: 5, percentage: 20 });
    expect((await detailOf()).chapters[1]).toMatchObject({
      chapterId: old,
      completed: true,
      items: [{ contentItemId: null, completed: true }],
    });
    await markChapter(old, false);
    expect(await courseOf()).toMatchObject({ completed: 0 });
    await markChapter(old);
    const item = { chapterId: old, type: "text" as const, textContent: "New." };
    await backend.user("ada", "instructor").mutation(api.contentItems.create, item);
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await courseOf()).toEqual({ completed: 1, total: 6, percentage: 17 });
    expect((await detailOf()).chapters[1]).toMatchObject({ completed: false, completedItems: 1 });
    await expect(markChapter(old)).rejects.toMatchObject(refused("conflict"));
    await expect(markChapter(empty)).rejects.toMatchObject(refused("conflict"));
    const { chapters } = await detailOf();
    await expect(markChapter(chapters[0]!.chapterId)).rejects.toMatchObject(refused("conflict"));
  });
  it("keeps what was done with a legacy chapter while its rows move to the new item", async () => {
    const old = await backend.nobody.run(async ({ db }) => {
      const videoId = await db.insert("videos", { title: "Old", durationInSeconds: 60 });
      return db.insert("chapters", { courseId, name: "Old", videoId, order: 2, createdAt: 0 });
    });
    const completed = async () => [
      (await courseOf("lea")).completed,
      (await courseOf("bob")).completed,
    ];
    for (const name of ["lea", "bob"]) {
      const done = { courseId, chapterId: old, completed: true };
      await backend.user(name).mutation(api.progress.markCompleted, done);
    }
    wait(1);
    const ada = backend.user("ada", "instructor");
    const item = { chapterId: old, type: "text" as const, textContent: "New." };
    const added = await ada.mutation(api.contentItems.create, item);
    expect(await completed()).toEqual([1, 1]);
    wait(1);
    // Somebody is at it before any row has moved, and who has completed the course is looked at first.
    await mark(added);
    const [own] = await ada.query(api.contentItems.getByChapter, { chapterId: old });
    await lea().mutation(api.progress.opened, { contentItemId: own!._id! });
    const step = { courseId, recount: 1, cursor: null };
    await backend.nobody.mutation(internal.progress.recount, step);
    expect(await completed()).toEqual([2, 1]);
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await completed()).toEqual([2, 1]);
    const { began, finished } = await ada.query(api.analytics.getItemAnalytics, {
      contentItemId: own!._id!,
    });
    expect([began, finished]).toEqual([2, 2]);
    await mark(own!._id!, false);
    expect(await completed()).toEqual([1, 1]);
  });
  it("of before, whose chapters do not name their items, has those counted", async () => {
    await backend.nobody.run(async ({ db }) => {
      const chapter = await db.query("chapters").first();
      await db.patch("chapters", chapter!._id, { itemIds: undefined });
    });
    await mark(text);
    expect(await courseOf()).toEqual({ completed: 1, total: 4, percentage: 25 });
  });
  it("takes rows of before as they are", async () => {
    await backend.nobody.run(({ db }) =>
      db.insert("progress", {
        userId: ownerIdOf("lea"),
        courseId,
        contentItemId: text,
        completed: true,
      }),
    );
    expect(await courseOf()).toMatchObject({ completed: 1 });
    await mark(text, false);
    expect(await courseOf()).toMatchObject({ completed: 0 });
    const { began, finished } = await backend
      .user("ada", "instructor")
      .query(api.analytics.getItemAnalytics, { contentItemId: text });
    expect([began, finished]).toEqual([1, 0]);
  });
});

const enrollmentRow = () => backend.nobody.run(({ db }) => db.query("enrollments").first());
/** The rows of chapters and course. */
const wholeRows = () =>
  backend.nobody.run(async ({ db }) =>
    (await db.query("progress").take(50)).filter((row) => row.contentItemId === undefined),
  );

describe("watching", () => {
  beforeEach(() => enroll());

  it("keeps where one is, how far one was, and for how long", async () => {
    expect(await playback()).toBeNull();
    await watch(110);
    wait(10);
    await watch(190);
    wait(10);
    await watch(150);
    expect(await playback()).toEqual({
      lastPositionSec: 150,
      furthestPositionSec: 190,
      secondsWatched: 30,
    });
    expect((await detailOf()).chapters[0]?.items[0]).toMatchObject({
      completed: false,
      progressPercentage: 45,
    });
  });
  it("completes the video when 90 % of its part was reached", async () => {
    expect(await watch(279)).toEqual({ completed: false });
    wait(1);
    expect(await watch(280)).toEqual({ completed: true });
    expect(await courseOf()).toMatchObject({ completed: 1 });
  });
  it("does not complete again what was taken back, until by hand", async () => {
    await watch(290);
    await mark(video, false);
    wait(10);
    expect(await watch(300)).toEqual({ completed: false });
    expect((await detailOf()).chapters[0]?.items[0]).toMatchObject({ progressPercentage: 95 });
    await mark(video);
    expect(await courseOf()).toMatchObject({ completed: 1 });
  });
  it("counts no more seconds than passed", async () => {
    await watch(110, 1e9);
    expect((await playback())?.secondsWatched).toBe(15);
    await watch(111, 1e9);
    expect((await playback())?.secondsWatched).toBe(15);
    wait(4);
    await watch(112, 1e9);
    expect((await playback())?.secondsWatched).toBe(19);
    wait(3600);
    await watch(113, 3600);
    expect((await playback())?.secondsWatched).toBe(79);
  });
  it.each([
    ["no number", Number.NaN, 1],
    ["no end", Infinity, 1],
    ["before the part", 94, 1],
    ["behind the part", 306, 1],
    ["below nothing", -1, 1],
    ["less than no time", 110, -1],
    ["no time", 110, Number.NaN],
    ["for ever", 110, Infinity],
  ])("refuses %s", async (_name, positionSec, watchedSec) => {
    await expect(watch(positionSec, watchedSec)).rejects.toMatchObject(refused("invalid_request"));
    expect(await playback()).toBeNull();
  });
  it("holds a player's rounding to the part", async () => {
    await watch(97);
    expect(await playback()).toMatchObject({ lastPositionSec: 100 });
    await watch(304);
    expect(await playback()).toMatchObject({ lastPositionSec: 300 });
  });
  it("takes the video's length where the item has no end, and does without one", async () => {
    const videoId = await backend.nobody.run(async ({ db }) => {
      const id = await db.insert("videos", { title: "Talk" });
      await db.patch("contentItems", video, {
        videoId: id,
        startSec: undefined,
        endSec: undefined,
      });
      return id;
    });
    expect(await watch(5_000)).toEqual({ completed: false });
    await backend.nobody.run(({ db }) => db.patch("videos", videoId, { durationInSeconds: 100 }));
    await expect(watch(200)).rejects.toMatchObject(refused("invalid_request"));
    expect(await watch(95)).toEqual({ completed: true });
  });
  it("begins anew where the item shows another video", async () => {
    const ada = backend.user("ada", "instructor");
    const newVideo = (name: string) =>
      ada.mutation(api.videos.createVideo, {
        title: name,
        url: `https://media.example/${name}.mp4`,
        durationInSeconds: 300,
      });
    const show = (change: { videoId?: Id<"videos">; startSec?: null; endSec?: number | null }) =>
      ada.mutation(api.contentItems.update, { id: video, ...change });
    await show({ videoId: await newVideo("first"), startSec: null, endSec: null });
    await enroll();
    await watch(250);
    expect(await playback()).toMatchObject({ furthestPositionSec: 250 });

    await show({ videoId: await newVideo("second"), endSec: 200 });
    expect(await playback()).toBeNull();
    expect(await resume()).toMatchObject({ last: { contentItemId: video, playback: null } });
    expect(await watch(5)).toEqual({ completed: false });
    expect(await playback()).toEqual({
      lastPositionSec: 5,
      furthestPositionSec: 5,
      secondsWatched: 10,
    });
    wait(10);
    expect(await watch(190)).toEqual({ completed: true });
  });
  it("begins anew where the item shows another part of the video", async () => {
    await enroll();
    await watch(250);
    const ada = backend.user("ada", "instructor");
    await ada.mutation(api.contentItems.update, { id: video, startSec: null, endSec: 100 });
    expect(await playback()).toBeNull();
    expect(await watch(5)).toEqual({ completed: false });
    expect(await playback()).toMatchObject({ lastPositionSec: 5, furthestPositionSec: 5 });
  });
  it("is of videos", async () => {
    await expect(
      lea().mutation(api.progress.watched, { contentItemId: text, positionSec: 1, watchedSec: 1 }),
    ).rejects.toMatchObject(refused("invalid_request"));
  });
  it("is kept of those who are enrolled alone", async () => {
    expect(await watch(110, 10, "eve")).toBeNull();
    const opened = await backend
      .user("ada", "instructor")
      .mutation(api.progress.opened, { contentItemId: text });
    expect(opened).toBeNull();
    const rows = await backend.nobody.run(({ db }) => db.query("playback").take(5));
    expect(rows).toEqual([]);
  });
  it("costs little where nothing changes that is counted", async () => {
    await watch(150);
    wait(10);
    const { usage } = await measureUsage(() => watch(152));
    expect(usage.documentsWritten).toBe(1);
    expect(usage.documentsRead).toBeLessThanOrEqual(8);
    wait(10);
    const { usage: next } = await measureUsage(() => watch(165));
    expect(next.documentsWritten).toBeGreaterThan(1);
  });
});

describe("where to go on", () => {
  it("is the course's start, then the last item until it is completed, then the next", async () => {
    expect(await resume()).toMatchObject({ last: null, next: { contentItemId: video } });
    await enroll();
    await watch(150);
    const at = {
      contentItemId: video,
      completed: false,
      playback: { lastPositionSec: 150, furthestPositionSec: 150, secondsWatched: 10 },
    };
    expect(await resume()).toMatchObject({ last: at, next: at });
    await mark(video);
    expect(await resume()).toMatchObject({
      last: { contentItemId: video, completed: true },
      next: { contentItemId: text, completed: false, playback: null },
    });
  });
  it("is the next chapter's, then what was left out before", async () => {
    const second = await backend.nobody.run(async ({ db }) => {
      const chapterId = await db.insert("chapters", {
        courseId,
        name: "Two",
        order: 2,
        createdAt: 0,
      });
      const row = { chapterId, courseId, type: "text" as const, createdAt: 0 };
      // Their order is not that of their making.
      const last = await db.insert("contentItems", { ...row, order: 9, textContent: "b" });
      const first = await db.insert("contentItems", { ...row, order: 3, textContent: "a" });
      await db.patch("chapters", chapterId, { itemIds: [last, first] });
      return { first, last };
    });
    await removeItem(quiz);
    await removeItem(assignment);
    await mark(text);
    expect(await resume()).toMatchObject({ next: { contentItemId: second.first } });
    await mark(second.first);
    expect(await resume()).toMatchObject({ next: { contentItemId: second.last } });
    await mark(second.last);
    expect(await resume()).toMatchObject({ next: { contentItemId: video } });
    await mark(video);
    expect(await resume()).toMatchObject({ last: { contentItemId: video }, next: null });
    await mark(second.first, false);
    expect(await resume()).toMatchObject({ next: { contentItemId: second.first } });
    await removeItem(second.first);
    expect(await resume()).toMatchObject({ last: null, next: null });
  });
});

describe("what is gone", () => {
  const forget = (what: Parameters<typeof schedule>[0]) => schedule(what);
  const schedule = async (what: (typeof internal.progress.forget)["_args"]["what"]) => {
    await backend.nobody.mutation(internal.progress.forget, { what });
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
  };
  const count = (table: "progress" | "playback" | "enrollments") =>
    backend.nobody.run(async ({ db }) => (await db.query(table).take(300)).length);

  it("is forgotten of an item, a step at a time", async () => {
    await enroll();
    await watch(150);
    await mark(text);
    await backend.nobody.run(async ({ db }) => {
      for (let learner = 0; learner < 120; learner += 1) {
        const row = { userId: `learner ${learner}`, courseId, contentItemId: video };
        await db.insert("progress", { ...row, completed: false });
      }
      const row = { userId: ownerIdOf("lea"), courseId, contentItemId: video };
      const attempt = { attempt: 1, seed: 1, quiz: {}, answers: {}, startedAt: 0 };
      await db.insert("quizAttempts", { ...row, ...attempt, state: "open" });
      const submission = { version: 1, submittedAt: 0, state: "submitted" as const };
      await db.insert("assignmentSubmissions", { ...row, ...submission });
    });
    const { usage } = await measureUsage(() =>
      backend.nobody.mutation(internal.progress.forget, {
        what: { kind: "item", contentItemId: video },
      }),
    );
    expect(usage.documentsWritten).toBeLessThan(130);
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await count("playback")).toBe(0);
    const left = await backend.nobody.run(async ({ db }) => ({
      items: (await db.query("progress").take(300)).flatMap((row) => row.contentItemId ?? []),
      attempts: await db.query("quizAttempts").take(1),
      submissions: await db.query("assignmentSubmissions").take(1),
    }));
    expect(left).toEqual({ items: [text], attempts: [], submissions: [] });
    const { began } = await backend
      .user("ada", "instructor")
      .query(api.analytics.getItemAnalytics, { contentItemId: video });
    expect(began).toBe(0);
  });
  it("is forgotten of a chapter and a course", async () => {
    await mark(text);
    await mark(text, true, "bob");
    const { chapters } = await detailOf();
    expect(await count("progress")).toBe(6);
    await forget({ kind: "chapter", chapterId: chapters[0]!.chapterId });
    expect(await count("progress")).toBe(4);
    await forget({ kind: "course", courseId });
    expect(await count("progress")).toBe(0);
    expect(await count("enrollments")).toBe(0);
    expect(await lea().query(api.enrollments.countByCourse, { courseId })).toBe(0);
  });
});
