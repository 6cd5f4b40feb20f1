// How far somebody is in each of many courses, within what one query may read.
import { getConvexSize } from "convex/values";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import type { Person } from "../access.ts";
import { percentageOf } from "./completion.ts";
import { mayRead } from "./gate.ts";
import { type CourseSummary, type Summary, courseOutline, rowsOf, summarize } from "./summary.ts";

/** Enrolments that an overall figure is made of, the newest first. */
const MAX_OVERALL = 100;
/** Convex reads at most 32,000 documents and 16 MiB at once; the largest course fits into the rest. */
const MAX_ROWS_READ = 20_000;
const MAX_BYTES_READ = 8 * 1024 * 1024;

/** An enrolment, its course, and how far the learner is; null where that was too much to read. */
export interface Enrolled {
  enrollment: Doc<"enrollments">;
  course: Doc<"courses">;
  summary: CourseSummary | null;
}

/** How far a user is in the courses they are enrolled in, but for courses they may not read any more. */
export const enrolledOf = async (
  ctx: QueryCtx,
  person: Person,
  enrollments: readonly Doc<"enrollments">[],
): Promise<Enrolled[]> => {
  const found: Enrolled[] = [];
  let rowsRead = 0;
  let bytesRead = 0;
  for (const enrollment of enrollments) {
    const course = await ctx.db.get("courses", enrollment.courseId);
    if (!course || !mayRead(person, course)) continue;
    if (rowsRead > MAX_ROWS_READ || bytesRead > MAX_BYTES_READ) {
      found.push({ enrollment, course, summary: null });
      continue;
    }
    const outline = await courseOutline(ctx, course._id);
    const rows = await rowsOf(ctx, enrollment.userId, course._id);
    rowsRead += outline.length + rows.length;
    bytesRead += [course, ...outline.map(({ chapter }) => chapter), ...rows].reduce(
      (sum, row) => sum + getConvexSize(row),
      0,
    );
    found.push({ enrollment, course, summary: summarize(outline, rows) });
  }
  return found;
};

export interface Overall {
  courses: number;
  completedCourses: number;
  completedItems: number;
  totalItems: number;
  /** Of all items of all courses: whole number from 0 to 100, 100 only when all are done. */
  percentage: number;
  perCourse: (Summary & { courseId: Id<"courses">; name: string })[];
  /** Whether there are courses that were not counted. */
  hasMore: boolean;
}

/** A person's progress over the courses they were in last, at most `MAX_OVERALL`. */
export const overallOf = async (ctx: QueryCtx, person: Person): Promise<Overall> => {
  const newest = await ctx.db
    .query("enrollments")
    .withIndex("by_userId_lastActivityAt", (q) => q.eq("userId", person.ownerId))
    .order("desc")
    .take(MAX_OVERALL + 1);
  const enrolled = await enrolledOf(ctx, person, newest.slice(0, MAX_OVERALL));
  const perCourse = enrolled.flatMap(({ course, summary }) => {
    if (!summary) return [];
    const { completed, total, percentage } = summary;
    return [{ courseId: course._id, name: course.name, completed, total, percentage }];
  });
  const completedItems = perCourse.reduce((sum, { completed }) => sum + completed, 0);
  const totalItems = perCourse.reduce((sum, { total }) => sum + total, 0);
  return {
    courses: perCourse.length,
    completedCourses: perCourse.filter(({ percentage }) => percentage === 100).length,
    completedItems,
    totalItems,
    percentage: percentageOf(completedItems, totalItems),
    perCourse,
    hasMore: newest.length > MAX_OVERALL || perCourse.length < enrolled.length,
  };
};
