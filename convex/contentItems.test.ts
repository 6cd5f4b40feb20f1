// Chapters and their items as their callers call them: what is taken of content, places, limits.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { createBackend, ownerIdOf, refused, standInEnvironment } from "./testing.setup.ts";
import { insertVideo } from "./model/learning/course.setup.ts";

beforeEach(standInEnvironment);

const CHOICES = [
  { id: "a", text: "It ends" },
  { id: "b", text: "It stays" },
];
const QUIZ = {
  questions: [
    { id: "q1", type: "single", prompt: "What does a lease do?", choices: CHOICES, answer: "a" },
  ],
};

const createChapters = async (...names: string[]) => {
  const backend = createBackend();
  const user = backend.user("ada", "instructor");
  const courseId = await user.mutation(api.courses.createCourse, { name: "Leases" });
  const chapterIds: Id<"chapters">[] = [];
  for (const name of names) {
    chapterIds.push(await user.mutation(api.chapters.createChapter, { courseId, name }));
  }
  const addTexts = async (chapterId: Id<"chapters">, ...texts: string[]) => {
    const ids: Id<"contentItems">[] = [];
    for (const textContent of texts) {
      ids.push(
        await user.mutation(api.contentItems.create, { chapterId, type: "text", textContent }),
      );
    }
    return ids;
  };
  const shownIds = async (chapterId: Id<"chapters">) =>
    (await user.query(api.contentItems.getByChapter, { chapterId })).map(({ _id }) => _id);
  return { backend, user, courseId, chapterIds, addTexts, shownIds };
};

