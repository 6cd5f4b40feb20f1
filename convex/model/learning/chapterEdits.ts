// Adding, placing and removing chapters. Every writer of chapters comes through here, with a course
// that was let through the gate.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { checkDescription, checkName } from "./fields.ts";
import { forgetChapter, forgetItem } from "./forget.ts";
import { contentBytes, refuseManyChapters } from "./limits.ts";
import { orderAfter, orderAt, orderLast } from "./order.ts";
import { recountLater } from "./recount.ts";
import { chapterSiblings, courseBytes, loadChapters, loadItems } from "./structure.ts";

type Chapter = Doc<"chapters">;

export interface NewChapter {
  name: string;
  description?: string;
  /** Where it is to stand; at the end where missing. */
  order?: number;
}

/**
 * A new chapter without items.
 * @throws {ConvexError} `invalid_request` for a bad name, or one chapter too many
 */
export const insertChapter = async (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  { name, description, order }: NewChapter,
): Promise<Id<"chapters">> => {
  refuseManyChapters((await loadChapters(ctx, courseId)).length + 1);
  const siblings = chapterSiblings(ctx, courseId);
  const now = Date.now();
  const chapterId = await ctx.db.insert("chapters", {
    courseId,
    name: checkName(name, "A chapter's name"),
    description: description === undefined ? undefined : checkDescription(description),
    order: order === undefined ? await orderLast(siblings) : await orderAt(siblings, order),
    itemIds: [],
    createdAt: now,
    updatedAt: now,
  });
  await ctx.db.patch("courses", courseId, { updatedAt: now });
  return chapterId;
};

/**
 * Puts a chapter right after another of its course; null: first.
 * @throws {ConvexError} `invalid_request` where that one is of another course
 */
export const moveChapter = async (
  ctx: MutationCtx,
  chapter: Chapter,
  afterId: Id<"chapters"> | null,
): Promise<void> => {
  const after = afterId && (await ctx.db.get("chapters", afterId));
  if (afterId !== null && after?.courseId !== chapter.courseId) {
    throw refuse("invalid_request", "`afterId` is no chapter of this course.");
  }
  const order = await orderAfter(
    chapterSiblings(ctx, chapter.courseId),
    after && { id: after._id, order: after.order },
    { id: chapter._id, order: chapter.order },
  );
  if (order !== chapter.order) await ctx.db.patch("chapters", chapter._id, { order });
};

/** Removes a chapter and its items; what learners did with those goes in steps afterwards. */
export const removeChapter = async (
  ctx: MutationCtx,
  chapter: Chapter,
  course: Doc<"courses">,
): Promise<void> => {
  const bytes = await courseBytes(ctx, course);
  const items = await loadItems(ctx, chapter._id);
  for (const item of items) await ctx.db.delete("contentItems", item._id);
  await ctx.db.delete("chapters", chapter._id);
  await ctx.db.patch("courses", course._id, {
    contentBytes: bytes - items.reduce((sum, item) => sum + contentBytes(item), 0),
    updatedAt: Date.now(),
  });
  await forgetChapter(ctx, chapter._id);
  for (const item of items) await forgetItem(ctx, item._id);
  await recountLater(ctx, course._id);
};
