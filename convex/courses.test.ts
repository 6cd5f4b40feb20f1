// Courses as their callers call them: the document's example, who may what, publishing, lists,
// legacy rows, copies and deletion.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import {
  type Backend,
  createBackend,
  ownerIdOf,
  refused,
  standInEnvironment,
} from "./testing.setup.ts";
import { insertVideo } from "./model/learning/course.setup.ts";

beforeEach(standInEnvironment);

const pageOf = (numItems: number, cursor: string | null = null) => ({
  paginationOpts: { numItems, cursor },
});

/** A course with one chapter and one text item. */
const createCourse = async (backend: Backend, owner = "ada", name = "Leases") => {
  const user = backend.user(owner, "instructor");
  const courseId = await user.mutation(api.courses.createCourse, { name });
  const chapterId = await user.mutation(api.chapters.createChapter, { courseId, name: "One" });
  const itemId = await user.mutation(api.contentItems.create, {
    chapterId,
    type: "text",
    textContent: "<p>Read me</p>",
  });
  return { user, courseId, chapterId, itemId };
};

describe("the document's example", () => {
  it("makes a course, fills and publishes it, and learners read it in order", async () => {
    const backend = createBackend();
    const ada = backend.user("ada", "instructor");
    const lea = backend.user("lea");
    const videoId = await insertVideo(backend, "ada", { durationInSeconds: 60 });
    const courseId = await ada.mutation(api.courses.createCourse, {
      name: "Full Stack Development",
      description: "Learn web development",
      status: "draft",
      isPublished: false,
    });
    const chapterId = await ada.mutation(api.chapters.createChapter, {
      courseId,
      name: "Introduction",
      order: 1,
    });
    const video = await ada.mutation(api.contentItems.create, {
      chapterId,
      type: "video",
      videoId,
      order: 1,
    });
    const text = await ada.mutation(api.contentItems.createContentItem, {
      chapterId,
      type: "text",
      textContent: "<h1>Welcome</h1><p>Course overview...</p>",
      order: 2,
    });
    await expect(lea.query(api.courses.getCourseWithStructure, { courseId })).rejects.toMatchObject(
      refused("not_found"),
    );

    await ada.mutation(api.courses.updateCourse, {
      id: courseId,
      isPublished: true,
      status: "ready",
    });

    const course = await lea.query(api.courses.getCourseWithStructure, { courseId });
    expect(course).toMatchObject({
      name: "Full Stack Development",
      status: "ready",
      isPublished: true,
      canEdit: false,
      chapters: [
        {
          name: "Introduction",
          order: 1,
          itemCount: 2,
          contentItems: [
            { _id: video, type: "video", videoId, order: 1 },
            {
              _id: text,
              type: "text",
              order: 2,
              textContent: "<h1>Welcome</h1><p>Course overview...</p>",
            },
          ],
        },
      ],
    });
    expect(course).not.toHaveProperty("createdBy");
    expect(
      await lea.query(api.contentItems.getContentItem, { contentItemId: video }),
    ).toMatchObject({
      video: { _id: videoId, title: "A talk", durationInSeconds: 60 },
    });
    expect(await lea.query(api.contentItems.getContentItemsByChapter, { chapterId })).toEqual(
      course.chapters[0]?.contentItems,
    );
  });
});