describe("content", () => {
  /** Tries to add an item, with a video of one's own or none. */
  const add = async (own: boolean, item: Partial<Doc<"contentItems">>) => {
    const { backend, user, chapterIds } = await createChapters("One");
    const videoId = await insertVideo(backend, "ada", { durationInSeconds: 60 });
    const args = { type: "text" as const, ...item, ...(own ? { videoId } : {}) };
    return user.mutation(api.contentItems.create, {
      ...args,
      chapterId: chapterIds[0] as Id<"chapters">,
    });
  };

  it.each([
    ["ends before it begins", { startSec: 9, endSec: 3 }],
    ["begins before the video", { startSec: -1 }],
    ["begins beyond the video", { startSec: 61 }],
    ["ends beyond the video", { endSec: 90 }],
    ["begins at no number", { startSec: Number.NaN }],
    ["ends at no number", { endSec: Infinity }],
  ])("shows no part of a video that %s", async (_, part) => {
    await expect(add(true, { type: "video", ...part })).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,<p>",
    "see below",
    "https://ada:secret@files.example/",
  ])("links to no %s", async (resourceUrl) => {
    await expect(add(false, { type: "resource", resourceUrl })).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });

  it.each<[string, Partial<Doc<"contentItems">>]>([
    ["a field of another type", { type: "video", resourceUrl: "https://files.example/" }],
    ["a quiz without questions", { type: "quiz", quizData: { questions: [] } }],
    ["an assignment without words", { type: "assignment", assignmentData: {} }],
    ["too long a title", { title: "x".repeat(201) }],
    ["too large a text", { textContent: "é".repeat(132_000) }],
  ])("is not %s", async (_, item) => {
    await expect(add(false, item)).rejects.toMatchObject(refused("invalid_request"));
  });

  it("has no video where it is a text", async () => {
    await expect(add(true, { type: "text" })).rejects.toMatchObject(refused("invalid_request"));
  });

  it("shows a part of a video whose length nobody knows", async () => {
    const { backend, user, chapterIds } = await createChapters("One");
    const videoId = await insertVideo(backend, "ada", { durationInSeconds: 0 });
    const [chapterId] = chapterIds as [Id<"chapters">];
    const part = { startSec: 5, endSec: 60 };
    const id = await user.mutation(api.contentItems.create, {
      chapterId,
      type: "video",
      videoId,
      ...part,
    });
    expect(await user.query(api.contentItems.getContentItem, { contentItemId: id })).toMatchObject(
      part,
    );
  });

  it("is renamed and placed also where its video turned out shorter than its part", async () => {
    const { backend, user, chapterIds } = await createChapters("One");
    const videoId = await insertVideo(backend, "ada", { durationInSeconds: 60 });
    const [chapterId] = chapterIds as [Id<"chapters">];
    const type = "video" as const;
    const id = await user.mutation(api.contentItems.create, {
      chapterId,
      type,
      videoId,
      endSec: 60,
    });
    await user.mutation(api.videos.updateVideo, { videoId, durationInSeconds: 30 });
    await user.mutation(api.contentItems.update, { id, title: "Leases", order: 7 });
    expect(await user.query(api.contentItems.getContentItem, { contentItemId: id })).toMatchObject({
      title: "Leases",
      order: 7,
    });
    await expect(user.mutation(api.contentItems.update, { id, startSec: 3 })).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });

  it("that is larger than it may be, of before, can be renamed and made smaller", async () => {
    const { backend, user, chapterIds, addTexts } = await createChapters("One");
    const [id] = (await addTexts(chapterIds[0] as Id<"chapters">, "short")) as [Id<"contentItems">];
    await backend.nobody.run(({ db }) =>
      db.patch("contentItems", id, { textContent: "x".repeat(300 * 1024) }),
    );
    await user.mutation(api.contentItems.update, { id, title: "Leases" });
    await user.mutation(api.contentItems.update, { id, textContent: "x".repeat(290 * 1024) });
    const larger = { id, textContent: "x".repeat(291 * 1024) };
    await expect(user.mutation(api.contentItems.update, larger)).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });

  it("shows videos of one's own library alone, to admins any", async () => {
    const { backend, user, chapterIds } = await createChapters("One");
    const [chapterId] = chapterIds as [Id<"chapters">];
    const type = "video" as const;
    const bobs = await insertVideo(backend, "bob");
    const going = await insertVideo(backend, "ada", { deletingAt: 1 });
    for (const videoId of [bobs, going]) {
      await expect(
        user.mutation(api.contentItems.create, { chapterId, type, videoId }),
      ).rejects.toMatchObject(refused("not_found"));
    }
    const root = backend.user("root", "admin");
    const id = await root.mutation(api.contentItems.create, { chapterId, type, videoId: bobs });
    // What is there already stays while its owner changes the rest.
    await user.mutation(api.contentItems.update, { id, startSec: 3, endSec: 9 });
    expect(await user.query(api.contentItems.getContentItem, { contentItemId: id })).toMatchObject({
      videoId: bobs,
      startSec: 3,
      endSec: 9,
      video: { title: "A talk" },
    });
  });

  it("comes later, changes, and is taken away by null", async () => {
    const { user, chapterIds } = await createChapters("One");
    const [chapterId] = chapterIds as [Id<"chapters">];
    const id = await user.mutation(api.contentItems.create, { chapterId, type: "resource" });
    const shown = async () => (await user.query(api.contentItems.getByChapter, { chapterId }))[0];
    expect(await shown()).toMatchObject({ missing: "an address" });
    await user.mutation(api.contentItems.updateContentItem, {
      id,
      title: "Slides",
      resourceUrl: "gs://slides/leases.pdf",
      resourceTitle: "The slides",
    });
    const item = await shown();
    expect(item).toMatchObject({ resourceUrl: "gs://slides/leases.pdf", title: "Slides" });
    expect(item).not.toHaveProperty("missing");
    await user.mutation(api.contentItems.update, { id, title: null, resourceUrl: null });
    expect(await shown()).not.toHaveProperty("title");
    expect(await shown()).not.toHaveProperty("resourceUrl");
    await expect(
      user.mutation(api.contentItems.update, { id, textContent: "Words" }),
    ).rejects.toMatchObject(refused("invalid_request"));
  });

  it("has a quiz's key for editors, and no word of it for learners", async () => {
    const { backend, user, courseId, chapterIds } = await createChapters("One");
    const [chapterId] = chapterIds as [Id<"chapters">];
    const id = await user.mutation(api.contentItems.create, {
      chapterId,
      type: "quiz",
      quizData: QUIZ,
    });
    await user.mutation(api.courses.publishCourse, { courseId });
    const ofEveryFunction = async (who: typeof user) =>
      JSON.stringify([
        await who.query(api.courses.getCourseWithStructure, { courseId }),
        await who.query(api.contentItems.getByChapter, { chapterId }),
        await who.query(api.contentItems.getContentItem, { contentItemId: id }),
      ]);
    expect((await ofEveryFunction(user)).match(/"answer":"a"/g)).toHaveLength(3);
    const forLearner = await ofEveryFunction(backend.user("lea"));
    expect(forLearner.match(/"questionCount":1/g)).toHaveLength(3);
    expect(forLearner).not.toMatch(/answer|What does/);
  });
});

