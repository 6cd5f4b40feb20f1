// Courses, and learners' ways through them. A row's `userId` is its person's `tokenIdentifier`.
import { defineTable } from "convex/server";
import { v } from "convex/values";
import { oneOf } from "../model/contract.ts";

export const COURSE_STATUSES = ["draft", "generating", "ready", "failed"] as const;
export const CONTENT_TYPES = ["video", "text", "quiz", "assignment", "resource"] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];

export const ATTEMPT_STATES = ["open", "graded"] as const;
export const SUBMISSION_STATES = ["submitted", "graded", "returned", "superseded"] as const;

/** The span of a transcript that something was made from; without times: all of it. */
export const citation = v.object({
  videoId: v.id("videos"),
  startSec: v.optional(v.number()),
  endSec: v.optional(v.number()),
  /** Of the span's text, when it was cited; another one now makes what cites it stale. */
  textHash: v.string(),
});

/** How far a draft is that is made from videos. */
export const generation = v.object({
  videoIds: v.array(v.id("videos")),
  /** How many of them are done. */
  done: v.number(),
  /** What was left out or put together, a sentence each. */
  warnings: v.optional(v.array(v.string())),
});

/**
 * A course. Legacy rows without `status` and `isPublished` count as published.
 * Written by courses.ts and courseDrafts.ts; read through model/learning/gate.ts; deleted by
 * courses.ts, a step at a time.
 */
export const courses = defineTable({
  name: v.string(),
  description: v.optional(v.string()),
  createdAt: v.number(),
  updatedAt: v.number(),
  thumbnailUrl: v.optional(v.string()),
  status: v.optional(oneOf(COURSE_STATUSES)),
  /** `tokenIdentifier` of whose it is. */
  createdBy: v.optional(v.string()),
  isPublished: v.optional(v.boolean()),
  publishedAt: v.optional(v.number()),
  archivedAt: v.optional(v.number()),
  deletingAt: v.optional(v.number()),
  /** Why the draft could not be made. */
  errorMessage: v.optional(v.string()),
  /** The videos a draft is made from, and how many are done. */
  generation: v.optional(generation),
  /** UTF-8 bytes of all its items' content, which is limited so that a course is read at once. */
  contentBytes: v.optional(v.number()),
  /** How many times who has completed it was looked at anew, since items came or went. */
  recount: v.optional(v.number()),
})
  .index("by_status", ["status"])
  .index("by_createdBy", ["createdBy"])
  .index("by_isPublished_and_archivedAt", ["isPublished", "archivedAt"])
  .searchIndex("search_name", {
    searchField: "name",
    filterFields: ["isPublished", "createdBy"],
  });

/**
 * A chapter of a course. A legacy one, from before there were items, has its video in `videoId`, and
 * reads as a chapter with that one item.
 * Written by chapters.ts and courseDrafts.ts, deleted by chapters.ts; read through the course's gate.
 */
export const chapters = defineTable({
  courseId: v.id("courses"),
  videoId: v.optional(v.id("videos")),
  /** The item that its video has become, while learners' rows of the chapter move to it. */
  movingTo: v.optional(v.id("contentItems")),
  name: v.string(),
  description: v.optional(v.string()),
  /** Between its neighbours' orders, unique in the course. */
  order: v.number(),
  /** Its items, in no order: counting them reads no content. Missing in legacy rows. */
  itemIds: v.optional(v.array(v.id("contentItems"))),
  createdAt: v.number(),
  updatedAt: v.optional(v.number()),
})
  // Named by the requirements, as the next one is.
  // eslint-disable-next-line @convex-dev/no-duplicate-indexes -- named by the requirements
  .index("by_courseId", ["courseId"])
  .index("by_courseId_order", ["courseId", "order"])
  .index("by_videoId", ["videoId"]);

/** What an item holds; which of it, its type says (model/learning/content.ts). */
export const contentFields = {
  videoId: v.optional(v.id("videos")),
  /** The part of the video that is shown; all of it where missing. */
  startSec: v.optional(v.number()),
  endSec: v.optional(v.number()),
  /** HTML as its author wrote it: to be sanitised by whoever shows it. */
  textContent: v.optional(v.string()),
  /** `Quiz` of model/learning/quiz.ts, with its key. */
  quizData: v.optional(v.any()),
  /** `Assignment` of model/learning/assignment.ts. */
  assignmentData: v.optional(v.any()),
  resourceUrl: v.optional(v.string()),
  resourceTitle: v.optional(v.string()),
};

/**
 * One thing to learn from, in a chapter.
 * Written by contentItems.ts and courseDrafts.ts, deleted by contentItems.ts; read through the course's gate.
 */
