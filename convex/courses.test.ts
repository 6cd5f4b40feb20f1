// Courses as their callers call them: the document's example, fields, copies and deletion.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { createCourse } from "./courses.setup.ts";
import { insertVideo } from "./model/learning/course.setup.ts";
import { createBackend, ownerIdOf, refused, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

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
