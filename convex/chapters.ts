// Chapters of courses: changed by the course's owner and admins, read by whoever may read the course.
// All refuse with `not_found` what the caller may not read; changes with `forbidden` what they may read
// only, and with `conflict` a course that is being made from videos.
import { v } from "convex/values";
import { instructorMutation, userQuery } from "./functions.ts";
import {
  insertChapter,
  moveChapter as move,
  removeChapter,
} from "./model/learning/chapterEdits.ts";
import { changed, checkDescription, checkName } from "./model/learning/fields.ts";
import {
  changeableChapter,
  changeableCourse,
  editableChapter,
  mayEdit,
  readableChapter,
  readableCourse,
} from "./model/learning/gate.ts";
import { insertItem } from "./model/learning/itemEdits.ts";
import { orderAt, reorder } from "./model/learning/order.ts";
import { chapterSiblings, loadChapters } from "./model/learning/structure.ts";
import { chapterView, viewChapter } from "./model/learning/courseView.ts";
import { ownVideo } from "./model/library/gate.ts";

/**
 * A new chapter, at the end unless `order` says where; a number that is taken means right after its
 * holder. With `videoId` it begins with that video as its first item.
 */
export const createChapter = instructorMutation({
  args: {
    courseId: v.id("courses"),
    name: v.string(),
    description: v.optional(v.string()),
    order: v.optional(v.number()),
    videoId: v.optional(v.id("videos")),
  },
  returns: v.id("chapters"),
  handler: async (ctx, { courseId, videoId, ...chapter }) => {
    await changeableCourse(ctx, ctx.person, courseId);
    const chapterId = await insertChapter(ctx, courseId, chapter);
    if (videoId !== undefined) {
      const video = await ownVideo(ctx, ctx.person, videoId);
      const place = await editableChapter(ctx, ctx.person, chapterId);
      await insertItem(ctx, place, { type: "video", videoId: video._id });
    }
    return chapterId;
  },
});

/** Changes a chapter; null takes the description away. */
export const updateChapter = instructorMutation({
  args: {
    id: v.id("chapters"),
    name: v.optional(v.string()),
    description: v.optional(v.nullable(v.string())),
    order: v.optional(v.number()),
  },
  returns: v.null(),
  handler: async (ctx, { id, name, description, order }) => {
    const { chapter, course } = await changeableChapter(ctx, ctx.person, id);
    const now = Date.now();
    const self = { id, order: chapter.order };
    await ctx.db.patch("chapters", id, {
      ...(name === undefined ? {} : { name: checkName(name, "A chapter's name") }),
      ...changed("description", description, checkDescription),
      ...(order === undefined
        ? {}
        : { order: await orderAt(chapterSiblings(ctx, course._id), order, self) }),
      updatedAt: now,
    });
    await ctx.db.patch("courses", course._id, { updatedAt: now });
    return null;
  },
});

/** Deletes a chapter with its items, and in steps what learners did with them. */
export const deleteChapter = instructorMutation({
  args: { chapterId: v.id("chapters") },
  returns: v.null(),
  handler: async (ctx, { chapterId }) => {
    const { chapter, course } = await changeableChapter(ctx, ctx.person, chapterId);
    await removeChapter(ctx, chapter, course);
    return null;
  },
});

/** Puts a chapter right after another of its course; null: first. */
export const moveChapter = instructorMutation({
  args: { chapterId: v.id("chapters"), afterId: v.nullable(v.id("chapters")) },
  returns: v.null(),
  handler: async (ctx, { chapterId, afterId }) => {
    const { chapter } = await changeableChapter(ctx, ctx.person, chapterId);
    await move(ctx, chapter, afterId);
    return null;
  },
});

/**
 * Puts all chapters of a course in this order.
 * @throws {ConvexError} `conflict` unless each is named once, as when one was added meanwhile
 */
export const reorderChapters = instructorMutation({
  args: { courseId: v.id("courses"), chapterIds: v.array(v.id("chapters")) },
  returns: v.null(),
  handler: async (ctx, { courseId, chapterIds }) => {
    await changeableCourse(ctx, ctx.person, courseId);
    await reorder(chapterSiblings(ctx, courseId), chapterIds);
    return null;
  },
});

/** A chapter without its items. */
export const getChapter = userQuery({
  args: { chapterId: v.id("chapters") },
  returns: chapterView,
  handler: async (ctx, { chapterId }) =>
    viewChapter(ctx, (await readableChapter(ctx, ctx.person, chapterId)).chapter),
});

/** A course's chapters in order. Learners do not see those without items. */
export const getChaptersByCourse = userQuery({
  args: { courseId: v.id("courses") },
  returns: v.array(chapterView),
  handler: async (ctx, { courseId }) => {
    const course = await readableCourse(ctx, ctx.person, courseId);
    const chapters = await loadChapters(ctx, courseId);
    const views = await Promise.all(chapters.map((chapter) => viewChapter(ctx, chapter)));
    return views.filter(({ itemCount }) => itemCount > 0 || mayEdit(ctx.person, course));
  },
});
