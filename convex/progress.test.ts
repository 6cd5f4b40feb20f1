// What a learner marks, and the percentages of a course, also one of before, through the functions
// that pages call.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { seedCourse } from "./model/learning/course.setup.ts";
import { type Learning, learnersAt, seedLearning, wait } from "./progress.setup.ts";
import { type Backend, ownerIdOf, refused, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

let learning: Learning;
let backend: Backend;
let courseId: Id<"courses">;
let video: Id<"contentItems">;
let text: Id<"contentItems">;
let quiz: Id<"contentItems">;
let assignment: Id<"contentItems">;
beforeEach(async () => {
  learning = await seedLearning();
  ({ backend, courseId, video, text, quiz, assignment } = learning);
});
const { mark, courseOf, detailOf, watch, playback, resume, removeItem } = learnersAt(
  () => learning,
);
const lea = () => backend.user("lea");

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

const enrollmentRow = () => backend.nobody.run(({ db }) => db.query("enrollments").first());
/** The rows of chapters and course. */
const wholeRows = () =>
  backend.nobody.run(async ({ db }) =>
    (await db.query("progress").take(50)).filter((row) => row.contentItemId === undefined),
  );

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