describe("places", () => {
  it("of items change within and across chapters", async () => {
    const { user, chapterIds, addTexts, shownIds } = await createChapters("One", "Two");
    const [one, two] = chapterIds as [Id<"chapters">, Id<"chapters">];
    const [a, b, c] = (await addTexts(one, "a", "b", "c")) as [
      Id<"contentItems">,
      Id<"contentItems">,
      Id<"contentItems">,
    ];
    const move = (contentItemId: typeof a, chapterId: typeof one, afterId: typeof a | null) =>
      user.mutation(api.contentItems.moveItem, { contentItemId, chapterId, afterId });
    await move(c, one, a);
    expect(await shownIds(one)).toEqual([a, c, b]);
    await move(a, two, null);
    await move(b, two, a);
    expect([await shownIds(one), await shownIds(two)]).toEqual([[c], [a, b]]);
    await user.mutation(api.contentItems.reorderItems, { chapterId: two, itemIds: [b, a] });
    expect(await shownIds(two)).toEqual([b, a]);
    await expect(move(a, two, c)).rejects.toMatchObject(refused("invalid_request"));
    await expect(move(a, two, a)).rejects.toMatchObject(refused("invalid_request"));
    for (const itemIds of [[b], [b, b], [a, b, c]]) {
      await expect(
        user.mutation(api.contentItems.reorderItems, { chapterId: two, itemIds }),
      ).rejects.toMatchObject(refused("conflict"));
    }
  });

  it("of a move are one row's, whatever the list's length", async () => {
    const { backend, user, chapterIds, addTexts } = await createChapters("One");
    const [one] = chapterIds as [Id<"chapters">];
    const ids = await addTexts(one, "a", "b", "c", "d");
    const orders = () =>
      backend.nobody.run(async ({ db }) => {
        const rows = await db.query("contentItems").take(10);
        return rows.map(({ _id, order }) => [_id, order] as const);
      });
    const before = new Map(await orders());
    await user.mutation(api.contentItems.moveItem, {
      contentItemId: ids[3] as Id<"contentItems">,
      chapterId: one,
      afterId: ids[0] as Id<"contentItems">,
    });
    const after = new Map(await orders());
    expect(ids.filter((id) => before.get(id) !== after.get(id))).toEqual([ids[3]]);
  });

  it("are not in another course", async () => {
    const { user, chapterIds, addTexts } = await createChapters("One");
    const [one] = chapterIds as [Id<"chapters">];
    const [contentItemId] = (await addTexts(one, "a")) as [Id<"contentItems">];
    const courseId = await user.mutation(api.courses.createCourse, { name: "Other" });
    const other = await user.mutation(api.chapters.createChapter, { courseId, name: "X" });
    await expect(
      user.mutation(api.contentItems.moveItem, { contentItemId, chapterId: other, afterId: null }),
    ).rejects.toMatchObject(refused("invalid_request"));
    await expect(
      user.mutation(api.chapters.moveChapter, { chapterId: one, afterId: other }),
    ).rejects.toMatchObject(refused("invalid_request"));
  });

  it("are by `order` where that is said, a taken one right after its holder", async () => {
    const { user, courseId } = await createChapters();
    const add = (name: string, order?: number) =>
      user.mutation(api.chapters.createChapter, { courseId, name, order });
    await add("b", 2);
    await add("a", 1);
    await add("c", 2);
    const last = await add("d");
    const names = async () =>
      (await user.query(api.chapters.getChaptersByCourse, { courseId })).map(({ name }) => name);
    expect(await names()).toEqual(["a", "b", "c", "d"]);
    await user.mutation(api.chapters.updateChapter, { id: last, order: 1, name: "after a" });
    expect(await names()).toEqual(["a", "after a", "b", "c"]);
    await expect(add("x", Number.NaN)).rejects.toMatchObject(refused("invalid_request"));
  });
});