describe("who may what", () => {
  it("lets instructors create, and owners and admins change", async () => {
    const backend = createBackend();
    const { courseId, chapterId, itemId } = await createCourse(backend);
    const change = { id: courseId, name: "Mine" };
    await expect(
      backend.user("lea").mutation(api.courses.createCourse, { name: "X" }),
    ).rejects.toMatchObject(refused("forbidden"));
    const bob = backend.user("bob", "instructor");
    // A draft of somebody else is not there; once published, it may be read only.
    await expect(bob.mutation(api.courses.updateCourse, change)).rejects.toMatchObject(
      refused("not_found"),
    );
    await expect(bob.query(api.chapters.getChapter, { chapterId })).rejects.toMatchObject(
      refused("not_found"),
    );
    await expect(
      bob.query(api.contentItems.getContentItem, { contentItemId: itemId }),
    ).rejects.toMatchObject(refused("not_found"));
    const ada = backend.user("ada", "instructor");
    await ada.mutation(api.courses.publishCourse, { courseId });
    expect(await bob.query(api.courses.getCourse, { courseId })).toMatchObject({ canEdit: false });
    const attempts = [
      bob.mutation(api.courses.updateCourse, change),
      bob.mutation(api.courses.deleteCourse, { courseId }),
      bob.mutation(api.courses.duplicateCourse, { courseId }),
      bob.mutation(api.chapters.createChapter, { courseId, name: "X" }),
      bob.mutation(api.chapters.deleteChapter, { chapterId }),
      bob.mutation(api.contentItems.create, { chapterId, type: "text" }),
      bob.mutation(api.contentItems.remove, { id: itemId }),
    ];
    for (const call of attempts) await expect(call).rejects.toMatchObject(refused("forbidden"));
    await backend.user("root", "admin").mutation(api.courses.updateCourse, change);
    expect(await ada.query(api.courses.getCourse, { courseId })).toMatchObject({
      name: "Mine",
      createdBy: ownerIdOf("ada"),
    });
  });

  it("shows nothing of an archived or unpublished course to learners", async () => {
    const backend = createBackend();
    const { user, courseId, chapterId, itemId } = await createCourse(backend);
    const lea = backend.user("lea");
    const seen = async () => {
      const calls = await Promise.allSettled([
        lea.query(api.courses.getCourse, { courseId }),
        lea.query(api.courses.getCourseWithStructure, { courseId }),
        lea.query(api.chapters.getChapter, { chapterId }),
        lea.query(api.chapters.getChaptersByCourse, { courseId }),
        lea.query(api.contentItems.getByChapter, { chapterId }),
        lea.query(api.contentItems.getContentItem, { contentItemId: itemId }),
      ]);
      const listed = await lea.query(api.courses.listPublishedCourses, pageOf(10));
      const found = await lea.query(api.courses.searchCourses, { query: "leases" });
      return [
        calls.filter(({ status }) => status === "fulfilled").length,
        listed.page.length,
        found.length,
      ];
    };
    expect(await seen()).toEqual([0, 0, 0]);
    await user.mutation(api.courses.publishCourse, { courseId });
    expect(await seen()).toEqual([6, 1, 1]);
    await user.mutation(api.courses.archiveCourse, { courseId });
    expect(await seen()).toEqual([0, 0, 0]);
    await user.mutation(api.courses.unarchiveCourse, { courseId });
    expect(await seen()).toEqual([6, 1, 1]);
    await user.mutation(api.courses.unpublishCourse, { courseId });
    expect(await seen()).toEqual([0, 0, 0]);
  });
});

