// What learners hand in for an assignment: versions, of which the newest is graded. A version that was
// graded as passed is the last one.
import { type Infer, v } from "convex/values";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { SUBMISSION_STATES } from "../../tables/learning.ts";
import { type Person, refuse } from "../access.ts";
import { oneOf } from "../contract.ts";
import { Assignment } from "./assignment.ts";
import { percentageOf } from "./completion.ts";
import { checkUrl } from "./fields.ts";
import { type ItemPlace, itemPlace, mayEdit } from "./gate.ts";
import { recordItem } from "./progress.ts";

type Submission = Doc<"assignmentSubmissions">;

const MAX_TEXT_CHARS = 20_000;
const MAX_FEEDBACK_CHARS = 5_000;
/** Versions of one learner for one assignment. */
const MAX_VERSIONS = 100;
/** Submissions shown at once. */
export const MAX_LISTED = 50;

export const submissionView = v.object({
  submissionId: v.id("assignmentSubmissions"),
  contentItemId: v.id("contentItems"),
  version: v.number(),
  state: oneOf(SUBMISSION_STATES),
  text: v.nullable(v.string()),
  url: v.nullable(v.string()),
  submittedAt: v.number(),
  points: v.nullable(v.number()),
  maxPoints: v.nullable(v.number()),
  passed: v.nullable(v.boolean()),
  feedback: v.nullable(v.string()),
  gradedAt: v.nullable(v.number()),
});

export const viewOf = (row: Submission): Infer<typeof submissionView> => ({
  submissionId: row._id,
  contentItemId: row.contentItemId,
  version: row.version,
  state: row.state,
  text: row.text ?? null,
  url: row.url ?? null,
  submittedAt: row.submittedAt,
  points: row.points ?? null,
  maxPoints: row.maxPoints ?? null,
  passed: row.passed ?? null,
  feedback: row.feedback ?? null,
  gradedAt: row.gradedAt ?? null,
});

/** The assignment an item holds. @throws {ConvexError} where it holds none */
const assignmentIn = (item: Doc<"contentItems">): Assignment => {
  if (item.type !== "assignment") throw refuse("invalid_request", "This item is no assignment.");
  const parsed = Assignment.safeParse(item.assignmentData);
  if (!parsed.success) throw refuse("conflict", "This assignment is not finished yet.");
  return parsed.data;
};

/** One's submissions for an item, newest first. */
export const submissionsOf = (ctx: QueryCtx, userId: string, contentItemId: Id<"contentItems">) =>
  ctx.db
    .query("assignmentSubmissions")
    .withIndex("by_userId_contentItemId_version", (q) =>
      q.eq("userId", userId).eq("contentItemId", contentItemId),
    )
    .order("desc");

export interface Work {
  text?: string | undefined;
  url?: string | undefined;
}

/** @throws {ConvexError} `invalid_request` for work that the assignment does not take */
const checkWork = (assignment: Assignment, work: Work): Work => {
  const text = work.text?.trim() === "" ? undefined : work.text;
  const url = work.url?.trim() ? checkUrl(work.url.trim(), "What is handed in") : undefined;
  if (text === undefined && url === undefined) {
    throw refuse("invalid_request", "There is nothing to hand in: give a text or an address.");
  }
  if (text !== undefined && !assignment.accepts.includes("text")) {
    throw refuse("invalid_request", "This assignment takes an address, no text.");
  }
  if (url !== undefined && !assignment.accepts.includes("url")) {
    throw refuse("invalid_request", "This assignment takes a text, no address.");
  }
  if (text !== undefined && text.length > MAX_TEXT_CHARS) {
    throw refuse("invalid_request", `A text may have ${MAX_TEXT_CHARS} characters.`);
  }
  return { text, url };
};

/**
 * Hands work in as the next version; the same work once more is the same version.
 * @throws {ConvexError} `conflict` once it is passed
 */
