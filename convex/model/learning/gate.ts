// The one gate to courses: who may read one, and who may change it. Every function about courses,
// chapters, items and learning comes through here, so that a draft is seen by its editors alone.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { type Person, owns, refuse } from "../access.ts";

type Course = Doc<"courses">;

/** A chapter with the course it is in. */
export interface ChapterPlace {
  chapter: Doc<"chapters">;
  course: Course;
}
/** An item with the chapter and the course it is in. */
export interface ItemPlace extends ChapterPlace {
  item: Doc<"contentItems">;
}

/** Whether a course is published. Legacy rows without `status` and `isPublished` are. */
export const isPublished = ({ status, isPublished: said }: Course): boolean =>
  said === undefined ? status === undefined : said && (status === undefined || status === "ready");

/** Whether learners see a course. */
export const isPublic = (course: Course): boolean =>
  isPublished(course) && course.archivedAt === undefined && course.deletingAt === undefined;

/** Whether somebody may change a course: its owner and admins. */
export const mayEdit = (person: Person, course: Course): boolean => owns(person, course.createdBy);

/** Whether somebody may read a course; nobody may, once its deletion has begun. */
export const mayRead = (person: Person, course: Course): boolean =>
  course.deletingAt === undefined && (isPublic(course) || mayEdit(person, course));

const noCourse = () => refuse("not_found", "There is no such course.");
const noChapter = () => refuse("not_found", "There is no such chapter.");
const noItem = () => refuse("not_found", "There is no such content item.");

/** @throws {ConvexError} `not_found` where there is none, or it is not for this person */
export const readableCourse = async (
  ctx: QueryCtx,
  person: Person,
  courseId: Id<"courses">,
): Promise<Course> => {
  const course = await ctx.db.get("courses", courseId);
  if (!course || !mayRead(person, course)) throw noCourse();
  return course;
};

/** @throws {ConvexError} `not_found`, also for a chapter of a course that one may not read */
export const readableChapter = async (
  ctx: QueryCtx,
  person: Person,
  chapterId: Id<"chapters">,
): Promise<ChapterPlace> => {
  const chapter = await ctx.db.get("chapters", chapterId);
  const course = chapter && (await ctx.db.get("courses", chapter.courseId));
  if (!chapter || !course || !mayRead(person, course)) throw noChapter();
  return { chapter, course };
};

/** Where an item is, for work of the backend's own; null once it or its course is gone. */
export const itemPlace = async (
  ctx: QueryCtx,
  itemId: Id<"contentItems">,
): Promise<ItemPlace | null> => {
  const item = await ctx.db.get("contentItems", itemId);
  const chapter = item && (await ctx.db.get("chapters", item.chapterId));
  const course = chapter && (await ctx.db.get("courses", chapter.courseId));
  if (!item || !chapter || !course || course.deletingAt !== undefined) return null;
  return { item, chapter, course };
};

/** @throws {ConvexError} `not_found`, also for an item of a course that one may not read */
export const readableItem = async (
  ctx: QueryCtx,
  person: Person,
  itemId: Id<"contentItems">,
): Promise<ItemPlace> => {
  const place = await itemPlace(ctx, itemId);
  if (!place || !mayRead(person, place.course)) throw noItem();
  return place;
};

const refuseUnlessEditor = (person: Person, course: Course): void => {
  if (!mayEdit(person, course)) throw refuse("forbidden", "This course is somebody else's.");
};

/**
 * A course that is the person's to change, whatever its state but gone: to look at it as its editor.
 * @throws {ConvexError} `not_found` where it may not be read, `forbidden` where it may be read only
 */
export const editableCourse = async (
  ctx: QueryCtx,
  person: Person,
  courseId: Id<"courses">,
): Promise<Course> => {
  const course = await readableCourse(ctx, person, courseId);
  refuseUnlessEditor(person, course);
  return course;
};

/** As `editableCourse`, for a chapter. */
export const editableChapter = async (
  ctx: QueryCtx,
  person: Person,
  chapterId: Id<"chapters">,
): Promise<ChapterPlace> => {
  const place = await readableChapter(ctx, person, chapterId);
  refuseUnlessEditor(person, place.course);
  return place;
};

/** As `editableCourse`, for an item: also for grading, and for looking at learners' work. */
export const editableItem = async (
  ctx: QueryCtx,
  person: Person,
  itemId: Id<"contentItems">,
): Promise<ItemPlace> => {
  const place = await readableItem(ctx, person, itemId);
  refuseUnlessEditor(person, place.course);
  return place;
};

/** While a draft is being made of videos, only that writes to the course. */
export const refuseWhileGenerating = (course: Course): void => {
  if (course.status === "generating") {
    throw refuse("conflict", "The course is being made from its videos; wait until that is done.");
  }
};

/**
 * A course that the person may change now.
 * @throws {ConvexError} as `editableCourse`, and `conflict` while it is made from videos
 */
export const changeableCourse = async (
  ctx: QueryCtx,
  person: Person,
  courseId: Id<"courses">,
): Promise<Course> => {
  const course = await editableCourse(ctx, person, courseId);
  refuseWhileGenerating(course);
  return course;
};

/** As `changeableCourse`, for a chapter. */
export const changeableChapter = async (
  ctx: QueryCtx,
  person: Person,
  chapterId: Id<"chapters">,
): Promise<ChapterPlace> => {
  const place = await editableChapter(ctx, person, chapterId);
  refuseWhileGenerating(place.course);
  return place;
};

/** As `changeableCourse`, for an item. */
export const changeableItem = async (
  ctx: QueryCtx,
  person: Person,
  itemId: Id<"contentItems">,
): Promise<ItemPlace> => {
  const place = await editableItem(ctx, person, itemId);
  refuseWhileGenerating(place.course);
  return place;
};