describe("publishing", () => {
  it("is refused with a list of what is missing, in order", async () => {
    const backend = createBackend();
    const ada = backend.user("ada", "instructor");
    await expect(
      ada.mutation(api.courses.createCourse, { name: "X", isPublished: true }),
    ).rejects.toMatchObject({
      data: { code: "conflict", details: { missing: [{ what: "a chapter" }] } },
    });
    const courseId = await ada.mutation(api.courses.createCourse, { name: "X" });
    const empty = await ada.mutation(api.chapters.createChapter, { courseId, name: "Empty" });
    const chapterId = await ada.mutation(api.chapters.createChapter, { courseId, name: "Drafts" });
    const missing: unknown[] = [{ chapterId: empty, what: "a content item" }];
    for (const [type, what] of [
      ["video", "a video"],
      ["text", "a text"],
      ["quiz", "a quiz"],
      ["assignment", "an assignment"],
      ["resource", "an address"],
    ] as const) {
      const contentItemId = await ada.mutation(api.contentItems.create, { chapterId, type });
      missing.push({ chapterId, contentItemId, what });
    }
    const refusal = { data: { code: "conflict", details: { missing } } };
    for (const call of [
      ada.mutation(api.courses.publishCourse, { courseId }),
      ada.mutation(api.courses.updateCourse, { id: courseId, isPublished: true }),
      ada.mutation(api.courses.updateCourse, { id: courseId, status: "ready" }),
    ]) {
      await expect(call).rejects.toMatchObject(refusal);
    }
    expect(await ada.query(api.courses.getCourse, { courseId })).toMatchObject({
      status: "draft",
      isPublished: false,
    });
  });

  it("keeps what is published complete", async () => {
    const backend = createBackend();
    const { user, courseId, chapterId, itemId } = await createCourse(backend);
    await user.mutation(api.courses.publishCourse, { courseId });
    await expect(
      user.mutation(api.contentItems.create, { chapterId, type: "quiz" }),
    ).rejects.toMatchObject(refused("conflict"));
    await expect(
      user.mutation(api.contentItems.update, { id: itemId, textContent: null }),
    ).rejects.toMatchObject(refused("conflict"));
    await user.mutation(api.courses.updateCourse, { id: courseId, status: "draft" });
    await user.mutation(api.contentItems.update, { id: itemId, textContent: null });
    expect(await user.query(api.contentItems.getByChapter, { chapterId })).toMatchObject([
      { missing: "a text" },
    ]);
  });

  it("may be of what was ready before, which is looked at again", async () => {
    const backend = createBackend();
    const { user, courseId } = await createCourse(backend);
    await user.mutation(api.courses.updateCourse, { id: courseId, status: "ready" });
    expect(await user.query(api.courses.getCourse, { courseId })).toMatchObject({
      status: "ready",
      isPublished: false,
    });
    const chapterId = await user.mutation(api.chapters.createChapter, { courseId, name: "Two" });
    await expect(user.mutation(api.courses.publishCourse, { courseId })).rejects.toMatchObject({
      data: { code: "conflict", details: { missing: [{ chapterId, what: "a content item" }] } },
    });
    await user.mutation(api.chapters.deleteChapter, { chapterId });
    await user.mutation(api.courses.publishCourse, { courseId });
    const { publishedAt } = await user.query(api.courses.getCourse, { courseId });
    expect(publishedAt).toBe(Date.now());
    // Published already: nothing is asked again.
    await user.mutation(api.chapters.createChapter, { courseId, name: "Three" });
    await user.mutation(api.courses.publishCourse, { courseId });
  });

  it("takes no state that people do not give", async () => {
    const backend = createBackend();
    const { user, courseId } = await createCourse(backend);
    for (const asked of [
      { status: "generating" as const },
      { status: "failed" as const },
      { status: "draft" as const, isPublished: true },
    ]) {
      await expect(
        user.mutation(api.courses.updateCourse, { id: courseId, ...asked }),
      ).rejects.toMatchObject(refused("invalid_request"));
    }
  });

  it("waits while the course is made from videos", async () => {
    const backend = createBackend();
    const { user, courseId, chapterId, itemId } = await createCourse(backend);
    await backend.nobody.run((ctx) => ctx.db.patch("courses", courseId, { status: "generating" }));
    for (const call of [
      user.mutation(api.courses.publishCourse, { courseId }),
      user.mutation(api.courses.updateCourse, { id: courseId, name: "X" }),
      user.mutation(api.courses.duplicateCourse, { courseId }),
      user.mutation(api.chapters.createChapter, { courseId, name: "X" }),
      user.mutation(api.contentItems.update, { id: itemId, title: "X" }),
      user.mutation(api.contentItems.reorderItems, { chapterId, itemIds: [itemId] }),
    ]) {
      await expect(call).rejects.toMatchObject(refused("conflict"));
    }
  });
});

