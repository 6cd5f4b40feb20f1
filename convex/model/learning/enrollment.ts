// Who takes part in a course: the only writer of `enrollments`, with its count.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { courseEnrollments } from "./aggregates.ts";
import { allItems, completedAtOf, courseSummary } from "./summary.ts";

type Enrollment = Doc<"enrollments">;

/** `lastActivityAt` is noted at most this often, since lists of courses are subscribed to. */
const NOTE_ACTIVITY_EVERY_MS = 5 * 60_000;

export const enrollmentOf = (
  ctx: QueryCtx,
  userId: string,
  courseId: Id<"courses">,
): Promise<Enrollment | null> =>
  ctx.db
    .query("enrollments")
    .withIndex("by_userId_courseId", (q) => q.eq("userId", userId).eq("courseId", courseId))
    .first();

/** Somebody's enrolment, made now where there is none. */
export const ensureEnrolled = async (
  ctx: MutationCtx,
  userId: string,
  courseId: Id<"courses">,
  now: number,
): Promise<Enrollment> => {
  const known = await enrollmentOf(ctx, userId, courseId);
  if (known) return known;
  // Somebody who comes back may have completed it before.
  const summary = await courseSummary(ctx, userId, courseId);
  const isCompleted = summary.percentage === 100;
  const completedAt = completedAtOf(summary, allItems(summary)) ?? (isCompleted ? now : undefined);
  const row = { userId, courseId, enrolledAt: now, lastActivityAt: now, completedAt };
  const _id = await ctx.db.insert("enrollments", row);
  const made = { ...row, _id, _creationTime: now };
  await courseEnrollments.insertIfDoesNotExist(ctx, made);
  return made;
};

/** Ends an enrolment; what was learned stays, and counts again after enrolling again. */
export const endEnrollment = async (ctx: MutationCtx, enrollment: Enrollment): Promise<void> => {
  await ctx.db.delete("enrollments", enrollment._id);
  await courseEnrollments.deleteIfExists(ctx, enrollment);
};

/**
 * Notes where somebody is.
 * @param always  also where they are still there and this was noted a moment ago
 */
export const noteActivity = async (
  ctx: MutationCtx,
  { _id, lastContentItemId, lastActivityAt }: Enrollment,
  at: Id<"contentItems"> | undefined,
  { now, always }: { now: number; always: boolean },
): Promise<void> => {
  const isElsewhere = at !== undefined && at !== lastContentItemId;
  if (!always && !isElsewhere && now - lastActivityAt < NOTE_ACTIVITY_EVERY_MS) return;
  await ctx.db.patch("enrollments", _id, {
    lastActivityAt: now,
    ...(at === undefined ? {} : { lastContentItemId: at }),
  });
};

/** Notes that somebody has, or no longer has, completed the course. */
export const noteCompletion = async (
  ctx: MutationCtx,
  enrollment: Enrollment,
  completedAt: number | undefined,
): Promise<void> => {
  if (enrollment.completedAt === completedAt) return;
  await ctx.db.patch("enrollments", enrollment._id, { completedAt });
  await courseEnrollments.replaceOrInsert(ctx, enrollment, { ...enrollment, completedAt });
};
