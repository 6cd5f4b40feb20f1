// A course of an instructor's, and pages of lists, for the tests of courses.
import { api } from "./_generated/api.js";
import type { Backend } from "./testing.setup.ts";

export const pageOf = (numItems: number, cursor: string | null = null) => ({
  paginationOpts: { numItems, cursor },
});

/** A course with one chapter and one text item. */
export const createCourse = async (backend: Backend, owner = "ada", name = "Leases") => {
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
