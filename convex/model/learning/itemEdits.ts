// Adding, changing, moving and removing content items. Every writer of items comes through here: it
// keeps `chapters.itemIds` and `courses.contentBytes`, and holds to the limits.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import type { ContentType } from "../../tables/learning.ts";
import { refuse } from "../access.ts";
import { moveChapterProgress } from "./legacyChapter.ts";
import { type Content, missingContent } from "./content.ts";
import { checkName } from "./fields.ts";
import { forgetItem } from "./forget.ts";
import { type ChapterPlace, type ItemPlace, isPublished } from "./gate.ts";
import {
  contentBytes,
  refuseLargeCourse,
  refuseLargeItem,
  refuseManyChapterItems,
  refuseManyItems,
} from "./limits.ts";
import { type Ordered, orderAfter, orderAt, orderLast } from "./order.ts";
import { recountLater } from "./recount.ts";
import {
  courseBytes,
  itemCount,
  itemIdsOf,
  itemSiblings,
  legacyVideoId,
  loadChapters,
} from "./structure.ts";

type Item = Doc<"contentItems">;
type Course = Doc<"courses">;

/** An item with content that was checked (content.ts), or that this backend made. */
export interface NewItem extends Content {
  type: ContentType;
  title?: string;
  /** Where it is to stand; at the end where missing. */
  order?: number;
  citation?: Item["citation"];
}

const orderedItem = ({ _id, order }: Item): Ordered<Id<"contentItems">> => ({ id: _id, order });

/** What learners see, and what is said to be ready, stays complete. */
const refuseIncomplete = (course: Course, item: Content & { type: ContentType }): void => {
  if (!isPublished(course) && course.status !== "ready") return;
  const what = missingContent(item);
  if (what === null) return;
  throw refuse(
    "conflict",
    `The course is published or ready, and the item would lack ${what}. Make it a draft first.`,
    { missing: [{ what }] },
  );
};

const countItems = async (ctx: MutationCtx, courseId: Id<"courses">): Promise<number> => {
  let count = 0;
  for (const chapter of await loadChapters(ctx, courseId)) {
    count += itemCount(chapter, await itemIdsOf(ctx, chapter));
  }
  return count;
};

/**
 * A chapter's items, for one that is about to get another: a legacy chapter gets its video as an
 * item of its own, so that it keeps it.
 */
const ownItemIds = async (
  ctx: MutationCtx,
  chapter: Doc<"chapters">,
): Promise<Id<"contentItems">[]> => {
  const itemIds = await itemIdsOf(ctx, chapter);
  const videoId = legacyVideoId(chapter, itemIds);
  if (videoId === undefined) return itemIds;
  const { _id: chapterId, courseId, createdAt } = chapter;
  const item = { chapterId, courseId, type: "video" as const, order: 1, videoId, createdAt };
  const itemId = await ctx.db.insert("contentItems", item);
  await moveChapterProgress(ctx, chapterId, itemId);
  return [itemId];
};

const writeItemIds = (
  ctx: MutationCtx,
  chapterId: Id<"chapters">,
  itemIds: Id<"contentItems">[],
  now: number,
): Promise<void> =>
  ctx.db.patch("chapters", chapterId, { itemIds, videoId: undefined, updatedAt: now });

/**
 * A new item of a chapter that may be changed.
 * @throws {ConvexError} `invalid_request` where it is too large or one too many; `conflict` where it
 *   is incomplete and the course published
 */
export const insertItem = async (
  ctx: MutationCtx,
  { chapter, course }: ChapterPlace,
  { title, order, ...content }: NewItem,
): Promise<Id<"contentItems">> => {
  refuseIncomplete(course, content);
  const bytes = contentBytes(content);
  refuseLargeItem(bytes);
  const allBytes = (await courseBytes(ctx, course)) + bytes;
  refuseLargeCourse(allBytes);
  refuseManyItems((await countItems(ctx, course._id)) + 1);
  const itemIds = await ownItemIds(ctx, chapter);
  refuseManyChapterItems(itemIds.length + 1);

  const siblings = itemSiblings(ctx, chapter._id);
  const now = Date.now();
  const itemId = await ctx.db.insert("contentItems", {
    ...content,
    chapterId: chapter._id,
    courseId: course._id,
    title: title === undefined ? undefined : checkName(title, "A content item's title"),
    order: order === undefined ? await orderLast(siblings) : await orderAt(siblings, order),
    createdAt: now,
    updatedAt: now,
  });
  await writeItemIds(ctx, chapter._id, [...itemIds, itemId], now);
  await ctx.db.patch("courses", course._id, { contentBytes: allBytes, updatedAt: now });
  await recountLater(ctx, course._id);
  return itemId;
};

