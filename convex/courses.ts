// Courses. Instructors make them, their owners and admins change them, and everybody reads what is
// published; who may is asked of the gate (model/learning/gate.ts). All refuse with `not_found` what the
// caller may not read; changes with `forbidden` what they may read only, and with `conflict` a course that
// is being made from videos.
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { type ObjectType, v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel.js";
import type { MutationCtx } from "./_generated/server.js";
import {
  type WithPerson,
  backendMutation,
  instructorMutation,
  instructorQuery,
  userQuery,
} from "./functions.ts";
import { ownUserId } from "./model/access.ts";
import { deleteStep as deleteCourseStep, startDeletion } from "./model/learning/deletion.ts";
import { duplicate } from "./model/learning/duplicate.ts";
import {
  changed,
  checkDescription,
  checkName,
  checkThumbnailUrl,
} from "./model/learning/fields.ts";
import {
  changeableCourse,
  editableCourse,
  mayEdit,
  readableCourse,
} from "./model/learning/gate.ts";
import { filteredCourses, findCourses, publishedCourses } from "./model/learning/lists.ts";
import { askedState, refuseUnfinished, stateChange } from "./model/learning/publish.ts";
import {
  courseStatus,
  courseStructure,
  courseView,
  viewCourse,
  viewStructure,
} from "./model/learning/courseView.ts";
import { MAX_PAGE_ROWS, checkLimit, checkQuery } from "./model/listing.ts";

const coursePage = paginationResultValidator(courseView);

/** A new course of the caller's own, a draft. @throws {ConvexError} `conflict` if to be published */
export const createCourse = instructorMutation({
  args: {
    name: v.string(),
    description: v.optional(v.string()),
    thumbnailUrl: v.optional(v.string()),
    status: v.optional(courseStatus),
    isPublished: v.optional(v.boolean()),
  },
  returns: v.id("courses"),
  handler: (ctx, { name, description, thumbnailUrl, ...asked }) => {
    if (askedState(asked).status === "ready") refuseUnfinished([{ what: "a chapter" }]);
    const now = Date.now();
    return ctx.db.insert("courses", {
      name: checkName(name, "A course's name"),
      ...changed("description", description, checkDescription),
      ...changed("thumbnailUrl", thumbnailUrl, checkThumbnailUrl),
      createdBy: ctx.ownerId,
      status: "draft",
      isPublished: false,
      contentBytes: 0,
      createdAt: now,
      updatedAt: now,
    });
  },
});

/**
 * Changes a course; null takes a field away. `isPublished: true` publishes it.
 * @throws {ConvexError} `conflict` where it is to be published or ready and is not complete;
 *   `details.missing` has what it lacks
 */
export const updateCourse = instructorMutation({
  args: {
    id: v.id("courses"),
    name: v.optional(v.string()),
    description: v.optional(v.nullable(v.string())),
    thumbnailUrl: v.optional(v.nullable(v.string())),
    status: v.optional(courseStatus),
    isPublished: v.optional(v.boolean()),
  },
  returns: v.null(),
  handler: async (ctx, { id, name, description, thumbnailUrl, ...asked }) => {
    const course = await editableCourse(ctx, ctx.person, id);
    await ctx.db.patch("courses", id, {
      ...(name === undefined ? {} : { name: checkName(name, "A course's name") }),
      ...changed("description", description, checkDescription),
      ...changed("thumbnailUrl", thumbnailUrl, checkThumbnailUrl),
      ...(await stateChange(ctx, course, asked)),
      updatedAt: Date.now(),
    });
    return null;
  },
});

const setPublished = async (
  ctx: MutationCtx & WithPerson,
  courseId: Id<"courses">,
  isPublished: boolean,
): Promise<null> => {
  const course = await editableCourse(ctx, ctx.person, courseId);
  const state = await stateChange(ctx, course, { isPublished });
  await ctx.db.patch("courses", courseId, { ...state, updatedAt: Date.now() });
  return null;
};

/** Shows a course to learners. @throws {ConvexError} `conflict` with `details.missing` */
export const publishCourse = instructorMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: (ctx, { courseId }) => setPublished(ctx, courseId, true),
});

/** Hides a course from learners and makes it a draft again; what they did is kept. */
export const unpublishCourse = instructorMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: (ctx, { courseId }) => setPublished(ctx, courseId, false),
});

/** Hides a course from learners and from lists of current ones, published or not. */
export const archiveCourse = instructorMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: async (ctx, { courseId }) => {
    const course = await changeableCourse(ctx, ctx.person, courseId);
    const now = Date.now();
    const archivedAt = course.archivedAt ?? now;
    await ctx.db.patch("courses", courseId, { archivedAt, updatedAt: now });
    return null;
  },
});

/** Brings a course back as it was: one that was published is so again. */
export const unarchiveCourse = instructorMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: async (ctx, { courseId }) => {
    await editableCourse(ctx, ctx.person, courseId);
    await ctx.db.patch("courses", courseId, { archivedAt: undefined, updatedAt: Date.now() });
    return null;
  },
});

