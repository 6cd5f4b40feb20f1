// How far learners are: the functions of `lms-schema-v2`, a player's reports, and where to go on.
// Everybody sees and changes their own only: another's `userId` is refused with `forbidden`, and a course
// or an item that the caller may not read with `not_found`.
import { v } from "convex/values";
import type { QueryCtx } from "./_generated/server.js";
import { backendMutation, userMutation, userQuery } from "./functions.ts";
import { ownUserId, refuse } from "./model/access.ts";
import { chapterMove, moveChapterProgressStep } from "./model/learning/legacyChapter.ts";
import { enrollmentOf } from "./model/learning/enrollment.ts";
import { forgetStep, forgotten } from "./model/learning/forget.ts";
import { readableCourse, readableItem } from "./model/learning/gate.ts";
import { markChapter, markItem } from "./model/learning/marking.ts";
import { overallOf } from "./model/learning/overview.ts";
import { playbackOf, recordReport } from "./model/learning/playback.ts";
import { recordItem } from "./model/learning/progress.ts";
import { recounting, recountStep } from "./model/learning/recount.ts";
import { type Place, resumeOf } from "./model/learning/resume.ts";
import { courseSummary } from "./model/learning/summary.ts";
import {
  courseProgress,
  summaryView,
  toChapters,
  toSummaryView,
} from "./model/learning/progressView.ts";

/**
 * Marks an item of a course as completed by oneself, or takes that back; enrols where needed. Of a
 * legacy chapter, which is its video, `chapterId` says which.
 * @throws {ConvexError} `conflict` for a quiz or assignment, which its grading alone completes, and
 * for a chapter that has items
 */
export const markCompleted = userMutation({
  args: {
    userId: v.optional(v.string()),
    courseId: v.id("courses"),
    contentItemId: v.optional(v.id("contentItems")),
    chapterId: v.optional(v.id("chapters")),
    completed: v.boolean(),
  },
  returns: v.null(),
  handler: async (ctx, { userId, courseId, contentItemId, chapterId, completed }) => {
    const by = { userId: ownUserId(ctx.person, userId), completed, now: Date.now() };
    await readableCourse(ctx, ctx.person, courseId);
    if (contentItemId !== undefined) {
      await markItem(ctx, ctx.person, { courseId, chapterId, contentItemId }, by);
    } else if (chapterId !== undefined) {
      await markChapter(ctx, ctx.person, { courseId, chapterId }, by);
    } else {
      throw refuse("invalid_request", "`contentItemId` says what is completed.");
    }
    return null;
  },
});

const oneCourse = { userId: v.optional(v.string()), courseId: v.id("courses") };

/**
 * How far the caller is in a course: each item, chapter and the whole. Where they are in a video is
 * told by `getPlayback`: it changes every few seconds, and this does not.
 */
export const getUserProgress = userQuery({
  args: oneCourse,
  returns: courseProgress,
  handler: async (ctx, { userId, courseId }) => {
    const user = ownUserId(ctx.person, userId);
    await readableCourse(ctx, ctx.person, courseId);
    const enrollment = await enrollmentOf(ctx, user, courseId);
    return {
      courseId,
      enrolledAt: enrollment?.enrolledAt ?? null,
      ...toChapters(await courseSummary(ctx, user, courseId)),
    };
  },
});

/** Of how many items of a course the caller has completed how many, as the course is now. */
export const getUserCourseProgress = userQuery({
  args: oneCourse,
  returns: summaryView,
  handler: async (ctx, { userId, courseId }) => {
    const user = ownUserId(ctx.person, userId);
    await readableCourse(ctx, ctx.person, courseId);
    return toSummaryView(await courseSummary(ctx, user, courseId));
  },
});

/**
 * The caller's progress over the courses they are enrolled in: the 100 they were in last, or fewer
 * where these are very large; `hasMore` tells of others.
 */
export const getUserOverallProgress = userQuery({
  args: { userId: v.optional(v.string()) },
  returns: v.object({
    courses: v.number(),
    completedCourses: v.number(),
    completedItems: v.number(),
    totalItems: v.number(),
    percentage: v.number(),
    perCourse: v.array(
      v.object({ courseId: v.id("courses"), name: v.string(), ...summaryView.fields }),
    ),
    hasMore: v.boolean(),
  }),
  handler: (ctx, { userId }) => {
    ownUserId(ctx.person, userId);
    return overallOf(ctx, ctx.person);
  },
});

