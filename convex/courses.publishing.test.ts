// What a course has to have before it is published, and keeps while it is.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import { createCourse } from "./courses.setup.ts";
import { createBackend, refused, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

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
    await Promise.all(
      [
        ada.mutation(api.courses.publishCourse, { courseId }),
        ada.mutation(api.courses.updateCourse, { id: courseId, isPublished: true }),
        ada.mutation(api.courses.updateCourse, { id: courseId, status: "ready" }),
      ].map((call) => expect(call).rejects.toMatchObject(refusal)),
    );
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
    await Promise.all(
      [
        user.mutation(api.courses.publishCourse, { courseId }),
        user.mutation(api.courses.updateCourse, { id: courseId, name: "X" }),
        user.mutation(api.courses.duplicateCourse, { courseId }),
        user.mutation(api.chapters.createChapter, { courseId, name: "X" }),
        user.mutation(api.contentItems.update, { id: itemId, title: "X" }),
        user.mutation(api.contentItems.reorderItems, { chapterId, itemIds: [itemId] }),
      ].map((call) => expect(call).rejects.toMatchObject(refused("conflict"))),
    );
  });
});
