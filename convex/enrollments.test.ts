// Who takes part in a course, as learners and its owner see it.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
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
let itemIds: Id<"contentItems">[];
const ITEMS = [
  { type: "text" as const, textContent: "One" },
  { type: "text" as const, textContent: "Two" },
];
beforeEach(async () => {
  vi.setSystemTime(1_000_000);
  backend = createBackend();
  ({ courseId, itemIds } = await seedCourse(backend, ITEMS, {
    thumbnailUrl: "https://a.example/",
  }));
});

const as = (name: string) =>
  backend.user(name, ["ada", "ivo"].includes(name) ? "instructor" : undefined);
const enroll = (name: string, id = courseId) =>
  as(name).mutation(api.enrollments.enroll, { courseId: id });
const unenroll = (name: string) => as(name).mutation(api.enrollments.unenroll, { courseId });
const count = () => as("eve").query(api.enrollments.countByCourse, { courseId });
const pageOf = (numItems = 10, cursor: string | null = null) => ({
  paginationOpts: { numItems, cursor },
});
const mine = (name: string) => as(name).query(api.enrollments.listMine, pageOf());
const learners = (name: string, numItems = 10, cursor: string | null = null) =>
  as(name).query(api.enrollments.listByCourse, { courseId, ...pageOf(numItems, cursor) });
const mark = (name: string, contentItemId: Id<"contentItems">, id = courseId) =>
  as(name).mutation(api.progress.markCompleted, { courseId: id, contentItemId, completed: true });
const wait = (sec: number) => vi.setSystemTime(Date.now() + sec * 1000);
const publish = (isPublished: boolean) =>
  backend.nobody.run(({ db }) => db.patch("courses", courseId, { isPublished }));

describe("enrolling", () => {
  it("twice is once, and is counted", async () => {
    const first = await enroll("lea");
    wait(5);
    expect(await enroll("lea")).toBe(first);
    await enroll("bob");
    expect(await count()).toBe(2);
  });
  it("is for published courses, and for a draft's owner", async () => {
    await publish(false);
    await expect(enroll("lea")).rejects.toMatchObject(refused("not_found"));
    await enroll("ada");
    await publish(true);
    expect(await count()).toBe(1);
  });
  it("ends, and what was learned is there again afterwards", async () => {
    await mark("lea", itemIds[0]!);
    await unenroll("lea");
    await unenroll("lea");
    expect(await count()).toBe(0);
    expect((await mine("lea")).page).toEqual([]);
    await enroll("lea");
    expect((await mine("lea")).page).toMatchObject([{ progress: { completed: 1, total: 2 } }]);
  });
  it("again finds the course completed, where it was", async () => {
    for (const itemId of itemIds) await mark("lea", itemId);
    await unenroll("lea");
    wait(60);
    await enroll("lea");
    expect((await mine("lea")).page).toMatchObject([
      { enrolledAt: 1_060_000, completedAt: 1_000_000 },
    ]);
  });
  it("ends also where the course cannot be read any more", async () => {
    await enroll("lea");
    await publish(false);
    await unenroll("lea");
    await publish(true);
    expect(await count()).toBe(0);
  });
  it("is not done by a player of somebody who left", async () => {
    await enroll("lea");
    await unenroll("lea");
    const opened = await as("lea").mutation(api.progress.opened, { contentItemId: itemIds[0]! });
    expect(opened).toBeNull();
    expect(await count()).toBe(0);
  });
});

