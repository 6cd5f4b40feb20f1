// Learners as a whole, for whoever makes the course. Others are refused with `forbidden`, or with
// `not_found` where they may not read it.
import { v } from "convex/values";
import { instructorQuery } from "./functions.ts";
import { refuse } from "./model/access.ts";
import { courseAnalyticsOf, itemAnalyticsOf } from "./model/learning/analytics.ts";
import { editableCourse, editableItem } from "./model/learning/gate.ts";
import { spanOf } from "./model/learning/playback.ts";

const activity = {
  began: v.number(),
  finished: v.number(),
  /** Whole, from 0 to 100. */
  completionPercentage: v.number(),
};

/** Items of a page of a course's figures. */
const PAGE_ITEMS = 50;
const MAX_CURSOR = 1_000_000;

/**
 * An item's learners: how many began, finished, and gave up where. `gaveUp` has the item in 20 parts
 * and, for each, those who began, have not finished, and came as far as there; they and those who
 * finished are all who began. `span` is the part of the video, null where it has none or no known end.
 * For a quiz or an assignment, the parts are of the points reached.
 */
export const getItemAnalytics = instructorQuery({
  args: { contentItemId: v.id("contentItems") },
  returns: v.object({
    contentItemId: v.id("contentItems"),
    ...activity,
    span: v.nullable(v.object({ startSec: v.number(), endSec: v.number() })),
    gaveUp: v.array(
      v.object({ fromPercentage: v.number(), toPercentage: v.number(), count: v.number() }),
    ),
  }),
  handler: async (ctx, { contentItemId }) => {
    const { item } = await editableItem(ctx, ctx.person, contentItemId);
    const { startSec, endSec } = await spanOf(ctx, item);
    const span = item.type === "video" && endSec !== undefined ? { startSec, endSec } : null;
    return { contentItemId, span, ...(await itemAnalyticsOf(ctx, contentItemId)) };
  },
});

/**
 * A course's learners: how many are enrolled, how many of them have completed it, and a page of its
 * items, in their order, with who began and finished each.
 * @param cursor  `continueCursor` of the page before; without one, the first
 */
export const getCourseAnalytics = instructorQuery({
  args: { courseId: v.id("courses"), cursor: v.optional(v.nullable(v.string())) },
  returns: v.object({
    courseId: v.id("courses"),
    enrolled: v.number(),
    completed: v.number(),
    items: v.array(
      v.object({ contentItemId: v.id("contentItems"), chapterId: v.id("chapters"), ...activity }),
    ),
    isDone: v.boolean(),
    continueCursor: v.string(),
  }),
  handler: async (ctx, { courseId, cursor }) => {
    await editableCourse(ctx, ctx.person, courseId);
    const from = Number(cursor ?? 0);
    if (!Number.isInteger(from) || from < 0 || from > MAX_CURSOR) {
      throw refuse("invalid_request", "`cursor` is a page's `continueCursor`.");
    }
    return {
      courseId,
      ...(await courseAnalyticsOf(ctx, courseId, from, PAGE_ITEMS)),
      continueCursor: String(from + PAGE_ITEMS),
    };
  },
});
