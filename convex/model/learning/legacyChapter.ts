// A legacy chapter, which is its video, gets that video as an item of its own once it gets others. What
// learners did with the chapter they then did with the item: their rows move there, in steps. Until
// all have, the chapter says so in `movingTo`, and its rows count for the item wherever they are.
import type { PaginationResult } from "convex/server";
import { type Infer, v } from "convex/values";
import { internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { countActivity } from "./aggregates.ts";
import { STEP_ROWS } from "./limits.ts";

export const chapterMove = v.object({
  chapterId: v.id("chapters"),
  contentItemId: v.id("contentItems"),
  cursor: v.nullable(v.string()),
});
type ChapterMove = Infer<typeof chapterMove>;

const schedule = async (ctx: MutationCtx, next: ChapterMove): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.progress.moveChapterProgress, next);
};

/** @param contentItemId  the new item that has the chapter's video */
export const moveChapterProgress = async (
  ctx: MutationCtx,
  chapterId: Id<"chapters">,
  contentItemId: Id<"contentItems">,
): Promise<void> => {
  await ctx.db.patch("chapters", chapterId, { movingTo: contentItemId });
  await schedule(ctx, { chapterId, contentItemId, cursor: null });
};

/** Gives a learner's row of the chapter to the item. @returns the row as it is then */
const moveRow = async (
  ctx: MutationCtx,
  row: Doc<"progress">,
  contentItemId: Id<"contentItems">,
): Promise<Doc<"progress">> => {
  await ctx.db.patch("progress", row._id, { contentItemId });
  await countActivity(ctx, contentItemId, null, row);
  return { ...row, contentItemId };
};

/** The row of the chapter that is an item's, for a learner who does something with it before it moved. */
export const takeChapterRow = async (
  ctx: MutationCtx,
  userId: string,
  { _id: chapterId, movingTo }: Doc<"chapters">,
  contentItemId: Id<"contentItems">,
): Promise<Doc<"progress"> | null> => {
  if (movingTo !== contentItemId) return null;
  const row = await ctx.db
    .query("progress")
    .withIndex("by_userId_chapterId_contentItemId", (q) =>
      q.eq("userId", userId).eq("chapterId", chapterId).eq("contentItemId", undefined),
    )
    .first();
  return row && moveRow(ctx, row, contentItemId);
};

const endMove = async (ctx: MutationCtx, { chapterId, contentItemId }: ChapterMove) => {
  const chapter = await ctx.db.get("chapters", chapterId);
  if (chapter?.movingTo !== contentItemId) return;
  await ctx.db.patch("chapters", chapterId, { movingTo: undefined });
};

/** One step of it; schedules the next. */
export const moveChapterProgressStep = async (
  ctx: MutationCtx,
  step: ChapterMove,
): Promise<void> => {
  const { chapterId, contentItemId, cursor } = step;
  // Whoever deletes the item forgets what learners did with it; nothing may come after that.
  if (!(await ctx.db.get("contentItems", contentItemId))) {
    await endMove(ctx, step);
    return;
  }
  const { page, isDone, continueCursor }: PaginationResult<Doc<"progress">> = await ctx.db
    .query("progress")
    .withIndex("by_chapterId_contentItemId", (q) =>
      q.eq("chapterId", chapterId).eq("contentItemId", undefined),
    )
    .paginate({ cursor, numItems: STEP_ROWS });
  for (const row of page) {
    const own = await ctx.db
      .query("progress")
      .withIndex("by_userId_contentItemId", (q) =>
        q.eq("userId", row.userId).eq("contentItemId", contentItemId),
      )
      .first();
    if (!own) await moveRow(ctx, row, contentItemId);
  }
  if (isDone) await endMove(ctx, step);
  else await schedule(ctx, { ...step, cursor: continueCursor });
};
