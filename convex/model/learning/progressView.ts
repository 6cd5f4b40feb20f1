// Learning as pages get it.
import { type Infer, v } from "convex/values";
import {
  type ChapterSummary,
  type CourseSummary,
  type ItemProgress,
  type Summary,
  allItems,
  completedAtOf,
} from "./summary.ts";

/** `percentage` is whole, from 0 to 100; 100 only when all are done, 0 where there is nothing. */
export const summaryView = v.object({
  completed: v.number(),
  total: v.number(),
  percentage: v.number(),
});
export const toSummaryView = ({
  completed,
  total,
  percentage,
}: Summary): Infer<typeof summaryView> => ({
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
  /** null: a legacy chapter, which is its video. */
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

const toItemProgress = ({ contentItemId, row }: ItemProgress): Infer<typeof itemProgress> => ({
  contentItemId,
  completed: row?.completed ?? false,
  completedAt: row?.completedAt ?? null,
  progressPercentage: row?.completed ? 100 : (row?.progressPercentage ?? 0),
  startedAt: row ? (row.startedAt ?? row._creationTime) : null,
});

const toWhole = (summary: Summary, items: readonly ItemProgress[]) => ({
  completed: summary.percentage === 100,
  completedAt: completedAtOf(summary, items) ?? null,
  progressPercentage: summary.percentage,
  completedItems: summary.completed,
  totalItems: summary.total,
});

const toChapter = (summary: ChapterSummary) => ({
  chapterId: summary.chapter._id,
  ...toWhole(summary, summary.items),
  items: summary.items.map(toItemProgress),
});

export const toChapters = (summary: CourseSummary) => ({
  ...toWhole(summary, allItems(summary)),
  chapters: summary.chapters.map(toChapter),
});
