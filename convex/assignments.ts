// Assignments: learners hand in, the course's owner grades or gives back. The assignment itself is an
// item of a course (contentItems.ts).
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { instructorMutation, instructorQuery, userMutation, userQuery } from "./functions.ts";
import { oneOf } from "./model/contract.ts";
import { editableCourse, readableItem } from "./model/learning/gate.ts";
import {
  MAX_LISTED,
  grade as gradeSubmission,
  returnForRevision as returnSubmission,
  submissionView,
  submissionsOf,
  submitWork,
  viewOf,
} from "./model/learning/submission.ts";
import { boundedPage } from "./model/listing.ts";
import { SUBMISSION_STATES } from "./tables/learning.ts";

const contentItemId = v.id("contentItems");
const submissionId = v.id("assignmentSubmissions");

/**
 * Hands work in: a text, an http or https address, or both. A version after the first takes its place
 * in grading; the same work twice is one version.
 * @throws {ConvexError} `conflict` once a version is graded as passed, `invalid_request` for nothing, or
 *   what the assignment does not take
 */
export const submit = userMutation({
  args: { contentItemId, text: v.optional(v.string()), url: v.optional(v.string()) },
  returns: submissionView,
  handler: async (ctx, { text, url, ...args }) => {
    const place = await readableItem(ctx, ctx.person, args.contentItemId);
    return viewOf(await submitWork(ctx, ctx.ownerId, place, { text, url }, Date.now()));
  },
});

/** One's own work for an assignment, newest version first, at most 50. */
export const listMine = userQuery({
  args: { contentItemId },
  returns: v.array(submissionView),
  handler: async (ctx, args) => {
    const { item } = await readableItem(ctx, ctx.person, args.contentItemId);
    return (await submissionsOf(ctx, ctx.ownerId, item._id).take(MAX_LISTED)).map(viewOf);
  },
});

const submissionOfLearner = v.object({ ...submissionView.fields, userId: v.string() });

/** For the course's owner: what was handed in, oldest first within a state, at most 50 a page. */
export const listSubmissions = instructorQuery({
  args: {
    courseId: v.id("courses"),
    state: v.optional(oneOf(SUBMISSION_STATES)),
    paginationOpts: paginationOptsValidator,
  },
  returns: paginationResultValidator(submissionOfLearner),
  handler: async (ctx, { courseId, state, paginationOpts }) => {
    await editableCourse(ctx, ctx.person, courseId);
    const found = await ctx.db
      .query("assignmentSubmissions")
      .withIndex("by_courseId_and_state", (q) =>
        state === undefined
          ? q.eq("courseId", courseId)
          : q.eq("courseId", courseId).eq("state", state),
      )
      .paginate(boundedPage(paginationOpts, MAX_LISTED));
    const page = found.page.map((row) => ({ ...viewOf(row), userId: row.userId }));
    return { ...found, page };
  },
});

/**
 * For the course's owner: grades the newest version of somebody's work. It is passed from the
 * assignment's pass mark on, which completes the item. A grade may be corrected.
 * @throws {ConvexError} `not_found`, also for work in somebody else's course; `conflict` for an earlier
 *   version; `forbidden` for an admin's own; `invalid_request` for points that are none
 */
export const grade = instructorMutation({
  args: { submissionId, points: v.number(), feedback: v.optional(v.string()) },
  returns: submissionView,
  handler: async (ctx, args) => viewOf(await gradeSubmission(ctx, ctx.person, args, Date.now())),
});

/**
 * For the course's owner: gives work back to be done again, without a grade.
 * @throws {ConvexError} as `grade`; `conflict` also for work that is passed
 */
export const returnForRevision = instructorMutation({
  args: { submissionId, feedback: v.optional(v.string()) },
  returns: submissionView,
  handler: async (ctx, args) => viewOf(await returnSubmission(ctx, ctx.person, args, Date.now())),
});