export interface ItemChange extends Content {
  title?: string | undefined;
  order?: number;
}

/**
 * Changes an item; a field that is there and undefined is taken away.
 * @throws {ConvexError} as `insertItem`
 */
export const patchItem = async (
  ctx: MutationCtx,
  { item, course }: ItemPlace,
  { order, ...change }: ItemChange,
): Promise<void> => {
  const next = { ...item, ...change };
  if (missingContent(item) === null) refuseIncomplete(course, next);
  const bytesBefore = contentBytes(item);
  const bytes = contentBytes(next);
  const allBytes = (await courseBytes(ctx, course)) - bytesBefore + bytes;
  // Of before the limits there may be more: that may shrink.
  if (bytes > bytesBefore) {
    refuseLargeItem(bytes);
    refuseLargeCourse(allBytes);
  }
  const now = Date.now();
  const place =
    order === undefined
      ? {}
      : { order: await orderAt(itemSiblings(ctx, item.chapterId), order, orderedItem(item)) };
  await ctx.db.patch("contentItems", item._id, { ...change, ...place, updatedAt: now });
  await ctx.db.patch("courses", course._id, { contentBytes: allBytes, updatedAt: now });
};

/**
 * Puts an item right after another of a chapter of its course; null: first.
 * @throws {ConvexError} `invalid_request` where the place is not in this course
 */
export const moveItem = async (
  ctx: MutationCtx,
  { item, chapter, course }: ItemPlace,
  chapterId: Id<"chapters">,
  afterId: Id<"contentItems"> | null,
): Promise<void> => {
  const target = chapterId === chapter._id ? chapter : await ctx.db.get("chapters", chapterId);
  if (target?.courseId !== course._id) {
    throw refuse("invalid_request", "An item moves within its course; this chapter is not of it.");
  }
  const now = Date.now();
  const moves = target._id !== chapter._id;
  if (moves) {
    const rest = (await itemIdsOf(ctx, chapter)).filter((id) => id !== item._id);
    const itemIds = await ownItemIds(ctx, target);
    refuseManyChapterItems(itemIds.length + 1);
    await writeItemIds(ctx, chapter._id, rest, now);
    await writeItemIds(ctx, target._id, [...itemIds, item._id], now);
  }
  const after = afterId && (await ctx.db.get("contentItems", afterId));
  if (afterId !== null && after?.chapterId !== target._id) {
    throw refuse("invalid_request", "`afterId` is no item of this chapter.");
  }
  const order = await orderAfter(
    itemSiblings(ctx, target._id),
    after && orderedItem(after),
    moves ? undefined : orderedItem(item),
  );
  if (!moves && order === item.order) return;
  await ctx.db.patch("contentItems", item._id, {
    chapterId: target._id,
    courseId: course._id,
    order,
  });
};

/** Removes an item; what learners did with it goes in steps afterwards. */
export const removeItem = async (
  ctx: MutationCtx,
  { item, chapter, course }: ItemPlace,
): Promise<void> => {
  const now = Date.now();
  const contentBytesLeft = (await courseBytes(ctx, course)) - contentBytes(item);
  const rest = (await itemIdsOf(ctx, chapter)).filter((id) => id !== item._id);
  await ctx.db.delete("contentItems", item._id);
  await writeItemIds(ctx, chapter._id, rest, now);
  await ctx.db.patch("courses", course._id, { contentBytes: contentBytesLeft, updatedAt: now });
  await forgetItem(ctx, item._id);
  await recountLater(ctx, course._id);
};
