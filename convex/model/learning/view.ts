// Learning as pages get it.
import { type Infer, v } from "convex/values";
import { percentageOf } from "./completion.ts";
import type { CourseTally, Tally, TalliedChapter, TalliedItem } from "./tally.ts";

/** `percentage` is whole, from 0 to 100; 100 only when all are done, 0 where there is nothing. */
export const tallyView = v.object({
  completed: v.number(),
  total: v.number(),
  percentage: v.number(),
});
export const toTallyView = ({ completed, total, percentage }: Tally): Infer<typeof tallyView> => ({
  completed,
  total,
  percentage,
});

const stateFields = {
  completed: v.boolean(),
  completedAt: v.nullable(v.number()),
  progressPercentage: v.number(),
};
const itemProgress = v.object({
  /** null: an old chapter without items, which is its video. */
  contentItemId: v.nullable(v.id("contentItems")),
  ...stateFields,
  /** null: not begun. */
  startedAt: v.nullable(v.number()),
});
const wholeFields = { ...stateFields, completedItems: v.number(), totalItems: v.number() };

/** How far somebody is in a course, its chapters in their order, and their items in no order. */
export const courseProgress = v.object({
  courseId: v.id("courses"),
  enrolledAt: v.nullable(v.number()),
  ...wholeFields,
  chapters: v.array(
    v.object({ chapterId: v.id("chapters"), ...wholeFields, items: v.array(itemProgress) }),
  ),
});

const toItemProgress = ({ contentItemId, row }: TalliedItem): Infer<typeof itemProgress> => ({
  contentItemId,
  completed: row?.completed ?? false,
  completedAt: row?.completedAt ?? null,
  progressPercentage: row?.completed ? 100 : (row?.progressPercentage ?? 0),
  startedAt: row ? (row.startedAt ?? row._creationTime) : null,
});

/** A whole is completed when the last of its items was. */
const toWhole = (tally: Tally, items: readonly TalliedItem[]) => {
  const isDone = tally.percentage === 100;
  const times = items.map(({ row }) => row?.completedAt ?? 0);
  return {
    completed: isDone,
    completedAt: isDone ? times.reduce((a, b) => Math.max(a, b), 0) || null : null,
    progressPercentage: percentageOf(tally.completed, tally.total),
    completedItems: tally.completed,
    totalItems: tally.total,
  };
};

const toChapter = (tally: TalliedChapter) => ({
  chapterId: tally.chapter._id,
  ...toWhole(tally, tally.items),
  items: tally.items.map(toItemProgress),
});

export const toChapters = (tally: CourseTally) => ({
  ...toWhole(
    tally,
    tally.chapters.flatMap(({ items }) => items),
  ),
  chapters: tally.chapters.map(toChapter),
});
