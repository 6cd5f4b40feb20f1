// What of courses, chapters and items goes out: all of it to editors, to learners what is for them.
import { type Infer, v } from "convex/values";
import type { Doc } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import {
  CONTENT_TYPES,
  COURSE_STATUSES,
  citation,
  contentFields,
  generation,
} from "../../tables/learning.ts";
import type { Person } from "../access.ts";
import { oneOf } from "../contract.ts";
import { loadVideo } from "../library/gate.ts";
import { isPublished, mayEdit } from "./gate.ts";
import { missingContent } from "./content.ts";
import { quizForLearner } from "./quiz.ts";
import { itemCount, itemIdsOf, legacyVideoId, loadChapters, loadItems } from "./structure.ts";

export const courseStatus = oneOf(COURSE_STATUSES);
export const contentType = oneOf(CONTENT_TYPES);

const courseFields = {
  _id: v.id("courses"),
  _creationTime: v.number(),
  name: v.string(),
  description: v.optional(v.string()),
  thumbnailUrl: v.optional(v.string()),
  /** `ready` also for a legacy row without one. */
  status: courseStatus,
  isPublished: v.boolean(),
  publishedAt: v.optional(v.number()),
  createdAt: v.number(),
  updatedAt: v.number(),
  canEdit: v.boolean(),
  // For editors alone
  createdBy: v.optional(v.string()),
  archivedAt: v.optional(v.number()),
  errorMessage: v.optional(v.string()),
  generation: v.optional(generation),
  contentBytes: v.optional(v.number()),
};
const chapterFields = {
  _id: v.id("chapters"),
  _creationTime: v.number(),
  courseId: v.id("courses"),
  /** Of a legacy chapter, from before there were content items. */
  videoId: v.optional(v.id("videos")),
  name: v.string(),
  description: v.optional(v.string()),
  order: v.number(),
  itemCount: v.number(),
  createdAt: v.number(),
  updatedAt: v.optional(v.number()),
};
const itemFields = {
  /** null for the one item of a legacy chapter, which is no row of its own. */
  _id: v.nullable(v.id("contentItems")),
  chapterId: v.id("chapters"),
  courseId: v.id("courses"),
  type: contentType,
  order: v.number(),
  title: v.optional(v.string()),
  /** `quizData` is the quiz with its key for editors, its cover alone for learners. */
  ...contentFields,
  createdAt: v.number(),
  updatedAt: v.optional(v.number()),
  // For editors alone
  citation: v.optional(citation),
  staleAt: v.optional(v.number()),
  /** What it lacks to be published. */
  missing: v.optional(v.string()),
};

export const courseView = v.object(courseFields);
export const chapterView = v.object(chapterFields);
export const itemView = v.object(itemFields);
export const courseStructure = v.object({
  ...courseFields,
  chapters: v.array(v.object({ ...chapterFields, contentItems: v.array(itemView) })),
});
/** An item with what is needed to play its video, where it has one that is still there. */
export const itemWithVideo = v.object({
  ...itemFields,
  video: v.nullable(
    v.object({
      _id: v.id("videos"),
      title: v.string(),
      url: v.optional(v.string()),
      provider: v.optional(v.string()),
      youtubeVideoId: v.optional(v.string()),
      twitchId: v.optional(v.string()),
      channelTitle: v.optional(v.string()),
      thumbnailUrl: v.optional(v.string()),
      durationInSeconds: v.optional(v.number()),
    }),
  ),
});
export type CourseView = Infer<typeof courseView>;
export type ChapterView = Infer<typeof chapterView>;
export type ItemView = Infer<typeof itemView>;

export const viewCourse = (person: Person, course: Doc<"courses">): CourseView => {
  const { _id, _creationTime, name, description, thumbnailUrl, publishedAt } = course;
  const { createdAt, updatedAt, createdBy, archivedAt, errorMessage } = course;
  const { generation, contentBytes } = course;
  const canEdit = mayEdit(person, course);
  return {
    _id,
    _creationTime,
    name,
    description,
    thumbnailUrl,
    status: course.status ?? "ready",
    isPublished: isPublished(course),
    publishedAt,
    createdAt,
    updatedAt,
    canEdit,
    ...(canEdit ? { createdBy, archivedAt, errorMessage, generation, contentBytes } : {}),
  };
};

const chapterOf = (chapter: Doc<"chapters">, count: number): ChapterView => {
  const { _id, _creationTime, courseId, videoId, name, description } = chapter;
  const { order, createdAt, updatedAt } = chapter;
  return {
    _id,
    _creationTime,
    courseId,
    videoId,
    name,
    description,
    order,
    itemCount: count,
    createdAt,
    updatedAt,
  };
};

export const viewChapter = async (ctx: QueryCtx, chapter: Doc<"chapters">): Promise<ChapterView> =>
  chapterOf(chapter, itemCount(chapter, await itemIdsOf(ctx, chapter)));

export const viewItem = (
  item: Doc<"contentItems">,
  { courseId }: Doc<"chapters">,
  canEdit: boolean,
): ItemView => {
  const { _creationTime, citation: cited, staleAt, quizData, ...shown } = item;
  return {
    ...shown,
    courseId,
    ...(canEdit
      ? { quizData, citation: cited, staleAt, missing: missingContent(item) ?? undefined }
      : { quizData: quizData === undefined ? undefined : quizForLearner(quizData) }),
  };
};

const legacyItem = (chapter: Doc<"chapters">, videoId: NonNullable<ItemView["videoId"]>) => ({
  _id: null,
  chapterId: chapter._id,
  courseId: chapter.courseId,
  type: "video" as const,
  order: 1,
  videoId,
  createdAt: chapter.createdAt,
});

/** A chapter's items as they are shown, in order. */
export const viewItems = async (
  ctx: QueryCtx,
  chapter: Doc<"chapters">,
  canEdit: boolean,
): Promise<ItemView[]> => {
  const items = await loadItems(ctx, chapter._id);
  const videoId = legacyVideoId(chapter, items);
  if (videoId !== undefined) return [legacyItem(chapter, videoId)];
  return items.map((item) => viewItem(item, chapter, canEdit));
};

/** All of a course, in one query for each chapter. Learners do not see chapters without items. */
export const viewStructure = async (
  ctx: QueryCtx,
  person: Person,
  course: Doc<"courses">,
): Promise<Infer<typeof courseStructure>> => {
  const view = viewCourse(person, course);
  const chapters = await Promise.all(
    (await loadChapters(ctx, course._id)).map(async (chapter) => {
      const contentItems = await viewItems(ctx, chapter, view.canEdit);
      return { ...chapterOf(chapter, contentItems.length), contentItems };
    }),
  );
  return {
    ...view,
    chapters: chapters.filter(({ itemCount: count }) => view.canEdit || count > 0),
  };
};

/** What is needed to play an item's video; null without one. */
export const viewVideo = async (
  ctx: QueryCtx,
  videoId: ItemView["videoId"],
): Promise<Infer<typeof itemWithVideo>["video"]> => {
  const video = videoId && (await loadVideo(ctx, videoId));
  if (!video) return null;
  const { _id, title, url, provider, youtubeVideoId, twitchId } = video;
  const { channelTitle, thumbnailUrl, durationInSeconds } = video;
  return {
    _id,
    title,
    url,
    provider,
    youtubeVideoId,
    twitchId,
    channelTitle,
    thumbnailUrl,
    durationInSeconds,
  };
};