const playbackView = v.object({
  /** Seconds in the video, not in the item's part of it. */
  lastPositionSec: v.number(),
  furthestPositionSec: v.number(),
  secondsWatched: v.number(),
});

const playbackFor = async (
  ctx: QueryCtx,
  userId: string,
  contentItemId: Place["contentItemId"],
) => {
  const row = contentItemId && (await playbackOf(ctx, userId, contentItemId));
  if (!row) return null;
  const { lastPositionSec, furthestPositionSec, secondsWatched } = row;
  return { lastPositionSec, furthestPositionSec, secondsWatched };
};

/** Where the caller is in a video; null where they have not begun it. */
export const getPlayback = userQuery({
  args: { contentItemId: v.id("contentItems") },
  returns: v.nullable(playbackView),
  handler: async (ctx, { contentItemId }) => {
    await readableItem(ctx, ctx.person, contentItemId);
    return playbackFor(ctx, ctx.ownerId, contentItemId);
  },
});

const place = v.nullable(
  v.object({
    chapterId: v.id("chapters"),
    /** null: a legacy chapter, which is its video. */
    contentItemId: v.nullable(v.id("contentItems")),
    completed: v.boolean(),
    playback: v.nullable(playbackView),
  }),
);

/**
 * Where the caller goes on in a course. `last` is the item they were at last, null where there is
 * none or it is gone; `next` is where to go on: the last item while it is not completed, else the
 * next one that is not; null when all are.
 */
export const getResume = userQuery({
  args: { courseId: v.id("courses") },
  returns: v.object({ last: place, next: place }),
  handler: async (ctx, { courseId }) => {
    await readableCourse(ctx, ctx.person, courseId);
    const { last, next } = await resumeOf(ctx, ctx.ownerId, courseId);
    const withPlayback = async (at: Place | null) =>
      at && { ...at, playback: await playbackFor(ctx, ctx.ownerId, at.contentItemId) };
    return { last: await withPlayback(last), next: await withPlayback(next) };
  },
});

/**
 * Whether the item counts as completed now. null: nothing was kept, since the caller is not enrolled
 * (anymore): a page left open enrols nobody, and who makes a course may look at it uncounted.
 */
const recorded = v.nullable(v.object({ completed: v.boolean() }));

/** Notes that the caller has opened an item. */
export const opened = userMutation({
  args: { contentItemId: v.id("contentItems") },
  returns: recorded,
  handler: async (ctx, { contentItemId }) => {
    const at = await readableItem(ctx, ctx.person, contentItemId);
    if (!(await enrollmentOf(ctx, ctx.ownerId, at.course._id))) return null;
    const about = { ...at, userId: ctx.ownerId, now: Date.now() };
    const { completed } = await recordItem(ctx, { ...about, event: { kind: "opened" } });
    return { completed };
  },
});

/**
 * A player's report, every ten seconds or so and when it pauses. Completes the video when nearly all
 * of it was reached.
 * @param positionSec  in the video, within the item's part of it
 * @param watchedSec   seconds spent watching since the last report
 * @throws {ConvexError} `invalid_request` for figures that cannot be, or an item that is no video
 */
export const watched = userMutation({
  args: { contentItemId: v.id("contentItems"), positionSec: v.number(), watchedSec: v.number() },
  returns: recorded,
  handler: async (ctx, { contentItemId, ...report }) => {
    const at = await readableItem(ctx, ctx.person, contentItemId);
    if (!(await enrollmentOf(ctx, ctx.ownerId, at.course._id))) return null;
    const about = { ...at, userId: ctx.ownerId, now: Date.now() };
    const { completed } = await recordReport(ctx, { ...about, report });
    return { completed };
  },
});

/** One step of deleting what learners did with something that is gone. */
export const forget = backendMutation({
  args: { what: forgotten },
  returns: v.null(),
  handler: async (ctx, { what }) => {
    await forgetStep(ctx, what);
    return null;
  },
});

/** One step of giving a legacy chapter's rows to the item that its video has become. */
export const moveChapterProgress = backendMutation({
  args: chapterMove.fields,
  returns: v.null(),
  handler: async (ctx, step) => {
    await moveChapterProgressStep(ctx, step);
    return null;
  },
});

/** One step of finding who has completed a course whose items came or went. */
export const recount = backendMutation({
  args: recounting.fields,
  returns: v.null(),
  handler: async (ctx, step) => {
    await recountStep(ctx, step, Date.now());
    return null;
  },
});