describe("legacy rows", () => {
  /** A course, chapter and video as they were before status, publication and items. */
  const insertOld = async (backend: Backend, over: Partial<Doc<"courses">> = {}) => {
    const videoId = await insertVideo(backend, "ada");
    return backend.nobody.run(async (ctx) => {
      const courseId = await ctx.db.insert("courses", {
        name: "Old leases",
        createdAt: 1,
        updatedAt: 1,
        createdBy: ownerIdOf("ada"),
        ...over,
      });
      const chapterId = await ctx.db.insert("chapters", {
        courseId,
        videoId,
        name: "Its video",
        order: 1,
        createdAt: 1,
      });
      return { courseId, chapterId, videoId };
    });
  };

  it("are published, and a chapter's video reads as its one item", async () => {
    const backend = createBackend();
    const { courseId, chapterId, videoId } = await insertOld(backend);
    const lea = backend.user("lea");
    expect(await lea.query(api.courses.getCourseWithStructure, { courseId })).toMatchObject({
      status: "ready",
      isPublished: true,
      chapters: [
        {
          videoId,
          itemCount: 1,
          contentItems: [{ _id: null, type: "video", chapterId, videoId }],
        },
      ],
    });
    expect(await lea.query(api.courses.searchCourses, { query: "leases" })).toHaveLength(1);
  });

  it("keep that video when the chapter gets items of its own", async () => {
    const backend = createBackend();
    const { courseId, chapterId, videoId } = await insertOld(backend);
    const ada = backend.user("ada", "instructor");
    const textId = await ada.mutation(api.contentItems.create, {
      chapterId,
      type: "text",
      textContent: "More",
    });
    const items = await ada.query(api.contentItems.getByChapter, { chapterId });
    expect(items).toMatchObject([
      { type: "video", videoId },
      { _id: textId, type: "text" },
    ]);
    await ada.mutation(api.courses.publishCourse, { courseId });
    for (const { _id } of items) {
      if (_id) await ada.mutation(api.contentItems.deleteContentItem, { id: _id });
    }
    expect(await ada.query(api.contentItems.getByChapter, { chapterId })).toEqual([]);
  });

  it("stand among the newer ones in lists, by age, over pages", async () => {
    const backend = createBackend();
    const ids: Id<"courses">[] = [];
    for (const index of [0, 1, 2, 3, 4]) {
      const { courseId } =
        index % 2 === 0 ? await insertOld(backend) : await createCourse(backend, "ada", "New");
      if (index % 2 === 1) {
        await backend.user("ada", "instructor").mutation(api.courses.publishCourse, { courseId });
      }
      ids.unshift(courseId);
    }
    await createCourse(backend, "ada", "Draft");
    await insertOld(backend, { archivedAt: 2 });
    await insertOld(backend, { deletingAt: 2 });
    const lea = backend.user("lea");
    const listed: string[] = [];
    let cursor: string | null = null;
    for (;;) {
      const answer: { page: { _id: string }[]; isDone: boolean; continueCursor: string } =
        await lea.query(api.courses.listPublishedCourses, pageOf(2, cursor));
      expect(answer.page.length).toBeLessThanOrEqual(2);
      listed.push(...answer.page.map(({ _id }) => _id));
      cursor = answer.continueCursor;
      if (answer.isDone) break;
    }
    expect(listed).toEqual(ids);
  });
});

