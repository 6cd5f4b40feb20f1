// A course's chapters and items as they are read: whole, in order, and within the limits. A legacy
// chapter, from before there were content items, has its video in `videoId` and reads as a chapter
// with that one item.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { MAX_CHAPTERS, MAX_ITEMS_PER_CHAPTER, contentBytes } from "./limits.ts";
import type { Ordered, Siblings } from "./order.ts";

type Chapter = Doc<"chapters">;
type Item = Doc<"contentItems">;

/** A course's chapters, in order. */
export const loadChapters = (ctx: QueryCtx, courseId: Id<"courses">): Promise<Chapter[]> =>
  ctx.db
    .query("chapters")
    .withIndex("by_courseId_order", (q) => q.eq("courseId", courseId))
    .take(MAX_CHAPTERS);

/** A chapter's own items with their content, in order. */
export const loadItems = (ctx: QueryCtx, chapterId: Id<"chapters">): Promise<Item[]> =>
  ctx.db
    .query("contentItems")
    .withIndex("by_chapterId_order", (q) => q.eq("chapterId", chapterId))
    .take(MAX_ITEMS_PER_CHAPTER);

/** Which items a chapter has of its own, in no order. Only for legacy rows the items are read. */
export const itemIdsOf = async (ctx: QueryCtx, chapter: Chapter): Promise<Id<"contentItems">[]> =>
  chapter.itemIds ?? (await loadItems(ctx, chapter._id)).map(({ _id }) => _id);

/** The video that a legacy chapter stands for; undefined once it has items of its own. */
export const legacyVideoId = (
  chapter: Chapter,
  itemIds: readonly unknown[],
): Id<"videos"> | undefined => (itemIds.length === 0 ? chapter.videoId : undefined);

/** How many items a chapter counts; a legacy chapter's video is one. */
export const itemCount = (chapter: Chapter, itemIds: readonly unknown[]): number =>
  legacyVideoId(chapter, itemIds) === undefined ? itemIds.length : 1;

/** What `courses.contentBytes` says, or should say in a legacy row. */
export const courseBytes = async (ctx: QueryCtx, course: Doc<"courses">): Promise<number> => {
  if (course.contentBytes !== undefined) return course.contentBytes;
  let bytes = 0;
  for (const chapter of await loadChapters(ctx, course._id)) {
    for (const item of await loadItems(ctx, chapter._id)) bytes += contentBytes(item);
  }
  return bytes;
};

const ordered = <I extends string>({ _id, order }: { _id: I; order: number }): Ordered<I> => ({
  id: _id,
  order,
});

export const chapterSiblings = (
  ctx: MutationCtx,
  courseId: Id<"courses">,
): Siblings<Id<"chapters">> => {
  const rows = () => ctx.db.query("chapters");
  return {
    at: async (order) =>
      (
        await rows()
          .withIndex("by_courseId_order", (q) => q.eq("courseId", courseId).eq("order", order))
          .take(2)
      ).map(ordered),
    above: async (order) =>
      (
        await rows()
          .withIndex("by_courseId_order", (q) =>
            order === undefined
              ? q.eq("courseId", courseId)
              : q.eq("courseId", courseId).gt("order", order),
          )
          .take(2)
      ).map(ordered),
    last: async () => {
      const row = await rows()
        .withIndex("by_courseId_order", (q) => q.eq("courseId", courseId))
        .order("desc")
        .first();
      return row ? ordered(row) : undefined;
    },
    all: async () => (await loadChapters(ctx, courseId)).map(ordered),
    setOrder: (id, order) => ctx.db.patch("chapters", id, { order }),
  };
};

export const itemSiblings = (
  ctx: MutationCtx,
  chapterId: Id<"chapters">,
): Siblings<Id<"contentItems">> => {
  const rows = () => ctx.db.query("contentItems");
  return {
    at: async (order) =>
      (
        await rows()
          .withIndex("by_chapterId_order", (q) => q.eq("chapterId", chapterId).eq("order", order))
          .take(2)
      ).map(ordered),
    above: async (order) =>
      (
        await rows()
          .withIndex("by_chapterId_order", (q) =>
            order === undefined
              ? q.eq("chapterId", chapterId)
              : q.eq("chapterId", chapterId).gt("order", order),
          )
          .take(2)
      ).map(ordered),
    last: async () => {
      const row = await rows()
        .withIndex("by_chapterId_order", (q) => q.eq("chapterId", chapterId))
        .order("desc")
        .first();
      return row ? ordered(row) : undefined;
    },
    all: async () => (await loadItems(ctx, chapterId)).map(ordered),
    setOrder: (id, order) => ctx.db.patch("contentItems", id, { order }),
  };
};