describe("chapters", () => {
  it("begin with a video's item where one is named, and change", async () => {
    const { backend, user, courseId } = await createChapters();
    const videoId = await insertVideo(backend, "ada");
    const bobs = await insertVideo(backend, "bob");
    const chapterId = await user.mutation(api.chapters.createChapter, {
      courseId,
      name: "One",
      description: "Words",
      videoId,
    });
    expect(await user.query(api.contentItems.getByChapter, { chapterId })).toMatchObject([
      { type: "video", videoId },
    ]);
    await expect(
      user.mutation(api.chapters.createChapter, { courseId, name: "X", videoId: bobs }),
    ).rejects.toMatchObject(refused("not_found"));
    await user.mutation(api.chapters.updateChapter, { id: chapterId, description: null });
    const chapter = await user.query(api.chapters.getChapter, { chapterId });
    expect(chapter).toMatchObject({ name: "One", itemCount: 1 });
    expect(chapter).not.toHaveProperty("description");
  });

  it("without items are for editors alone", async () => {
    const { backend, user, courseId, chapterIds, addTexts } = await createChapters("One");
    await addTexts(chapterIds[0] as Id<"chapters">, "a");
    await user.mutation(api.courses.publishCourse, { courseId });
    await user.mutation(api.chapters.createChapter, { courseId, name: "To come" });
    const names = async (who: typeof user) => {
      const { chapters } = await who.query(api.courses.getCourseWithStructure, { courseId });
      const listed = await who.query(api.chapters.getChaptersByCourse, { courseId });
      expect(listed.map(({ name }) => name)).toEqual(chapters.map(({ name }) => name));
      return listed.map(({ name }) => name);
    };
    expect(await names(user)).toEqual(["One", "To come"]);
    expect(await names(backend.user("lea"))).toEqual(["One"]);
  });

  it("go with their items and what learners did with them", async () => {
    const { backend, user, courseId, chapterIds, addTexts } = await createChapters("One", "Two");
    const [one, two] = chapterIds as [Id<"chapters">, Id<"chapters">];
    const [gone] = (await addTexts(one, "a", "b")) as [Id<"contentItems">];
    const [kept] = (await addTexts(two, "c")) as [Id<"contentItems">];
    await backend.nobody.run(async ({ db }) => {
      for (const contentItemId of [gone, kept]) {
        const row = { userId: ownerIdOf("lea"), courseId, contentItemId };
        await db.insert("progress", { ...row, completed: true });
      }
    });
    await user.mutation(api.chapters.deleteChapter, { chapterId: one });
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    const { items, progress } = await backend.nobody.run(async ({ db }) => ({
      items: await db.query("contentItems").take(10),
      progress: await db.query("progress").take(10),
    }));
    expect(items.map(({ _id }) => _id)).toEqual([kept]);
    expect(progress.map(({ contentItemId }) => contentItemId)).toEqual([kept]);
  });
});

describe("limits", () => {
  it("hold for chapters, items and bytes of a course, each with a sentence", async () => {
    const { backend, user, courseId, chapterIds } = await createChapters("One");
    const [chapterId] = chapterIds as [Id<"chapters">];
    const id = await user.mutation(api.contentItems.create, { chapterId, type: "text" });
    const refusal = (message: RegExp) => ({
      data: { code: "invalid_request", message: expect.stringMatching(message) },
    });
    const add = () => user.mutation(api.contentItems.create, { chapterId, type: "text" });
    const itemIds = Array.from({ length: 200 }, () => id);
    await backend.nobody.run(({ db }) => db.patch("chapters", chapterId, { itemIds }));
    await expect(add()).rejects.toMatchObject(refusal(/of a chapter: at most 200/));
    await backend.nobody.run(async ({ db }) => {
      await db.patch("chapters", chapterId, { itemIds: [id] });
      const chapter = { courseId, name: "X", createdAt: 0 };
      for (let order = 2; order <= 100; order += 1) {
        const ids = order < 5 ? Array.from({ length: order === 4 ? 99 : 200 }, () => id) : [];
        await db.insert("chapters", { ...chapter, order, itemIds: ids });
      }
    });
    await expect(
      user.mutation(api.chapters.createChapter, { courseId, name: "X" }),
    ).rejects.toMatchObject(refusal(/of a course: at most 100/));
    await expect(add()).rejects.toMatchObject(refusal(/of a course: at most 500/));
    await backend.nobody.run(({ db }) =>
      db.patch("courses", courseId, { contentBytes: 4 * 1024 * 1024 - 5 }),
    );
    await expect(
      user.mutation(api.contentItems.update, { id, textContent: "four" }),
    ).rejects.toMatchObject(refusal(/4096 KiB in all/));
  });
});