export const contentItems = defineTable({
  chapterId: v.id("chapters"),
  /** Missing in legacy rows: the chapter says. */
  courseId: v.optional(v.id("courses")),
  type: oneOf(CONTENT_TYPES),
  /** Between its neighbours' orders, unique in the chapter. */
  order: v.number(),
  title: v.optional(v.string()),
  ...contentFields,
  citation: v.optional(citation),
  /** Since when the cited span says something else. */
  staleAt: v.optional(v.number()),
  createdAt: v.number(),
  updatedAt: v.optional(v.number()),
})
  // Named by the requirements, as the next one is.
  // eslint-disable-next-line @convex-dev/no-duplicate-indexes -- named by the requirements
  .index("by_chapterId", ["chapterId"])
  .index("by_chapterId_order", ["chapterId", "order"])
  .index("by_videoId", ["videoId"])
  .index("by_cited_video", ["citation.videoId"]);

/**
 * Who takes part in a course, and where they were last.
 * Written by model/learning/; read by the learner and the course's owner; deleted with the course.
 */
export const enrollments = defineTable({
  userId: v.string(),
  courseId: v.id("courses"),
  enrolledAt: v.number(),
  lastContentItemId: v.optional(v.id("contentItems")),
  lastActivityAt: v.number(),
  completedAt: v.optional(v.number()),
})
  .index("by_userId_courseId", ["userId", "courseId"])
  .index("by_userId_lastActivityAt", ["userId", "lastActivityAt"])
  .index("by_courseId", ["courseId"]);

/**
 * How far somebody is: a row for each item begun, each chapter and each course.
 * Written by model/learning/progress.ts alone; read by the learner and the course's owner; deleted
 * with the item, chapter or course.
 */
export const progress = defineTable({
  userId: v.string(),
  courseId: v.id("courses"),
  chapterId: v.optional(v.id("chapters")),
  contentItemId: v.optional(v.id("contentItems")),
  completed: v.boolean(),
  completedAt: v.optional(v.number()),
  progressPercentage: v.optional(v.number()),
  startedAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
})
  .index("by_userId_courseId", ["userId", "courseId"])
  .index("by_userId_contentItemId", ["userId", "contentItemId"])
  .index("by_userId_chapterId_contentItemId", ["userId", "chapterId", "contentItemId"])
  .index("by_contentItemId", ["contentItemId"])
  .index("by_chapterId_contentItemId", ["chapterId", "contentItemId"])
  .index("by_courseId", ["courseId"]);

/**
 * Where somebody is in a video; high churn, so apart from what pages subscribe to.
 * Written by progress.ts; read by the learner's player; deleted with the item.
 */
export const playback = defineTable({
  userId: v.string(),
  courseId: v.id("courses"),
  contentItemId: v.id("contentItems"),
  /** The item's video then; where it has another now, they have not begun. */
  videoId: v.optional(v.id("videos")),
  lastPositionSec: v.number(),
  furthestPositionSec: v.number(),
  secondsWatched: v.number(),
  updatedAt: v.number(),
})
  .index("by_userId_contentItemId", ["userId", "contentItemId"])
  .index("by_contentItemId", ["contentItemId"]);

/**
 * One attempt at a quiz, with the quiz as it was when the attempt began, key included: never sent
 * out as it is.
 * Written by quizzes.ts; read by the learner (without the key) and the course's owner; deleted with
 * the item.
 */
export const quizAttempts = defineTable({
  userId: v.string(),
  courseId: v.id("courses"),
  contentItemId: v.id("contentItems"),
  /** From 1, for each learner and item. */
  attempt: v.number(),
  /** What shuffles questions and choices, the same way at each look. */
  seed: v.number(),
  state: oneOf(ATTEMPT_STATES),
  quiz: v.any(),
  /** By the question's id. */
  answers: v.record(v.string(), v.any()),
  startedAt: v.number(),
  /** When the time is up. */
  dueAt: v.optional(v.number()),
  savedAt: v.optional(v.number()),
  submittedAt: v.optional(v.number()),
  points: v.optional(v.number()),
  maxPoints: v.optional(v.number()),
  percentage: v.optional(v.number()),
  passed: v.optional(v.boolean()),
})
  .index("by_userId_contentItemId_attempt", ["userId", "contentItemId", "attempt"])
  .index("by_contentItemId", ["contentItemId"]);

/**
 * What a learner handed in for an assignment; a later one takes the earlier one's place in grading,
 * and both stay.
 * Written by assignments.ts; read by the learner and the course's owner; deleted with the item.
 */
export const assignmentSubmissions = defineTable({
  userId: v.string(),
  courseId: v.id("courses"),
  contentItemId: v.id("contentItems"),
  /** From 1, for each learner and item. */
  version: v.number(),
  state: oneOf(SUBMISSION_STATES),
  text: v.optional(v.string()),
  url: v.optional(v.string()),
  submittedAt: v.number(),
  points: v.optional(v.number()),
  maxPoints: v.optional(v.number()),
  passed: v.optional(v.boolean()),
  feedback: v.optional(v.string()),
  gradedBy: v.optional(v.string()),
  gradedAt: v.optional(v.number()),
})
  .index("by_userId_contentItemId_version", ["userId", "contentItemId", "version"])
  .index("by_courseId_and_state", ["courseId", "state"])
  .index("by_contentItemId", ["contentItemId"]);