describe("lists", () => {
  it("are of one's own, or for an admin of everybody or whom they say", async () => {
    const backend = createBackend();
    const { courseId: adas, user: ada } = await createCourse(backend, "ada");
    const { courseId: bobs, user: bob } = await createCourse(backend, "bob");
    await bob.mutation(api.courses.publishCourse, { courseId: bobs });
    const root = backend.user("root", "admin");
    const ids = (courses: { _id: string }[]) => courses.map(({ _id }) => _id);
    const list = async (user: typeof ada, args: { userId?: string; status?: "ready" } = {}) =>
      ids((await user.query(api.courses.listCourses, { ...pageOf(10), ...args })).page);
    expect(await list(ada)).toEqual([adas]);
    expect(await list(ada, { userId: "ada" })).toEqual([adas]);
    expect(await list(ada, { status: "ready" })).toEqual([]);
    expect(await list(root)).toEqual([bobs, adas]);
    expect(await list(root, { userId: ownerIdOf("ada") })).toEqual([adas]);
    expect(await list(root, { status: "ready" })).toEqual([bobs]);
    await expect(list(ada, { userId: "bob" })).rejects.toMatchObject(refused("forbidden"));
    expect(ids(await ada.query(api.courses.getCoursesByStatus, { status: "draft" }))).toEqual([
      adas,
    ]);
    expect(ids(await bob.query(api.courses.getCoursesByUser, {}))).toEqual([bobs]);
    expect(ids(await ada.query(api.courses.searchCourses, { query: "lease", own: true }))).toEqual([
      adas,
    ]);
    expect(ids(await ada.query(api.courses.searchCourses, { query: "lease" }))).toEqual([bobs]);
    await ada.mutation(api.courses.archiveCourse, { courseId: adas });
    expect(await list(ada)).toEqual([]);
    expect(
      ids((await ada.query(api.courses.listCourses, { ...pageOf(1e9), archived: true })).page),
    ).toEqual([adas]);
  });

  it("show nobody else's, whatever cursor somebody makes up", async () => {
    const backend = createBackend();
    for (const name of ["ada", "cleo"]) await createCourse(backend, name);
    const bob = backend.user("bob", "instructor");
    const names: string[] = [];
    for (const owner of ["ada", "cleo"].map(ownerIdOf)) {
      for (const rest of [[], [0], [1e15], [1e15, "z"]]) {
        const made = JSON.stringify([owner, ...rest]);
        for (const cursors of [{ cursor: made }, { cursor: made, endCursor: made }]) {
          const paginationOpts = { numItems: 10, ...cursors };
          for (const list of [api.courses.listCourses, api.courses.listPublishedCourses]) {
            const { page } = await bob.query(list, { paginationOpts });
            names.push(...page.map((course) => course.name));
          }
        }
      }
    }
    expect(names).toEqual([]);
  });
});

describe("a copy", () => {
  it("has all of a course but its learners, and is the caller's own draft", async () => {
    const backend = createBackend();
    const { user, courseId, itemId } = await createCourse(backend);
    await user.mutation(api.courses.publishCourse, { courseId });
    const root = backend.user("root", "admin");
    const copyId = await root.mutation(api.courses.duplicateCourse, { courseId });
    const copy = await root.query(api.courses.getCourseWithStructure, { courseId: copyId });
    const original = await root.query(api.courses.getCourse, { courseId });
    expect(copy).toMatchObject({
      name: "Copy of Leases",
      status: "draft",
      isPublished: false,
      createdBy: ownerIdOf("root"),
      contentBytes: original.contentBytes,
      chapters: [{ name: "One", contentItems: [{ textContent: "<p>Read me</p>" }] }],
    });
    const [item] = copy.chapters[0]?.contentItems ?? [];
    expect(item?._id).not.toBe(itemId);
    await root.mutation(api.courses.publishCourse, { courseId: copyId });
    await root.mutation(api.contentItems.remove, { id: item?._id as Id<"contentItems"> });
    expect(await root.query(api.courses.getCourse, { courseId: copyId })).toMatchObject({
      contentBytes: 0,
    });
    expect(
      await user.query(api.contentItems.getContentItem, { contentItemId: itemId }),
    ).toBeTruthy();
  });
});

