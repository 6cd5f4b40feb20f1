// What a course's owner learns of learners as a whole.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { seedCourse } from "./model/learning/course.setup.ts";
import { type Backend, createBackend, refused, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

let backend: Backend;
let courseId: Id<"courses">;
let video: Id<"contentItems">;
let text: Id<"contentItems">;
beforeEach(async () => {
  backend = createBackend();
  const seeded = await seedCourse(backend, [
    { type: "video", startSec: 100, endSec: 200 },
    { type: "text", textContent: "Read." },
  ]);
  courseId = seeded.courseId;
  [video, text] = seeded.itemIds as [Id<"contentItems">, Id<"contentItems">];
});

const ada = () => backend.user("ada", "instructor");
const watch = async (name: string, ...positions: number[]) => {
  await backend.user(name).mutation(api.enrollments.enroll, { courseId });
  for (const positionSec of positions) {
    vi.setSystemTime(Date.now() + 10_000);
    const report = { contentItemId: video, positionSec, watchedSec: 10 };
    await backend.user(name).mutation(api.progress.watched, report);
  }
};
const mark = (name: string, contentItemId: Id<"contentItems">, completed = true) =>
  backend.user(name).mutation(api.progress.markCompleted, { courseId, contentItemId, completed });
const ofVideo = () => ada().query(api.analytics.getItemAnalytics, { contentItemId: video });
const ofCourse = (cursor?: string) =>
  ada().query(api.analytics.getCourseAnalytics, { courseId, ...(cursor ? { cursor } : {}) });

/** Where they gave up, by the percentage the part starts at. */
const gaveUpAt = async () => {
  const { gaveUp } = await ofVideo();
  return Object.fromEntries(
    gaveUp.filter(({ count }) => count > 0).map((part) => [part.fromPercentage, part.count]),
  );
};

describe("an item's figures", () => {
  it("are of nobody at first", async () => {
    expect(await ofVideo()).toMatchObject({
      began: 0,
      finished: 0,
      completionPercentage: 0,
      span: { startSec: 100, endSec: 200 },
    });
    expect((await ofVideo()).gaveUp).toHaveLength(20);
  });
  it("say who began and finished, and how far the others came", async () => {
    await watch("lea", 102, 137, 120);
    await watch("bob", 136);
    await watch("eve", 150, 195, 199);
    await watch("fay", 100);
    expect(await ofVideo()).toMatchObject({ began: 4, finished: 1, completionPercentage: 25 });
    expect(await gaveUpAt()).toEqual({ 0: 1, 35: 2 });
    await mark("bob", video);
    expect(await gaveUpAt()).toEqual({ 0: 1, 35: 1 });
    await mark("bob", video, false);
    expect(await gaveUpAt()).toEqual({ 0: 1, 35: 2 });
    await mark("eve", video, false);
    expect(await ofVideo()).toMatchObject({ began: 4, finished: 0 });
    expect(await gaveUpAt()).toEqual({ 0: 1, 35: 2, 95: 1 });
  });
  it("have no span where there is none", async () => {
    const item = await ada().query(api.analytics.getItemAnalytics, { contentItemId: text });
    expect(item.span).toBeNull();
  });
});

describe("a course's figures", () => {
  it("say who is enrolled and done, and each item's in order", async () => {
    await watch("lea", 199);
    await mark("lea", text);
    await watch("bob", 120);
    expect(await ofCourse()).toEqual({
      courseId,
      enrolled: 2,
      completed: 1,
      items: [
        expect.objectContaining({ contentItemId: video, began: 2, finished: 1 }),
        expect.objectContaining({ contentItemId: text, began: 1, completionPercentage: 100 }),
      ],
      isDone: true,
      continueCursor: "50",
    });
    await mark("lea", text, false);
    expect(await ofCourse()).toMatchObject({ enrolled: 2, completed: 0 });
    await backend.user("bob").mutation(api.enrollments.unenroll, { courseId });
    expect(await ofCourse()).toMatchObject({ enrolled: 1, completed: 0 });
  });
  it("come in pages, over chapters", async () => {
    const all = await backend.nobody.run(async ({ db }) => {
      const itemIds: Id<"contentItems">[] = [video, text];
      for (const order of [2, 3]) {
        const row = { courseId, name: "More", order, createdAt: 0 };
        const chapterId = await db.insert("chapters", row);
        const own: Id<"contentItems">[] = [];
        for (let index = 0; index < 40; index += 1) {
          const item = { chapterId, courseId, order: index, createdAt: 0, type: "text" as const };
          own.push(await db.insert("contentItems", item));
        }
        await db.patch("chapters", chapterId, { itemIds: own.toReversed() });
        itemIds.push(...own);
      }
      return itemIds;
    });
    const first = await ofCourse();
    expect(first).toMatchObject({ isDone: false, continueCursor: "50" });
    const second = await ofCourse(first.continueCursor);
    expect(second.isDone).toBe(true);
    const listed = [...first.items, ...second.items].map((item) => item.contentItemId);
    expect(listed).toEqual(all);
  });
  it("take no cursor of others' making", async () => {
    for (const cursor of ["-1", "NaN", "1.5", "x", "1e300"]) {
      await expect(ofCourse(cursor)).rejects.toMatchObject(refused("invalid_request"));
    }
  });
  it("are nobody else's", async () => {
    const bea = backend.user("bea", "instructor");
    await expect(bea.query(api.analytics.getCourseAnalytics, { courseId })).rejects.toMatchObject(
      refused("forbidden"),
    );
    await expect(
      bea.query(api.analytics.getItemAnalytics, { contentItemId: video }),
    ).rejects.toMatchObject(refused("forbidden"));
    await backend.nobody.run(({ db }) => db.patch("courses", courseId, { isPublished: false }));
    await expect(
      bea.query(api.analytics.getItemAnalytics, { contentItemId: video }),
    ).rejects.toMatchObject(refused("not_found"));
  });
});
