// Courses from before there were status, publication and content items, as their callers see them.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { createCourse, pageOf } from "./courses.setup.ts";
import { insertVideo } from "./model/learning/course.setup.ts";
import { type Backend, createBackend, ownerIdOf, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

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
