// Lists of courses. They are merged from streams over indexes, since legacy rows without `status` and
// `isPublished` stand elsewhere in those than newer ones and are to appear among them by age.
import type { PaginationOptions, PaginationResult } from "convex/server";
import { mergedStream, stream } from "convex-helpers/server/stream";
import type { Doc } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import schema from "../../schema.ts";
import type { Person } from "../access.ts";
import { boundedPage } from "../listing.ts";
import { isPublic, mayEdit } from "./gate.ts";

type Course = Doc<"courses">;

/** Rows that are read for a page, where some do not belong on it. */
const MAX_ROWS_READ = 1_000;
/** Matches of a search that are looked at. */
const MAX_MATCHES = 100;

const onPage = (asked: PaginationOptions): PaginationOptions => ({
  ...boundedPage(asked),
  maximumRowsRead: MAX_ROWS_READ,
});

const courses = ({ db }: QueryCtx) => stream(db, schema).query("courses");

/** What learners may take, newest first. */
export const publishedCourses = (
  ctx: QueryCtx,
  page: PaginationOptions,
): Promise<PaginationResult<Course>> =>
  mergedStream(
    [true, undefined].map((isPublished) =>
      courses(ctx)
        .withIndex("by_isPublished_and_archivedAt", (q) =>
          q.eq("isPublished", isPublished).eq("archivedAt", undefined),
        )
        .order("desc"),
    ),
    ["_creationTime"],
  )
    .filterWith((course) => Promise.resolve(isPublic(course)))
    .paginate(onPage(page));

export interface CourseFilter {
  /** Whose; everybody's where missing. */
  ownerId?: string;
  status?: Course["status"];
  /** Only those that are archived, or only those that are not. */
  archived?: boolean;
}

const statusesOf = (status: NonNullable<Course["status"]>): Course["status"][] =>
  status === "ready" ? [status, undefined] : [status];

const byFilter = (ctx: QueryCtx, { ownerId, status }: CourseFilter) => {
  if (ownerId !== undefined) {
    return courses(ctx)
      .withIndex("by_createdBy", (q) => q.eq("createdBy", ownerId))
      .order("desc");
  }
  if (status === undefined) return courses(ctx).order("desc");
  return mergedStream(
    statusesOf(status).map((each) =>
      courses(ctx)
        .withIndex("by_status", (q) => q.eq("status", each))
        .order("desc"),
    ),
    ["_creationTime"],
  );
};

/** Courses of every state but gone, newest first; the caller has asked who may see them. */
export const filteredCourses = (
  ctx: QueryCtx,
  filter: CourseFilter,
  page: PaginationOptions,
): Promise<PaginationResult<Course>> => {
  const { ownerId, status, archived } = filter;
  // A stream's cursor is a plain key of the index: one that somebody made up leads out of the owner's
  // part of it, so that each row is asked whose it is.
  const belongs = (course: Course): boolean =>
    course.deletingAt === undefined &&
    (ownerId === undefined || course.createdBy === ownerId) &&
    (status === undefined || statusesOf(status).includes(course.status)) &&
    (archived === undefined || (course.archivedAt !== undefined) === archived);
  return byFilter(ctx, filter)
    .filterWith((course) => Promise.resolve(belongs(course)))
    .paginate(onPage(page));
};

/**
 * Courses by words of their names, the best match first: those that learners may take, or one's own
 * in every state.
 * @param limit  of how many are answered
 */
export const findCourses = async (
  ctx: QueryCtx,
  person: Person,
  { query, own, limit }: { query: string; own: boolean; limit: number },
): Promise<Course[]> => {
  if (query === "") return [];
  const search = () => ctx.db.query("courses");
  const found = own
    ? await search()
        .withSearchIndex("search_name", (q) =>
          q.search("name", query).eq("createdBy", person.ownerId),
        )
        .take(MAX_MATCHES)
    : (
        await Promise.all(
          [true, undefined].map((isPublished) =>
            search()
              .withSearchIndex("search_name", (q) =>
                q.search("name", query).eq("isPublished", isPublished),
              )
              .take(MAX_MATCHES),
          ),
        )
      ).flat();
  return found
    .filter((course) =>
      own ? course.deletingAt === undefined && mayEdit(person, course) : isPublic(course),
    )
    .slice(0, limit);
};
