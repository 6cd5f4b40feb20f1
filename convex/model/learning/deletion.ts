// A course's deletion: it is gone for everybody at once, and its rows go a step at a time.
import type { Doc, Id } from "../../_generated/dataModel.js";
import { internal } from "../../_generated/api.js";
import type { MutationCtx } from "../../_generated/server.js";
import { forgetChapter, forgetCourse, forgetItem } from "./forget.ts";

/** Items of a step: with 256 KiB of content each, well within what a transaction reads. */
const STEP_ITEMS = 16;

/** Hides a course and starts its deletion; called again, starts again where that was interrupted. */
export const startDeletion = async (ctx: MutationCtx, course: Doc<"courses">): Promise<void> => {
  if (course.deletingAt === undefined) {
    await ctx.db.patch("courses", course._id, { deletingAt: Date.now() });
  }
  await ctx.scheduler.runAfter(0, internal.courses.deleteStep, { courseId: course._id });
};

/** One step of it; schedules the next. Two chains at once do no harm. */
export const deleteStep = async (ctx: MutationCtx, courseId: Id<"courses">): Promise<void> => {
  const course = await ctx.db.get("courses", courseId);
  if (course?.deletingAt === undefined) return;
  const chapter = await ctx.db
    .query("chapters")
    .withIndex("by_courseId", (q) => q.eq("courseId", courseId))
    .first();
  if (!chapter) {
    await forgetCourse(ctx, courseId);
    await ctx.db.delete("courses", courseId);
    return;
  }
  const items = await ctx.db
    .query("contentItems")
    .withIndex("by_chapterId", (q) => q.eq("chapterId", chapter._id))
    .take(STEP_ITEMS);
  for (const { _id } of items) {
    await ctx.db.delete("contentItems", _id);
    await forgetItem(ctx, _id);
  }
  if (items.length < STEP_ITEMS) {
    await ctx.db.delete("chapters", chapter._id);
    await forgetChapter(ctx, chapter._id);
  }
  await ctx.scheduler.runAfter(0, internal.courses.deleteStep, { courseId });
};
