// Where a learner goes on: the item they were at last, or the next one that they have not completed.
// Only a chapter that is gone into has its items read; which are open is told without content.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { enrollmentOf } from "./enrollment.ts";
import { loadItems } from "./structure.ts";
import { type CourseSummary, type ChapterSummary, courseSummary } from "./summary.ts";

/** A place in a course. */
export interface Place {
  chapterId: Id<"chapters">;
  /** null: a legacy chapter, which is its video. */
  contentItemId: Id<"contentItems"> | null;
  completed: boolean;
}

const isOpen = (chapter: ChapterSummary): boolean => chapter.completed < chapter.total;

/** The first place of a chapter that is not completed, after an item where one is given. */
const firstOpenIn = async (
  ctx: QueryCtx,
  { chapter, items }: ChapterSummary,
  after?: Id<"contentItems">,
): Promise<Place | null> => {
  const place = (contentItemId: Place["contentItemId"]): Place => ({
    chapterId: chapter._id,
    contentItemId,
    completed: false,
  });
  if (items[0]?.contentItemId === null) return place(null);
  const open = new Set(
    items.filter(({ row }) => !row?.completed).map(({ contentItemId }) => contentItemId),
  );
  const inOrder = await loadItems(ctx, chapter._id);
  const from = after ? inOrder.findIndex(({ _id }) => _id === after) + 1 : 0;
  const next: Doc<"contentItems"> | undefined = inOrder
    .slice(from)
    .find(({ _id }) => open.has(_id));
  return next ? place(next._id) : null;
};

/** The next place that is not completed after the last one, then from the course's start. */
const nextOpen = async (
  ctx: QueryCtx,
  { chapters }: CourseSummary,
  last: Place | null,
): Promise<Place | null> => {
  const at = chapters.findIndex(({ chapter }) => chapter._id === last?.chapterId);
  const here = chapters[at];
  if (here && last?.contentItemId && isOpen(here)) {
    const next = await firstOpenIn(ctx, here, last.contentItemId);
    if (next) return next;
  }
  const following = [...chapters.slice(at + 1), ...chapters.slice(0, at + 1)].find(isOpen);
  return following ? firstOpenIn(ctx, following) : null;
};

/**
 * @returns `last`, null where there is none or it is gone; `next`, where to go on: the last place
 * while it is not completed; null when all are
 */
export const resumeOf = async (
  ctx: QueryCtx,
  userId: string,
  courseId: Id<"courses">,
): Promise<{ last: Place | null; next: Place | null }> => {
  const enrollment = await enrollmentOf(ctx, userId, courseId);
  const summary = await courseSummary(ctx, userId, courseId);
  const lastId = enrollment?.lastContentItemId;
  const places = summary.chapters.flatMap(({ chapter, items }) =>
    items.map(({ contentItemId, row }): Place => ({
      chapterId: chapter._id,
      contentItemId,
      completed: row?.completed ?? false,
    })),
  );
  const last =
    places.find(({ contentItemId }) => contentItemId && contentItemId === lastId) ?? null;
  return { last, next: last && !last.completed ? last : await nextOpen(ctx, summary, last) };
};