describe("a course that changes", () => {
  const ada = () => as("ada");
  const settle = () => backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
  const remove = (id: Id<"contentItems">) => ada().mutation(api.contentItems.remove, { id });
  const completed = async () =>
    (await ada().query(api.analytics.getCourseAnalytics, { courseId })).completed;
  const ofLea = async () => (await mine("lea")).page[0];
  const addText = async () => {
    const contentItemId = itemIds[0]!;
    const { chapterId } = await ada().query(api.contentItems.getContentItem, { contentItemId });
    const text = { type: "text" as const, textContent: "Three" };
    return ada().mutation(api.contentItems.create, { chapterId, ...text });
  };

  it("is completed when the last item goes that was not", async () => {
    await mark("lea", itemIds[0]!);
    await enroll("bob");
    wait(60);
    await remove(itemIds[1]!);
    await settle();
    expect(await ofLea()).toMatchObject({ completedAt: 1_000_000, progress: { percentage: 100 } });
    expect((await mine("bob")).page).toMatchObject([{ completedAt: null }]);
    expect(await completed()).toBe(1);
  });
  it("is so with a chapter that goes", async () => {
    const chapterId = await ada().mutation(api.chapters.createChapter, { courseId, name: "Two" });
    const text = { type: "text" as const, textContent: "Three" };
    await ada().mutation(api.contentItems.create, { chapterId, ...text });
    for (const itemId of itemIds) await mark("lea", itemId);
    expect(await completed()).toBe(0);
    await ada().mutation(api.chapters.deleteChapter, { chapterId });
    await settle();
    expect(await completed()).toBe(1);
  });
  it("is not completed any more when an item comes, until that is", async () => {
    for (const itemId of itemIds) await mark("lea", itemId);
    expect(await completed()).toBe(1);
    const added = await addText();
    await settle();
    expect(await ofLea()).toMatchObject({ completedAt: null, progress: { percentage: 67 } });
    expect(await completed()).toBe(0);
    await remove(added);
    await settle();
    expect(await ofLea()).toMatchObject({ completedAt: 1_000_000 });
    expect(await completed()).toBe(1);
  });
  it("is looked at as it is by who comes back", async () => {
    await mark("lea", itemIds[0]!);
    await unenroll("lea");
    await remove(itemIds[1]!);
    await settle();
    await enroll("lea");
    expect(await ofLea()).toMatchObject({ completedAt: 1_000_000 });
    await unenroll("lea");
    await addText();
    await enroll("lea");
    expect(await ofLea()).toMatchObject({ completedAt: null });
  });
  it("is counted anew in steps, once for changes that follow each other", async () => {
    for (const name of ["bob", "eve", "ivo"]) await mark(name, itemIds[0]!);
    await backend.nobody.run(async ({ db }) => {
      for (let learner = 0; learner < 25; learner += 1) {
        const times = { enrolledAt: learner, lastActivityAt: learner };
        await db.insert("enrollments", { userId: `learner ${learner}`, courseId, ...times });
      }
    });
    await mark("lea", itemIds[0]!);
    const added = await addText();
    await remove(added);
    await remove(itemIds[1]!);
    await settle();
    expect(await completed()).toBe(4);
  });
});

describe("one's courses", () => {
  it("come with how far one is, where one was last first", async () => {
    const other = await seedCourse(backend, ITEMS, { name: "Another" });
    await enroll("lea");
    wait(1);
    await enroll("lea", other.courseId);
    expect((await mine("lea")).page.map(({ name }) => name)).toEqual(["Another", "A course"]);
    wait(1);
    await mark("lea", itemIds[0]!);
    expect((await mine("lea")).page).toMatchObject([
      {
        courseId,
        name: "A course",
        thumbnailUrl: "https://a.example/",
        enrolledAt: 1_000_000,
        lastActivityAt: 1_002_000,
        completedAt: null,
        progress: { completed: 1, total: 2, percentage: 50 },
      },
      { name: "Another", thumbnailUrl: null, progress: { percentage: 0 } },
    ]);
    expect((await mine("bob")).page).toEqual([]);
  });
  it("leave out those that are drafts again", async () => {
    await enroll("lea");
    await publish(false);
    expect((await mine("lea")).page).toEqual([]);
  });
  it("are noted as visited at most every five minutes, unless one is elsewhere", async () => {
    const open = (contentItemId: Id<"contentItems">) =>
      as("lea").mutation(api.progress.opened, { contentItemId });
    await enroll("lea");
    const lastActivity = async () => (await mine("lea")).page[0]?.lastActivityAt;
    wait(1);
    await open(itemIds[0]!);
    expect(await lastActivity()).toBe(1_001_000);
    wait(10);
    const { usage } = await measureUsage(() => open(itemIds[0]!));
    expect(usage.documentsWritten).toBe(0);
    expect(await lastActivity()).toBe(1_001_000);
    wait(10);
    await open(itemIds[1]!);
    expect(await lastActivity()).toBe(1_021_000);
    wait(300);
    await open(itemIds[1]!);
    expect(await lastActivity()).toBe(1_321_000);
  });
});

describe("a course's learners", () => {
  it("are listed to who may change the course, and to nobody else", async () => {
    await mark("lea", itemIds[0]!);
    wait(1);
    for (const itemId of itemIds) await mark("bob", itemId);
    const first = await learners("ada", 1);
    expect(first).toMatchObject({
      isDone: false,
      page: [
        {
          userId: ownerIdOf("bob"),
          completedAt: 1_001_000,
          progress: { completed: 2, total: 2, percentage: 100 },
        },
      ],
    });
    expect((await learners("ada", 10, first.continueCursor)).page).toMatchObject([
      { userId: ownerIdOf("lea"), completedAt: null, progress: { percentage: 50 } },
    ]);
    await expect(learners("lea")).rejects.toMatchObject(refused("forbidden"));
    await publish(false);
    await expect(learners("ivo")).rejects.toMatchObject(refused("not_found"));
    expect(
      (
        await backend.user("root", "admin").query(api.enrollments.listByCourse, {
          courseId,
          ...pageOf(),
        })
      ).page,
    ).toHaveLength(2);
  });
  it("come at most twenty at a time", async () => {
    await backend.nobody.run(async ({ db }) => {
      for (let learner = 0; learner < 25; learner += 1) {
        const times = { enrolledAt: learner, lastActivityAt: learner };
        await db.insert("enrollments", { userId: `learner ${learner}`, courseId, ...times });
      }
    });
    expect((await learners("ada", 1_000)).page).toHaveLength(20);
  });
});