describe("deletion", () => {
  it("hides a course at once and takes all that hangs on it, and nothing else", async () => {
    const backend = createBackend();
    const { user, courseId, chapterId } = await createCourse(backend);
    const other = await createCourse(backend, "ada", "Other");
    for (let n = 0; n < 20; n += 1) {
      await user.mutation(api.contentItems.create, { chapterId, type: "text" });
    }
    const insertWork = ({ courseId, itemId }: typeof other) =>
      backend.nobody.run(async ({ db }) => {
        const row = { userId: ownerIdOf("lea"), courseId };
        const at = { ...row, contentItemId: itemId };
        await db.insert("enrollments", { ...row, enrolledAt: 1, lastActivityAt: 1 });
        await db.insert("progress", { ...row, completed: false });
        await db.insert("progress", { ...at, completed: true });
      });
    await insertWork(other);
    const [item] = await user.query(api.contentItems.getByChapter, { chapterId });
    await insertWork({ ...other, courseId, itemId: item?._id as Id<"contentItems"> });

    await user.mutation(api.courses.deleteCourse, { courseId });
    await expect(user.query(api.courses.getCourse, { courseId })).rejects.toMatchObject(
      refused("not_found"),
    );
    await expect(
      backend.user("bob", "instructor").mutation(api.courses.deleteCourse, { courseId }),
    ).rejects.toMatchObject(refused("not_found"));
    await user.mutation(api.courses.deleteCourse, { courseId });
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);

    const left = await backend.nobody.run(async ({ db }) => ({
      courses: await db.query("courses").take(10),
      chapters: await db.query("chapters").take(10),
      contentItems: await db.query("contentItems").take(50),
      enrollments: await db.query("enrollments").take(10),
      progress: await db.query("progress").take(10),
    }));
    expect(left).toMatchObject({
      courses: [{ _id: other.courseId }],
      chapters: [{ _id: other.chapterId }],
      contentItems: [{ _id: other.itemId }],
      enrollments: [{ courseId: other.courseId }],
      progress: [{ courseId: other.courseId }, { courseId: other.courseId }],
    });
  });
});

describe("an interrupted deletion", () => {
  it("goes on when it is asked for again, by those alone who may", async () => {
    const backend = createBackend();
    const { user, courseId } = await createCourse(backend);
    await user.mutation(api.courses.publishCourse, { courseId });
    await backend.nobody.run((ctx) => ctx.db.patch("courses", courseId, { deletingAt: 1 }));
    await expect(
      backend.user("bob", "instructor").mutation(api.courses.deleteCourse, { courseId }),
    ).rejects.toMatchObject(refused("not_found"));
    await user.mutation(api.courses.deleteCourse, { courseId });
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await backend.nobody.run(({ db }) => db.query("contentItems").first())).toBeNull();
    expect(await backend.nobody.run(({ db }) => db.get("courses", courseId))).toBeNull();
    await expect(user.mutation(api.courses.deleteCourse, { courseId })).rejects.toMatchObject(
      refused("not_found"),
    );
  });
});

describe("fields", () => {
  it.each([
    { name: "  " },
    { name: "x".repeat(201) },
    { name: "X", description: "x".repeat(5001) },
    { name: "X", thumbnailUrl: "javascript:alert(1)" },
    { name: "X", thumbnailUrl: "https://ada:secret@pictures.example/1.png" },
    { name: "X", thumbnailUrl: `https://pictures.example/${"x".repeat(2048)}` },
  ])("are refused: %j", async (args) => {
    const ada = createBackend().user("ada", "instructor");
    await expect(ada.mutation(api.courses.createCourse, args)).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });

  it("are taken away by null", async () => {
    const ada = createBackend().user("ada", "instructor");
    const courseId = await ada.mutation(api.courses.createCourse, {
      name: " X ",
      description: "Words",
      thumbnailUrl: "https://pictures.example/1.png",
    });
    await ada.mutation(api.courses.updateCourse, {
      id: courseId,
      description: null,
      thumbnailUrl: null,
    });
    const course = await ada.query(api.courses.getCourse, { courseId });
    expect(course.name).toBe("X");
    expect(course).not.toHaveProperty("description");
    expect(course).not.toHaveProperty("thumbnailUrl");
  });
});
