// The counts that are kept beside learning's tables, so that no function counts rows: enrolments of
// a course, and where learners are in an item. Each has its own tree, so that courses and items do
// not wait for each other.
import { DirectAggregate, TableAggregate } from "@convex-dev/aggregate";
import { components } from "../../_generated/api.js";
import type { DataModel, Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { bucketOf } from "./completion.ts";

/** Enrolments by course, in the order they were made; the sum counts the completed ones. */
export const courseEnrollments = new TableAggregate<{
  Key: number;
  DataModel: DataModel;
  TableName: "enrollments";
  Namespace: Id<"courses">;
}>(components.courseEnrollments, {
  namespace: ({ courseId }) => courseId,
  sortKey: ({ enrolledAt }) => enrolledAt,
  sumValue: ({ completedAt }) => (completedAt === undefined ? 0 : 1),
});

const BEGUN = 0;
const FINISHED = 1;
type ActivityKey = [state: number, bucket: number];

/** Learners by item: who began it, and how far they are; the sum counts who finished. */
export const itemActivity = new DirectAggregate<{
  Key: ActivityKey;
  Id: Id<"progress">;
  Namespace: Id<"contentItems">;
}>(components.itemActivity);

/** Those who began an item, did not finish it, and were in this part of it at the furthest. */
export const gaveUpIn = (bucket: number): { prefix: ActivityKey } => ({ prefix: [BEGUN, bucket] });

type Row = Pick<Doc<"progress">, "_id" | "completed" | "progressPercentage">;

const keyOf = ({ completed, progressPercentage }: Row): ActivityKey =>
  completed ? [FINISHED, 0] : [BEGUN, bucketOf(progressPercentage ?? 0)];

const entry = (row: Row) => ({ id: row._id, key: keyOf(row), sumValue: row.completed ? 1 : 0 });

/**
 * Keeps `itemActivity` in step with an item's progress row. Rows from before the counts come in with
 * their first change.
 * @param before  missing for a new row
 */
export const countActivity = async (
  ctx: MutationCtx,
  namespace: Id<"contentItems">,
  before: Row | null,
  after: Row,
): Promise<void> => {
  const to = { namespace, ...entry(after) };
  if (before === null) return itemActivity.insertIfDoesNotExist(ctx, to);
  const from = { namespace, ...entry(before) };
  if (from.key.join() === to.key.join()) return;
  await itemActivity.replaceOrInsert(ctx, from, to);
};

/** Takes an item's progress row that is deleted out of `itemActivity`. */
export const uncountActivity = (
  ctx: MutationCtx,
  namespace: Id<"contentItems">,
  row: Row,
): Promise<void> => itemActivity.deleteIfExists(ctx, { namespace, ...entry(row) });
