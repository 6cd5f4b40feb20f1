// How far somebody is in a course: the items that are there now, against the rows of what they did.
// Worked out on reading, so that it is right whatever was added or removed since.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { percentageOf } from "./completion.ts";
import { MAX_CHAPTERS, MAX_ITEMS } from "./limits.ts";
import { itemIdsOf, legacyVideoId, loadChapters } from "./structure.ts";

type Row = Doc<"progress">;

/** A chapter and what is in it, without content. */
export interface ChapterOutline {
  chapter: Doc<"chapters">;
  itemIds: Id<"contentItems">[];
  /** A legacy chapter, which is its video: it counts as one item, completed by the chapter's own row. */
  isLegacy: boolean;
}

/** An item; without `contentItemId`, a chapter that is its video. */
export interface ItemProgress {
  contentItemId: Id<"contentItems"> | null;
  row: Row | undefined;
}
export interface ChapterSummary extends Summary {
  chapter: Doc<"chapters">;
  row: Row | undefined;
  items: ItemProgress[];
}
export interface Summary {
  completed: number;
  total: number;
  /** Whole number from 0 to 100; 100 only when all are done, 0 where there is nothing to do. */
  percentage: number;
}
export interface CourseSummary extends Summary {
  row: Row | undefined;
  chapters: ChapterSummary[];
}

/** A user's rows of a course, and as many again that wait for the deletion of what they are of. */
const MAX_ROWS = 2 * (MAX_ITEMS + MAX_CHAPTERS + 1);

/** A course's chapters in their order, with which items they have. */
export const courseOutline = async (
  ctx: QueryCtx,
  courseId: Id<"courses">,
): Promise<ChapterOutline[]> =>
  Promise.all(
    (await loadChapters(ctx, courseId)).map(async (chapter) => {
      const itemIds = await itemIdsOf(ctx, chapter);
      return { chapter, itemIds, isLegacy: legacyVideoId(chapter, itemIds) !== undefined };
    }),
  );

/** What somebody did in a course. */
export const rowsOf = (ctx: QueryCtx, userId: string, courseId: Id<"courses">): Promise<Row[]> =>
  ctx.db
    .query("progress")
    .withIndex("by_userId_courseId", (q) => q.eq("userId", userId).eq("courseId", courseId))
    .take(MAX_ROWS);

const sum = (parts: readonly Summary[]): Summary => {
  const completed = parts.reduce((count, part) => count + part.completed, 0);
  const total = parts.reduce((count, part) => count + part.total, 0);
  return { completed, total, percentage: percentageOf(completed, total) };
};

/** @param rows  one user's, of this course; those of items that are gone count nothing */
export const summarize = (
  outline: readonly ChapterOutline[],
  rows: readonly Row[],
): CourseSummary => {
  const byItem = new Map<string, Row>();
  const byChapter = new Map<string, Row>();
  let ofCourse: Row | undefined;
  // The first of an item's rows is the one that is written; of before there may be more.
  for (const row of rows.toReversed()) {
    if (row.contentItemId !== undefined) byItem.set(row.contentItemId, row);
    else if (row.chapterId !== undefined) byChapter.set(row.chapterId, row);
    else ofCourse = row;
  }
  for (const { chapter } of outline) {
    const row = byChapter.get(chapter._id);
    if (chapter.movingTo === undefined || !row) continue;
    byChapter.delete(chapter._id);
    if (!byItem.has(chapter.movingTo)) byItem.set(chapter.movingTo, row);
  }
  const chapters = outline.map(({ chapter, itemIds, isLegacy }): ChapterSummary => {
    const row = byChapter.get(chapter._id);
    const items: ItemProgress[] = isLegacy
      ? [{ contentItemId: null, row }]
      : itemIds.map((contentItemId) => ({ contentItemId, row: byItem.get(contentItemId) }));
    const completed = items.filter((item) => item.row?.completed).length;
    const percentage = percentageOf(completed, items.length);
    return { chapter, row, items, completed, total: items.length, percentage };
  });
  return { row: ofCourse, chapters, ...sum(chapters) };
};

export const allItems = ({ chapters }: CourseSummary): ItemProgress[] =>
  chapters.flatMap(({ items }) => items);

/**
 * When a whole was completed: with the last of its items; undefined while one is not, and where legacy
 * rows do not say.
 */
export const completedAtOf = (
  { percentage }: Summary,
  items: readonly ItemProgress[],
): number | undefined =>
  percentage === 100
    ? items.reduce((latest, { row }) => Math.max(latest, row?.completedAt ?? 0), 0) || undefined
    : undefined;

/** How far somebody is in a course, in bounded reads. */
export const courseSummary = async (
  ctx: QueryCtx,
  userId: string,
  courseId: Id<"courses">,
): Promise<CourseSummary> => {
  const outline = await courseOutline(ctx, courseId);
  return summarize(outline, await rowsOf(ctx, userId, courseId));
};
