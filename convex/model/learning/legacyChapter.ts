// A legacy chapter, which is its video, gets that video as an item of its own once it gets others. What
// learners did with the chapter they then did with the item: their rows move there, in steps.
import type { PaginationResult } from "convex/server";
import { type Infer, v } from "convex/values";
import { internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { countActivity } from "./aggregates.ts";
import { STEP_ROWS } from "./limits.ts";
import { recountLater } from "./recount.ts";

export const chapterMove = v.object({
  chapterId: v.id("chapters"),
  contentItemId: v.id("contentItems"),
  /** When the item was made: rows of the chapter that changed later are of all its items. */
  at: v.number(),
  cursor: v.nullable(v.string()),
});
type ChapterMove = Infer<typeof chapterMove>;

const schedule = async (ctx: MutationCtx, next: ChapterMove): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.progress.moveChapterProgress, next);
};

/** @param contentItemId  the new item that has the chapter's video */
export const moveChapterProgress = (
  ctx: MutationCtx,
  chapterId: Id<"chapters">,
  contentItemId: Id<"contentItems">,
): Promise<void> => schedule(ctx, { chapterId, contentItemId, at: Date.now(), cursor: null });

/** One step of it; schedules the next. */
export const moveChapterProgressStep = async (
  ctx: MutationCtx,
  step: ChapterMove,
): Promise<void> => {
  const { chapterId, contentItemId, at, cursor } = step;
  // Whoever deletes the item forgets what learners did with it; nothing may come after that.
  const item = await ctx.db.get("contentItems", contentItemId);
  if (!item) return;
  const { page, isDone, continueCursor }: PaginationResult<Doc<"progress">> = await ctx.db
    .query("progress")
    .withIndex("by_chapterId_contentItemId", (q) =>
      q.eq("chapterId", chapterId).eq("contentItemId", undefined),
    )
    .paginate({ cursor, numItems: STEP_ROWS });
  for (const row of page) {
    if ((row.updatedAt ?? 0) > at) continue;
    const own = await ctx.db
      .query("progress")
      .withIndex("by_userId_contentItemId", (q) =>
        q.eq("userId", row.userId).eq("contentItemId", contentItemId),
      )
      .first();
    if (own) continue;
    await ctx.db.patch("progress", row._id, { contentItemId });
    await countActivity(ctx, contentItemId, null, row);
  }
  if (!isDone) await schedule(ctx, { ...step, cursor: continueCursor });
  // While rows moved, who had completed the course may have been found not to have.
  else if (item.courseId !== undefined) await recountLater(ctx, item.courseId);
};
