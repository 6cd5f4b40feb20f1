// Content items of chapters: changed by the course's owner and admins, read by whoever may read the
// course, without a quiz's key where they are not its editor. All refuse with `not_found` what the caller
// may not read; changes with `forbidden` what they may read only, with `conflict` a course that is being
// made from videos, and with `invalid_request` content that is not of the item's type, or too large.
import { v } from "convex/values";
import { instructorMutation, userQuery } from "./functions.ts";
import { checkContent, contentArgs } from "./model/learning/content.ts";
import { changed, checkName } from "./model/learning/fields.ts";
import {
  changeableChapter,
  changeableItem,
  mayEdit,
  readableChapter,
  readableItem,
} from "./model/learning/gate.ts";
import { insertItem, moveItem as move, patchItem, removeItem } from "./model/learning/itemEdits.ts";
import { reorder } from "./model/learning/order.ts";
import { itemSiblings } from "./model/learning/structure.ts";
import {
  contentType,
  itemView,
  itemWithVideo,
  viewItem,
  viewItems,
  viewVideo,
} from "./model/learning/courseView.ts";

/**
 * A new item, at the end unless `order` says where; a number that is taken means right after its
 * holder. Its content may come later, unless the course is published.
 *
 * `textContent` is HTML, kept as it is handed in: whoever shows it sanitises it.
 */
export const create = instructorMutation({
  args: {
    chapterId: v.id("chapters"),
    type: contentType,
    title: v.optional(v.string()),
    order: v.optional(v.number()),
    ...contentArgs,
  },
  returns: v.id("contentItems"),
  handler: async (ctx, { chapterId, type, title, order, ...given }) => {
    const place = await changeableChapter(ctx, ctx.person, chapterId);
    const content = await checkContent(ctx, ctx.person, type, given);
    return insertItem(ctx, place, { ...content, type, title, order });
  },
});
/** The requirements' other name for it. @alias */
export const createContentItem = create;

/** Changes an item; null takes a field away. Its type stays. */
export const update = instructorMutation({
  args: {
    id: v.id("contentItems"),
    title: v.optional(v.nullable(v.string())),
    order: v.optional(v.number()),
    ...contentArgs,
  },
  returns: v.null(),
  handler: async (ctx, { id, title, order, ...given }) => {
    const place = await changeableItem(ctx, ctx.person, id);
    await patchItem(ctx, place, {
      ...(await checkContent(ctx, ctx.person, place.item.type, given, place.item)),
      ...changed("title", title, (text) => checkName(text, "A content item's title")),
      order,
    });
    return null;
  },
});
/** The requirements' other name for it. @alias */
export const updateContentItem = update;

/** Deletes an item, and in steps what learners did with it. */
export const remove = instructorMutation({
  args: { id: v.id("contentItems") },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    const place = await changeableItem(ctx, ctx.person, id);
    await removeItem(ctx, place);
    return null;
  },
});
/** The requirements' other name for it. @alias */
export const deleteContentItem = remove;

/** Puts an item right after another of a chapter of its course; null: first. */
export const moveItem = instructorMutation({
  args: {
    contentItemId: v.id("contentItems"),
    chapterId: v.id("chapters"),
    afterId: v.nullable(v.id("contentItems")),
  },
  returns: v.null(),
  handler: async (ctx, { contentItemId, chapterId, afterId }) => {
    const place = await changeableItem(ctx, ctx.person, contentItemId);
    await move(ctx, place, chapterId, afterId);
    return null;
  },
});

/**
 * Puts all items of a chapter in this order.
 * @throws {ConvexError} `conflict` unless each is named once, as when one was added meanwhile
 */
export const reorderItems = instructorMutation({
  args: { chapterId: v.id("chapters"), itemIds: v.array(v.id("contentItems")) },
  returns: v.null(),
  handler: async (ctx, { chapterId, itemIds }) => {
    await changeableChapter(ctx, ctx.person, chapterId);
    await reorder(itemSiblings(ctx, chapterId), itemIds);
    return null;
  },
});

/** A chapter's items in order; of a legacy chapter its video, as an item without an id. */
export const getByChapter = userQuery({
  args: { chapterId: v.id("chapters") },
  returns: v.array(itemView),
  handler: async (ctx, { chapterId }) => {
    const { chapter, course } = await readableChapter(ctx, ctx.person, chapterId);
    return viewItems(ctx, chapter, mayEdit(ctx.person, course));
  },
});
/** The requirements' other name for it. @alias */
export const getContentItemsByChapter = getByChapter;

/** An item with what is needed to play its video. */
export const getContentItem = userQuery({
  args: { contentItemId: v.id("contentItems") },
  returns: itemWithVideo,
  handler: async (ctx, { contentItemId }) => {
    const { item, chapter, course } = await readableItem(ctx, ctx.person, contentItemId);
    const view = viewItem(item, chapter, mayEdit(ctx.person, course));
    return { ...view, video: await viewVideo(ctx, item.videoId) };
  },
});
