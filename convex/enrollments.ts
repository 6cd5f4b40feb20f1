// Who takes part in which course. A course that the caller may not read is refused with `not_found`.
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { instructorQuery, userMutation, userQuery } from "./functions.ts";
import { courseEnrollments } from "./model/learning/aggregates.ts";
import { endEnrollment, enrollmentOf, ensureEnrolled } from "./model/learning/enrollment.ts";
import { editableCourse, readableCourse } from "./model/learning/gate.ts";
import { enrolledOf } from "./model/learning/overview.ts";
import { courseOutline, rowsOf, summarize } from "./model/learning/summary.ts";
import { summaryView, toSummaryView } from "./model/learning/progressView.ts";
import { boundedPage } from "./model/listing.ts";

/** Rows of a page here: each is a course's worth of progress to read. */
const PAGE_ROWS = 20;

const when = {
  enrolledAt: v.number(),
  lastActivityAt: v.number(),
  completedAt: v.nullable(v.number()),
};

/**
 * Enrols the caller in a course they may read; in one they are in, changes nothing. Whoever makes a
 * course may enrol in it too, also while it is a draft, to see it as learners will.
 */
export const enroll = userMutation({
  args: { courseId: v.id("courses") },
  returns: v.id("enrollments"),
  handler: async (ctx, { courseId }) => {
    await readableCourse(ctx, ctx.person, courseId);
    return (await ensureEnrolled(ctx, ctx.ownerId, courseId, Date.now()))._id;
  },
});

/**
 * Ends the caller's enrolment, also in a course they cannot read any more; does nothing where there
 * is none. What they have completed is kept, and is there again when they come back.
 */
export const unenroll = userMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: async (ctx, { courseId }) => {
    const enrollment = await enrollmentOf(ctx, ctx.ownerId, courseId);
    if (enrollment) await endEnrollment(ctx, enrollment);
    return null;
  },
});

/**
 * The caller's courses, where they were last first. Courses that are not published any more are
 * left out, so a page may have fewer. `progress` is null in the rare case that courses of a page are
 * too large to be read together.
 */
export const listMine = userQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(
    v.object({
      enrollmentId: v.id("enrollments"),
      courseId: v.id("courses"),
      name: v.string(),
      thumbnailUrl: v.nullable(v.string()),
      ...when,
      progress: v.nullable(summaryView),
    }),
  ),
  handler: async (ctx, { paginationOpts }) => {
    const found = await ctx.db
      .query("enrollments")
      .withIndex("by_userId_lastActivityAt", (q) => q.eq("userId", ctx.ownerId))
      .order("desc")
      .paginate(boundedPage(paginationOpts, PAGE_ROWS));
    const enrolled = await enrolledOf(ctx, ctx.person, found.page);
    return {
      ...found,
      page: enrolled.map(({ enrollment, course, summary }) => ({
        enrollmentId: enrollment._id,
        courseId: course._id,
        name: course.name,
        thumbnailUrl: course.thumbnailUrl ?? null,
        enrolledAt: enrollment.enrolledAt,
        lastActivityAt: enrollment.lastActivityAt,
        completedAt: enrollment.completedAt ?? null,
        progress: summary && toSummaryView(summary),
      })),
    };
  },
});

/** A course's learners and how far each is, newest first, for whoever may change the course. */
export const listByCourse = instructorQuery({
  args: { courseId: v.id("courses"), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(
    v.object({
      enrollmentId: v.id("enrollments"),
      userId: v.string(),
      ...when,
      progress: summaryView,
    }),
  ),
  handler: async (ctx, { courseId, paginationOpts }) => {
    await editableCourse(ctx, ctx.person, courseId);
    const found = await ctx.db
      .query("enrollments")
      .withIndex("by_courseId", (q) => q.eq("courseId", courseId))
      .order("desc")
      .paginate(boundedPage(paginationOpts, PAGE_ROWS));
    const outline = await courseOutline(ctx, courseId);
    const learners = found.page.map(
      async ({ _id, userId, enrolledAt, lastActivityAt, completedAt }) => ({
        enrollmentId: _id,
        userId,
        enrolledAt,
        lastActivityAt,
        completedAt: completedAt ?? null,
        progress: toSummaryView(summarize(outline, await rowsOf(ctx, userId, courseId))),
      }),
    );
    return { ...found, page: await Promise.all(learners) };
  },
});

/** How many are enrolled in a course that the caller may read. */
export const countByCourse = userQuery({
  args: { courseId: v.id("courses") },
  returns: v.number(),
  handler: async (ctx, { courseId }) => {
    await readableCourse(ctx, ctx.person, courseId);
    return courseEnrollments.count(ctx, { namespace: courseId });
  },
});
