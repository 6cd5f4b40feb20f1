// Quizzes as learners take them: an attempt is begun, saved as one goes, handed in, graded here and
// only then explained. The quiz itself is an item of a course (contentItems.ts).
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api.js";
import { backendMutation, instructorQuery, userMutation, userQuery } from "./functions.ts";
import {
  GRACE_MS,
  MAX_LISTED,
  attemptSummary,
  attemptView,
  beginAttempt,
  ownAttempt,
  sentAnswers,
  submit,
  summaryOf,
  viewOf,
  withAnswers,
} from "./model/learning/attempt.ts";
import { editableItem, itemPlace, readableItem } from "./model/learning/gate.ts";
import { boundedPage } from "./model/listing.ts";

const attemptId = v.id("quizAttempts");
const contentItemId = v.id("contentItems");

/**
 * Begins an attempt, or answers the one that is open. With a time limit it is handed in by itself
 * when the time is up.
 * @throws {ConvexError} `conflict` when no attempt is left, or the quiz is not finished
 */
export const startAttempt = userMutation({
  args: { contentItemId },
  returns: attemptView,
  handler: async (ctx, args) => {
    const now = Date.now();
    const place = await readableItem(ctx, ctx.person, args.contentItemId);
    const { attempt, created } = await beginAttempt(ctx, ctx.ownerId, place, now);
    if (created && attempt.dueAt !== undefined) {
      await ctx.scheduler.runAt(attempt.dueAt + GRACE_MS + 1, internal.quizzes.submitOverdue, {
        attemptId: attempt._id,
      });
    }
    return viewOf(attempt, now);
  },
});

/**
 * One's own attempt: questions, saved answers, time left; once graded, with the right answers.
 * @throws {ConvexError} `not_found`, also for another's
 */
export const getAttempt = userQuery({
  args: { attemptId },
  returns: attemptView,
  handler: async (ctx, args) => {
    const { attempt } = await ownAttempt(ctx, ctx.person, args.attemptId);
    return viewOf(attempt, Date.now());
  },
});

/**
 * Saves answers of an open attempt, by the question's id; null takes one back, and questions that are
 * not named keep theirs.
 * @throws {ConvexError} `conflict` once it is graded or its time is up
 */
export const saveAnswers = userMutation({
  args: { attemptId, answers: sentAnswers },
  returns: v.object({ savedAt: v.number() }),
  handler: async (ctx, args) => {
    const savedAt = Date.now();
    const { attempt } = await ownAttempt(ctx, ctx.person, args.attemptId);
    const { answers } = withAnswers(attempt, args.answers, savedAt);
    await ctx.db.patch("quizAttempts", attempt._id, { answers, savedAt });
    return { savedAt };
  },
});

/**
 * Hands an attempt in, with last answers where given, and answers its grade. Once more changes
 * nothing; after the time is up, what was saved before counts.
 * @throws {ConvexError} `not_found`, also for another's; `invalid_request` for answers that do not fit
 */
export const submitAttempt = userMutation({
  args: { attemptId, answers: v.optional(sentAnswers) },
  returns: attemptView,
  handler: async (ctx, args) => {
    const now = Date.now();
    const { attempt, place } = await ownAttempt(ctx, ctx.person, args.attemptId);
    return viewOf(await submit(ctx, attempt, place, args.answers ?? {}, now), now);
  },
});

/** Hands in an attempt whose time is up; scheduled when it begins. */
export const submitOverdue = backendMutation({
  args: { attemptId },
  returns: v.null(),
  handler: async (ctx, args) => {
    const attempt = await ctx.db.get("quizAttempts", args.attemptId);
    if (attempt?.state !== "open") return null;
    await submit(ctx, attempt, await itemPlace(ctx, attempt.contentItemId), {}, Date.now());
    return null;
  },
});

/** One's own attempts at a quiz, newest first, at most 25. */
export const listAttempts = userQuery({
  args: { contentItemId },
  returns: v.array(attemptSummary),
  handler: async (ctx, args) => {
    const { item } = await readableItem(ctx, ctx.person, args.contentItemId);
    const attempts = await ctx.db
      .query("quizAttempts")
      .withIndex("by_userId_contentItemId_attempt", (q) =>
        q.eq("userId", ctx.ownerId).eq("contentItemId", item._id),
      )
      .order("desc")
      .take(MAX_LISTED);
    return attempts.map(summaryOf);
  },
});

const result = v.object({ ...attemptSummary.fields, userId: v.string() });

/** For the course's owner: everybody's attempts at a quiz, newest first, at most 25 a page. */
export const listResults = instructorQuery({
  args: { contentItemId, paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(result),
  handler: async (ctx, args) => {
    const { item } = await editableItem(ctx, ctx.person, args.contentItemId);
    const attempts = await ctx.db
      .query("quizAttempts")
      .withIndex("by_contentItemId", (q) => q.eq("contentItemId", item._id))
      .order("desc")
      .paginate(boundedPage(args.paginationOpts, MAX_LISTED));
    const page = attempts.page.map((row) => ({ ...summaryOf(row), userId: row.userId }));
    return { ...attempts, page };
  },
});
