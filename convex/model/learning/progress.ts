// The one writer of `progress`. What somebody did with an item comes in as an event; what it makes of
// the item is completion.ts's to say, and the rows of its chapter and course follow.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { countActivity } from "./aggregates.ts";
import {
  type ItemEvent,
  type ItemState,
  NOT_BEGUN,
  advance,
  bucketOf,
  isGraded,
} from "./completion.ts";
import { ensureEnrolled, enrollmentOf, noteActivity, noteCompletion } from "./enrollment.ts";
import { takeChapterRow } from "./legacyChapter.ts";
import {
  type ChapterOutline,
  type Summary,
  type ItemProgress,
  allItems,
  completedAtOf,
  courseOutline,
  rowsOf,
  summarize,
} from "./summary.ts";

type Row = Doc<"progress">;

/** What an event is about. */
export interface ItemOfLearner {
  userId: string;
  /** null: a legacy chapter, which is its video. */
  item: Doc<"contentItems"> | null;
  chapter: Doc<"chapters">;
  course: Doc<"courses">;
}

const rowOf = async (
  ctx: MutationCtx,
  { userId, item, chapter }: ItemOfLearner,
): Promise<Row | null> => {
  if (!item) {
    return ctx.db
      .query("progress")
      .withIndex("by_userId_chapterId_contentItemId", (q) =>
        q.eq("userId", userId).eq("chapterId", chapter._id).eq("contentItemId", undefined),
      )
      .first();
  }
  const row = await ctx.db
    .query("progress")
    .withIndex("by_userId_contentItemId", (q) =>
      q.eq("userId", userId).eq("contentItemId", item._id),
    )
    .first();
  return row ?? takeChapterRow(ctx, userId, chapter, item._id);
};

const stateOf = (row: Row | null): ItemState =>
  row
    ? { completed: row.completed, percentage: row.completed ? 100 : (row.progressPercentage ?? 0) }
    : NOT_BEGUN;

/**
 * Records something that a learner did with an item, or that was done for them, and what follows for
 * the chapter and the course. The caller has asked the gate whether they may.
 *
 * The learner's own acts enrol them where they are not; a grading does not. It is cheap where nothing
 * changes that is counted: a row is written when the item begins, is completed or taken back, or
 * when a twentieth of it more was reached.
 * @throws {ConvexError} `conflict` for a quiz or assignment marked by hand
 */
export const recordItem = async (
  ctx: MutationCtx,
  { event, now, ...about }: ItemOfLearner & { event: ItemEvent; now: number },
): Promise<ItemState> => {
  const { userId, item, chapter, course } = about;
  const type = item?.type ?? "video";
  if (event.kind === "marked" && isGraded(type)) {
    throw refuse(
      "conflict",
      `${type === "quiz" ? "A quiz" : "An assignment"} is completed by its grading alone.`,
    );
  }
  const row = await rowOf(ctx, about);
  const before = stateOf(row);
  const after = advance(type, before, event);
  // Taking back what was never begun is nothing.
  if (!row && event.kind === "marked" && !event.completed) return after;
  const hasFlipped = after.completed !== before.completed;
  const hasMoved =
    event.kind === "watched"
      ? bucketOf(after.percentage) !== bucketOf(before.percentage)
      : after.percentage !== before.percentage;
  const isWritten = !row || hasFlipped || hasMoved;

  if (event.kind !== "graded") {
    const enrollment = await ensureEnrolled(ctx, userId, course._id, now);
    await noteActivity(ctx, enrollment, item?._id, { now, always: isWritten });
  }
  if (!isWritten) return after;

  const fields = {
    chapterId: chapter._id,
    ...rowFields(row, after, now),
    startedAt: row?.startedAt ?? now,
  };
  const ids = { userId, courseId: course._id, ...(item ? { contentItemId: item._id } : {}) };
  const _id = row ? row._id : await ctx.db.insert("progress", { ...ids, ...fields });
  if (row) await ctx.db.patch("progress", row._id, fields);
  if (item) await countActivity(ctx, item._id, row, { _id, ...fields });
  if (!row || hasFlipped) {
    await followUp(ctx, userId, course._id, await courseOutline(ctx, course._id), now);
  }
  return after;
};

const rowFields = (
  row: Row | null | undefined,
  { completed, percentage }: ItemState,
  now: number,
) => ({
  completed,
  completedAt: completed ? (row?.completedAt ?? now) : undefined,
  progressPercentage: percentage,
  updatedAt: now,
});

const differs = (row: Row | undefined, { completed, percentage }: ItemState): boolean =>
  row?.completed !== completed || row.progressPercentage !== percentage;

const wholeOf = ({ percentage }: Summary): ItemState => ({
  completed: percentage === 100,
  percentage,
});

/** What the row of a chapter or a course says; completed when the last of its items was. */
const wholeFields = (whole: Summary, items: readonly ItemProgress[], now: number) => {
  const fields = rowFields(null, wholeOf(whole), now);
  return { ...fields, completedAt: completedAtOf(whole, items) ?? fields.completedAt };
};

/**
 * Brings somebody's rows of the chapters and the course, and the enrolment, to what the items say.
 * Nothing for somebody who has begun nothing.
 */
export const followUp = async (
  ctx: MutationCtx,
  userId: string,
  courseId: Id<"courses">,
  outline: readonly ChapterOutline[],
  now: number,
): Promise<void> => {
  const rows = await rowsOf(ctx, userId, courseId);
  if (rows.length === 0) return;
  const course = summarize(outline, rows);
  for (const { chapter, row, items, ...whole } of course.chapters) {
    const isLegacy = items[0]?.contentItemId === null || chapter.movingTo !== undefined;
    const isTouched = row !== undefined || items.some((item) => item.row !== undefined);
    if (isLegacy || !isTouched || !differs(row, wholeOf(whole))) continue;
    const fields = wholeFields(whole, items, now);
    if (row) await ctx.db.patch("progress", row._id, fields);
    else {
      const ids = { userId, courseId, chapterId: chapter._id };
      await ctx.db.insert("progress", { ...ids, ...fields, startedAt: now });
    }
  }
  const fields = wholeFields(course, allItems(course), now);
  if (!course.row) {
    await ctx.db.insert("progress", { userId, courseId, ...fields, startedAt: now });
  } else if (differs(course.row, wholeOf(course))) {
    await ctx.db.patch("progress", course.row._id, fields);
  }
  const enrollment = await enrollmentOf(ctx, userId, courseId);
  if (enrollment) await noteCompletion(ctx, enrollment, fields.completedAt);
};
