// Who may read, change, list and find which courses.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import { createCourse, pageOf } from "./courses.setup.ts";
import { createBackend, ownerIdOf, refused, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

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
    await Promise.all(
      attempts.map((call) => expect(call).rejects.toMatchObject(refused("forbidden"))),
    );
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
