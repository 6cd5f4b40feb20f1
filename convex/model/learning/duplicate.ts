// A course's copy, in one transaction: the limits bound what it reads and writes, so that a copy is
// there whole or not at all.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { checkName } from "./fields.ts";
import { MAX_NAME_CHARS, contentBytes, refuseLargeCourse, refuseManyItems } from "./limits.ts";
import { shorten } from "./shorten.ts";
import { legacyVideoId, loadChapters, loadItems } from "./structure.ts";

const copyName = (name: string): string => shorten(`Copy of ${name}`, MAX_NAME_CHARS);

/**
 * A draft of somebody's own with all that a course has, but for its learners.
 * @param name  "Copy of …" where missing
 */
export const duplicate = async (
  ctx: MutationCtx,
  course: Doc<"courses">,
  createdBy: string,
  name: string | undefined,
): Promise<Id<"courses">> => {
  const now = Date.now();
  const { description, thumbnailUrl } = course;
  const courseId = await ctx.db.insert("courses", {
    name: name === undefined ? copyName(course.name) : checkName(name, "A course's name"),
    description,
    thumbnailUrl,
    createdBy,
    status: "draft",
    isPublished: false,
    createdAt: now,
    updatedAt: now,
  });
  let count = 0;
  let bytes = 0;
  for (const chapter of await loadChapters(ctx, course._id)) {
    const chapterId = await ctx.db.insert("chapters", {
      courseId,
      name: chapter.name,
      description: chapter.description,
      order: chapter.order,
      createdAt: now,
      updatedAt: now,
    });
    const place = { courseId, chapterId, createdAt: now, updatedAt: now };
    const items = await loadItems(ctx, chapter._id);
    const itemIds: Id<"contentItems">[] = [];
    const videoId = legacyVideoId(chapter, items);
    if (videoId !== undefined) {
      const item = { ...place, type: "video" as const, order: 1, videoId };
      itemIds.push(await ctx.db.insert("contentItems", item));
    }
    for (const { _id, _creationTime, ...item } of items) {
      bytes += contentBytes(item);
      refuseLargeCourse(bytes);
      itemIds.push(await ctx.db.insert("contentItems", { ...item, ...place }));
    }
    count += itemIds.length;
    refuseManyItems(count);
    await ctx.db.patch("chapters", chapterId, { itemIds });
  }
  await ctx.db.patch("courses", courseId, { contentBytes: bytes });
  return courseId;
};
