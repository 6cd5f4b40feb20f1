// Who has completed a course, after items of it came or went: of each learner anew, in steps, since a
// course may have any number of them. Percentages need none of this: they are worked out on reading.
import { type Infer, v } from "convex/values";
import { internal } from "../../_generated/api.js";
import type { Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { followUp } from "./progress.ts";
import { courseOutline } from "./summary.ts";

/** Learners of a step: each has at most some 1,200 rows of progress to read. */
const STEP_LEARNERS = 10;

export const recounting = v.object({
  courseId: v.id("courses"),
  /** Which it is of the course's; an earlier one ends where a later one has begun. */
  recount: v.number(),
  cursor: v.union(v.string(), v.null()),
});
type Recounting = Infer<typeof recounting>;

const schedule = async (ctx: MutationCtx, next: Recounting): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.progress.recount, next);
};

/** To be called whenever items of a course have come or gone. */
export const recountLater = async (ctx: MutationCtx, courseId: Id<"courses">): Promise<void> => {
  const course = await ctx.db.get("courses", courseId);
  const learner = await ctx.db
    .query("enrollments")
    .withIndex("by_courseId", (q) => q.eq("courseId", courseId))
    .first();
  if (!course || !learner) return;
  const recount = (course.recount ?? 0) + 1;
  await ctx.db.patch("courses", courseId, { recount });
  await schedule(ctx, { courseId, recount, cursor: null });
};

/** One step of it; schedules the next. */
export const recountStep = async (
  ctx: MutationCtx,
  { courseId, recount, cursor }: Recounting,
  now: number,
): Promise<void> => {
  const course = await ctx.db.get("courses", courseId);
  if (course?.recount !== recount || course.deletingAt !== undefined) return;
  const { page, isDone, continueCursor } = await ctx.db
    .query("enrollments")
    .withIndex("by_courseId", (q) => q.eq("courseId", courseId))
    .paginate({ cursor, numItems: STEP_LEARNERS });
  const outline = await courseOutline(ctx, courseId);
  for (const { userId } of page) await followUp(ctx, userId, courseId, outline, now);
  if (!isDone) await schedule(ctx, { courseId, recount, cursor: continueCursor });
};
