// What learners did, deleted with what they did it with. Each takes one call and goes on by itself a
// step at a time, since a course may have any number of learners.
import type { Infer } from "convex/values";
import { v } from "convex/values";
import { internal } from "../../_generated/api.js";
import type { Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { courseEnrollments, itemActivity, uncountActivity } from "./aggregates.ts";
import { STEP_ROWS } from "./limits.ts";

/** What is gone. */
export const forgotten = v.union(
  v.object({ kind: v.literal("item"), contentItemId: v.id("contentItems") }),
  v.object({ kind: v.literal("chapter"), chapterId: v.id("chapters") }),
  v.object({ kind: v.literal("course"), courseId: v.id("courses") }),
);
export type Forgotten = Infer<typeof forgotten>;

/** Rows that hold a learner's work, up to some 300 KiB each, deleted in one step. */
const STEP_LARGE_ROWS = 10;

const schedule = async (ctx: MutationCtx, what: Forgotten): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.progress.forget, { what });
};

/** Forgets all that learners did with a deleted item, attempts and submissions included. */
export const forgetItem = (ctx: MutationCtx, contentItemId: Id<"contentItems">): Promise<void> =>
  schedule(ctx, { kind: "item", contentItemId });

/** Forgets how far learners were in a deleted chapter; its items are forgotten each by itself. */
export const forgetChapter = (ctx: MutationCtx, chapterId: Id<"chapters">): Promise<void> =>
  schedule(ctx, { kind: "chapter", chapterId });

/** Forgets who took part in a deleted course and how far they were; items each by themselves. */
export const forgetCourse = (ctx: MutationCtx, courseId: Id<"courses">): Promise<void> =>
  schedule(ctx, { kind: "course", courseId });

/** @returns whether there may be more */
type Step = (ctx: MutationCtx) => Promise<boolean>;

const itemSteps = (contentItemId: Id<"contentItems">): Step[] => [
  async (ctx) => {
    const rows = await ctx.db
      .query("progress")
      .withIndex("by_contentItemId", (q) => q.eq("contentItemId", contentItemId))
      .take(STEP_ROWS);
    // The item's whole tree goes at once, which is cheaper than entry by entry.
    if (rows.length > 0) await itemActivity.clear(ctx, { namespace: contentItemId });
    for (const row of rows) await ctx.db.delete("progress", row._id);
    return rows.length === STEP_ROWS;
  },
  async (ctx) => {
    const rows = await ctx.db
      .query("playback")
      .withIndex("by_contentItemId", (q) => q.eq("contentItemId", contentItemId))
      .take(STEP_ROWS);
    for (const row of rows) await ctx.db.delete("playback", row._id);
    return rows.length === STEP_ROWS;
  },
  async (ctx) => {
    const rows = await ctx.db
      .query("quizAttempts")
      .withIndex("by_contentItemId", (q) => q.eq("contentItemId", contentItemId))
      .take(STEP_LARGE_ROWS);
    for (const row of rows) await ctx.db.delete("quizAttempts", row._id);
    return rows.length === STEP_LARGE_ROWS;
  },
  async (ctx) => {
    const rows = await ctx.db
      .query("assignmentSubmissions")
      .withIndex("by_contentItemId", (q) => q.eq("contentItemId", contentItemId))
      .take(STEP_LARGE_ROWS);
    for (const row of rows) await ctx.db.delete("assignmentSubmissions", row._id);
    return rows.length === STEP_LARGE_ROWS;
  },
];

const chapterSteps = (chapterId: Id<"chapters">): Step[] => [
  async (ctx) => {
    const rows = await ctx.db
      .query("progress")
      .withIndex("by_chapterId_contentItemId", (q) =>
        q.eq("chapterId", chapterId).eq("contentItemId", undefined),
      )
      .take(STEP_ROWS);
    for (const row of rows) await ctx.db.delete("progress", row._id);
    return rows.length === STEP_ROWS;
  },
];

const courseSteps = (courseId: Id<"courses">): Step[] => [
  async (ctx) => {
    const rows = await ctx.db
      .query("enrollments")
      .withIndex("by_courseId", (q) => q.eq("courseId", courseId))
      .take(STEP_ROWS);
    if (rows.length > 0) await courseEnrollments.clear(ctx, { namespace: courseId });
    for (const row of rows) await ctx.db.delete("enrollments", row._id);
    return rows.length === STEP_ROWS;
  },
  async (ctx) => {
    const rows = await ctx.db
      .query("progress")
      .withIndex("by_courseId", (q) => q.eq("courseId", courseId))
      .take(STEP_ROWS);
    for (const row of rows) {
      if (row.contentItemId !== undefined) await uncountActivity(ctx, row.contentItemId, row);
      await ctx.db.delete("progress", row._id);
    }
    return rows.length === STEP_ROWS;
  },
];

const stepsOf = (what: Forgotten): Step[] => {
  switch (what.kind) {
    case "item":
      return itemSteps(what.contentItemId);
    case "chapter":
      return chapterSteps(what.chapterId);
    case "course":
      return courseSteps(what.courseId);
    default:
      return what satisfies never;
  }
};

/** One step of forgetting; schedules the next where there may be more. */
export const forgetStep = async (ctx: MutationCtx, what: Forgotten): Promise<void> => {
  const hasMore = await Promise.all(stepsOf(what).map((step) => step(ctx)));
  if (hasMore.includes(true)) await schedule(ctx, what);
};
