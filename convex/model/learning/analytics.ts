// What a course's owner learns of its learners as a whole: how many began an item, finished it, and
// how far those were at the furthest who did not. Read from the counts, never from learners' rows.
import type { Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { courseEnrollments, gaveUpIn, itemActivity } from "./aggregates.ts";
import { BUCKETS, percentageOf } from "./completion.ts";
import { loadItems } from "./structure.ts";
import { courseOutline } from "./summary.ts";

export interface Activity {
  began: number;
  finished: number;
  /** `finished` of `began`: whole number from 0 to 100, 100 only when all did. */
  completionPercentage: number;
}

const activity = (began: number, finished: number): Activity => ({
  began,
  finished,
  completionPercentage: percentageOf(finished, began),
});

/** Of each item, in two calls. Whole trees are counted at their roots: some 20 reads each. */
const activitiesOf = async (
  ctx: QueryCtx,
  itemIds: readonly Id<"contentItems">[],
): Promise<Activity[]> => {
  const trees = itemIds.map((namespace) => ({ namespace }));
  const began = await itemActivity.countBatch(ctx, trees);
  const finished = await itemActivity.sumBatch(ctx, trees);
  return itemIds.map((_, index) => activity(began[index] ?? 0, finished[index] ?? 0));
};

/** How many gave up in a part of the item, which is told in percent of it. */
export interface GaveUp {
  fromPercentage: number;
  toPercentage: number;
  count: number;
}

export const itemAnalyticsOf = async (
  ctx: QueryCtx,
  namespace: Id<"contentItems">,
): Promise<Activity & { gaveUp: GaveUp[] }> => {
  const [whole = activity(0, 0)] = await activitiesOf(ctx, [namespace]);
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
  const counts = await itemActivity.countBatch(
    ctx,
    buckets.map((bucket) => ({ namespace, bounds: gaveUpIn(bucket) })),
  );
  const step = 100 / BUCKETS;
  return {
    ...whole,
    gaveUp: buckets.map((bucket) => ({
      fromPercentage: bucket * step,
      toPercentage: (bucket + 1) * step,
      count: counts[bucket] ?? 0,
    })),
  };
};

/** A page of a course's items, in their order. */
interface ItemsPage {
  items: { itemId: Id<"contentItems">; chapterId: Id<"chapters"> }[];
  isDone: boolean;
}

/** Reads the items of the chapters that the page is in, and of no others. */
const itemsPage = async (
  ctx: QueryCtx,
  courseId: Id<"courses">,
  from: number,
  count: number,
): Promise<ItemsPage> => {
  const items: ItemsPage["items"] = [];
  let before = 0;
  for (const { chapter, itemIds } of await courseOutline(ctx, courseId)) {
    const first = Math.max(0, from - before);
    const last = from + count - before;
    before += itemIds.length;
    if (first >= itemIds.length || last <= 0) continue;
    for (const { _id } of (await loadItems(ctx, chapter._id)).slice(first, last)) {
      items.push({ itemId: _id, chapterId: chapter._id });
    }
  }
  return { items, isDone: before <= from + count };
};

export interface CourseAnalytics {
  enrolled: number;
  completed: number;
  items: (Activity & { contentItemId: Id<"contentItems">; chapterId: Id<"chapters"> })[];
  isDone: boolean;
}

/** @param from  how many of the course's items come before the page */
export const courseAnalyticsOf = async (
  ctx: QueryCtx,
  courseId: Id<"courses">,
  from: number,
  count: number,
): Promise<CourseAnalytics> => {
  const { items, isDone } = await itemsPage(ctx, courseId, from, count);
  const activities = await activitiesOf(
    ctx,
    items.map(({ itemId }) => itemId),
  );
  const tree = { namespace: courseId };
  return {
    enrolled: await courseEnrollments.count(ctx, tree),
    completed: await courseEnrollments.sum(ctx, tree),
    items: items.map(({ itemId, chapterId }, index) => ({
      contentItemId: itemId,
      chapterId,
      ...(activities[index] ?? activity(0, 0)),
    })),
    isDone,
  };
};