export const submitWork = async (
  ctx: MutationCtx,
  userId: string,
  place: ItemPlace,
  work: Work,
  now: number,
): Promise<Submission> => {
  const { item, course } = place;
  const { text, url } = checkWork(assignmentIn(item), work);
  const latest = await submissionsOf(ctx, userId, item._id).first();
  if (latest?.state === "submitted" && latest.text === text && latest.url === url) return latest;
  if (latest?.passed === true) throw refuse("conflict", "This assignment is passed already.");
  if (latest && latest.version >= MAX_VERSIONS) {
    throw refuse("conflict", `One may hand in ${MAX_VERSIONS} times.`);
  }
  if (latest?.state === "submitted") {
    await ctx.db.patch("assignmentSubmissions", latest._id, { state: "superseded" });
  }
  const row = {
    userId,
    courseId: course._id,
    contentItemId: item._id,
    version: (latest?.version ?? 0) + 1,
    state: "submitted" as const,
    ...(text === undefined ? {} : { text }),
    ...(url === undefined ? {} : { url }),
    submittedAt: now,
  };
  const _id = await ctx.db.insert("assignmentSubmissions", row);
  await recordItem(ctx, { userId, ...place, event: { kind: "opened" }, now });
  return { ...row, _id, _creationTime: now };
};

/**
 * The newest version of somebody's work, for whoever grades it: the course's owner, who may also grade
 * what they handed in to try their own course, and admins, who may not grade their own.
 * @throws {ConvexError} `not_found` also for work in a course of somebody else's
 */
const gradable = async (
  ctx: MutationCtx,
  person: Person,
  id: Id<"assignmentSubmissions">,
): Promise<{ submission: Submission; place: ItemPlace }> => {
  const submission = await ctx.db.get("assignmentSubmissions", id);
  const place = submission && (await itemPlace(ctx, submission.contentItemId));
  if (!submission || !place || !mayEdit(person, place.course)) {
    throw refuse("not_found", "There is no such submission.");
  }
  if (submission.userId === person.ownerId && place.course.createdBy !== person.ownerId) {
    throw refuse("forbidden", "Nobody grades their own work in somebody else's course.");
  }
  const latest = await submissionsOf(ctx, submission.userId, submission.contentItemId).first();
  if (latest?._id !== submission._id) {
    throw refuse("conflict", "There is a later version of this work; grade that one.");
  }
  return { submission, place };
};

const checkFeedback = (feedback: string | undefined): void => {
  if (feedback !== undefined && feedback.length > MAX_FEEDBACK_CHARS) {
    throw refuse("invalid_request", `Feedback may have ${MAX_FEEDBACK_CHARS} characters.`);
  }
};

/**
 * Grades the newest version. A grade may be corrected, also from passed to not passed: the latest
 * grading decides.
 * @throws {ConvexError} `conflict` for an earlier version
 */
export const grade = async (
  ctx: MutationCtx,
  person: Person,
  given: {
    submissionId: Id<"assignmentSubmissions">;
    points: number;
    feedback?: string | undefined;
  },
  now: number,
): Promise<Submission> => {
  const { submission, place } = await gradable(ctx, person, given.submissionId);
  const { maxPoints, passPercentage } = assignmentIn(place.item);
  const { points, feedback } = given;
  checkFeedback(feedback);
  if (!Number.isFinite(points) || points < 0 || points > maxPoints) {
    throw refuse("invalid_request", `Points must be a number from 0 to ${maxPoints}.`);
  }
  const percentage = percentageOf(points, maxPoints);
  const passed = percentage >= passPercentage;
  const fields = {
    state: "graded" as const,
    points,
    maxPoints,
    passed,
    feedback,
    gradedBy: person.ownerId,
    gradedAt: now,
  };
  await ctx.db.patch("assignmentSubmissions", submission._id, fields);
  const event = { kind: "graded", passed, percentage } as const;
  await recordItem(ctx, { userId: submission.userId, ...place, event, now });
  return { ...submission, ...fields };
};

/**
 * Gives work back to be done again, without a grade.
 * @throws {ConvexError} `conflict` for an earlier version, or work that is passed
 */
export const returnForRevision = async (
  ctx: MutationCtx,
  person: Person,
  given: { submissionId: Id<"assignmentSubmissions">; feedback?: string | undefined },
  now: number,
): Promise<Submission> => {
  const { submission } = await gradable(ctx, person, given.submissionId);
  checkFeedback(given.feedback);
  if (submission.passed === true) throw refuse("conflict", "This work is passed already.");
  const fields = {
    state: "returned" as const,
    points: undefined,
    maxPoints: undefined,
    passed: undefined,
    feedback: given.feedback,
    gradedBy: person.ownerId,
    gradedAt: now,
  };
  await ctx.db.patch("assignmentSubmissions", submission._id, fields);
  return { ...submission, ...fields };
};