/**
 * Deletes a course with its chapters and items and all that learners did there: gone for everybody
 * at once, row by row in steps. Called again, it goes on where it was interrupted.
 */
export const deleteCourse = instructorMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: async (ctx, { courseId }) => {
    const started = await ctx.db.get("courses", courseId);
    const course =
      started?.deletingAt !== undefined && mayEdit(ctx.person, started)
        ? started
        : await editableCourse(ctx, ctx.person, courseId);
    await startDeletion(ctx, course);
    return null;
  },
});

/** The next step of a deletion. */
export const deleteStep = backendMutation({
  args: { courseId: v.id("courses") },
  returns: v.null(),
  handler: async (ctx, { courseId }) => {
    await deleteCourseStep(ctx, courseId);
    return null;
  },
});

/** A copy of a course that the caller may change, as a draft of their own, without its learners. */
export const duplicateCourse = instructorMutation({
  args: { courseId: v.id("courses"), name: v.optional(v.string()) },
  returns: v.id("courses"),
  handler: async (ctx, { courseId, name }) => {
    const course = await changeableCourse(ctx, ctx.person, courseId);
    return duplicate(ctx, course, ctx.ownerId, name);
  },
});

/** A course without its chapters. */
export const getCourse = userQuery({
  args: { courseId: v.id("courses") },
  returns: courseView,
  handler: async (ctx, { courseId }) =>
    viewCourse(ctx.person, await readableCourse(ctx, ctx.person, courseId)),
});

/** A course with its chapters and their items nested, in order. */
export const getCourseWithStructure = userQuery({
  args: { courseId: v.id("courses") },
  returns: courseStructure,
  handler: async (ctx, { courseId }) =>
    viewStructure(ctx, ctx.person, await readableCourse(ctx, ctx.person, courseId)),
});

const viewed = (
  ctx: WithPerson,
  page: { page: Doc<"courses">[] } & Omit<ObjectType<typeof coursePage.fields>, "page">,
) => ({ ...page, page: page.page.map((course) => viewCourse(ctx.person, course)) });

/** Whose courses a list is of: one's own; an admin's is of whom they say, or of everybody. */
const listOwner = ({ person }: WithPerson, userId: string | undefined): string | undefined =>
  person.role === "admin" ? userId : ownUserId(person, userId);

/**
 * The caller's own courses of every state, newest first; an admin's list is everybody's, or that of
 * `userId` (a `tokenIdentifier`).
 * @param archived  without: those that are not
 */
export const listCourses = instructorQuery({
  args: {
    paginationOpts: paginationOptsValidator,
    userId: v.optional(v.string()),
    status: v.optional(courseStatus),
    archived: v.optional(v.boolean()),
  },
  returns: coursePage,
  handler: async (ctx, { paginationOpts, userId, status, archived = false }) => {
    const filter = { ownerId: listOwner(ctx, userId), status, archived };
    return viewed(ctx, await filteredCourses(ctx, filter, paginationOpts));
  },
});

const firstPage = { cursor: null, numItems: MAX_PAGE_ROWS };

/** The newest 100 courses with a status, of the caller's own or, for an admin, everybody's. */
export const getCoursesByStatus = instructorQuery({
  args: { status: courseStatus },
  returns: v.array(courseView),
  handler: async (ctx, { status }) => {
    const filter = { ownerId: listOwner(ctx, undefined), status };
    return viewed(ctx, await filteredCourses(ctx, filter, firstPage)).page;
  },
});

/** The newest 100 courses of somebody: oneself, or for an admin whom they say. */
export const getCoursesByUser = instructorQuery({
  args: { userId: v.optional(v.string()) },
  returns: v.array(courseView),
  handler: async (ctx, { userId }) => {
    const filter = { ownerId: listOwner(ctx, userId) ?? ctx.ownerId };
    return viewed(ctx, await filteredCourses(ctx, filter, firstPage)).page;
  },
});

/** What learners may take, newest first. */
export const listPublishedCourses = userQuery({
  args: { paginationOpts: paginationOptsValidator },
  returns: coursePage,
  handler: async (ctx, { paginationOpts }) =>
    viewed(ctx, await publishedCourses(ctx, paginationOpts)),
});

/**
 * Courses by words of their names, the best match first.
 * @param own    one's own in every state, instead of those that learners may take
 * @param limit  1 to 100, default 20
 */
export const searchCourses = userQuery({
  args: { query: v.string(), own: v.optional(v.boolean()), limit: v.optional(v.number()) },
  returns: v.array(courseView),
  handler: async (ctx, { query, own = false, limit = 20 }) => {
    const found = await findCourses(ctx, ctx.person, {
      query: checkQuery(query),
      own,
      limit: checkLimit(limit, MAX_PAGE_ROWS),
    });
    return found.map((course) => viewCourse(ctx.person, course));
  },
});
