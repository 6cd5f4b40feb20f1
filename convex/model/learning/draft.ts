// Drafts a course from videos, one video a step. A step is one transaction that counts itself: one that
// runs twice finds the count ahead and does nothing, and a failed draft goes on where it stopped.
import { internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { type Person, refuse } from "../access.ts";
import { loadVideo, ownVideo } from "../library/gate.ts";
import { loadOutline } from "../library/outline.ts";
import { hasTranscript, hashPieces, inSpan, loadPieces } from "../library/transcript.ts";
import {
  MAX_WARNING_CHARS,
  type Part,
  type PlannedChapter,
  type Room,
  planVideo,
} from "./draftPlan.ts";
import { checkDescription, checkName } from "./fields.ts";
import {
  MAX_CHAPTERS,
  MAX_COURSE_BYTES,
  MAX_ITEMS,
  MAX_NAME_CHARS,
  contentBytes,
} from "./limits.ts";
import type { NewItem } from "./itemEdits.ts";
import { orderLast } from "./order.ts";
import { shorten } from "./shorten.ts";
import { chapterSiblings, loadChapters } from "./structure.ts";
import { studyGap } from "./studyGap.ts";

type Course = Doc<"courses">;
type Video = Doc<"videos">;
type Generation = NonNullable<Course["generation"]>;

export const MAX_VIDEOS = 20;
/** A step that has not ended by then never will. */
const GIVE_UP_MS = 10 * 60_000;

const scheduleStep = async (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  index: number,
): Promise<void> => {
  const step = { courseId, index };
  await ctx.scheduler.runAfter(0, internal.courseDrafts.draftStep, step);
  await ctx.scheduler.runAfter(GIVE_UP_MS, internal.courseDrafts.giveUp, step);
};

const nameOf = ([first, ...rest]: readonly Video[]): string => {
  const more = rest.length > 0 ? ` and ${rest.length} more` : "";
  return `${shorten(first?.title ?? "", MAX_NAME_CHARS - more.length) || "A course"}${more}`;
};

/** Of a video with neither topics nor a transcript. */
const nothingIn = ({ title }: Video): string =>
  `"${shorten(title, MAX_NAME_CHARS)}" has not been analysed yet, and has no transcript.`;

export interface AskedDraft {
  videoIds: Id<"videos">[];
  name?: string | undefined;
  description?: string | undefined;
}

/**
 * A course of these videos, in their order, which is made from now on.
 * @throws {ConvexError} `invalid_request`, `not_found` for a video of somebody else, or `conflict` for
 *   one with nothing to make a course of
 */
export const startDraft = async (
  ctx: MutationCtx,
  person: Person,
  { videoIds, name, description }: AskedDraft,
  now: number,
): Promise<Id<"courses">> => {
  if (videoIds.length < 1 || videoIds.length > MAX_VIDEOS) {
    throw refuse("invalid_request", `A course is drafted from 1 to ${MAX_VIDEOS} videos.`);
  }
  if (new Set(videoIds).size < videoIds.length) {
    throw refuse("invalid_request", "Each video can be named once.");
  }
  const videos: Video[] = [];
  for (const videoId of videoIds) videos.push(await ownVideo(ctx, person, videoId));
  for (const video of videos) {
    if (hasTranscript(video) || (await loadOutline(ctx, video._id))) continue;
    throw refuse("conflict", nothingIn(video), { videoId: video._id });
  }
  const thumbnailUrl = videos.find((video) => video.thumbnailUrl !== undefined)?.thumbnailUrl;
  const courseId = await ctx.db.insert("courses", {
    name: name === undefined ? nameOf(videos) : checkName(name, "A course's name"),
    ...(description === undefined ? {} : { description: checkDescription(description) }),
    ...(thumbnailUrl === undefined ? {} : { thumbnailUrl }),
    createdBy: person.ownerId,
    status: "generating",
    isPublished: false,
    generation: { videoIds, done: 0 },
    contentBytes: 0,
    createdAt: now,
    updatedAt: now,
  });
  await scheduleStep(ctx, courseId, 0);
  return courseId;
};

/** The draft that is at this step; null when it is elsewhere, or no draft is being made any more. */
const draftAt = async (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  index: number,
): Promise<{ course: Course; generation: Generation } | null> => {
  const course = await ctx.db.get("courses", courseId);
  if (course?.status !== "generating" || course.deletingAt !== undefined) return null;
  const { generation } = course;
  return generation?.done === index ? { course, generation } : null;
};

const fail = (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  errorMessage: string,
  now: number,
): Promise<void> =>
  ctx.db.patch("courses", courseId, { status: "failed", errorMessage, updatedAt: now });

/** An even share, for each of the videos to come, of what a course may have and does not have yet. */
const roomFor = (
  chapters: readonly Doc<"chapters">[],
  course: Course,
  videosToCome: number,
): Room => {
  const itemCount = chapters.reduce((sum, { itemIds = [] }) => sum + itemIds.length, 0);
  const share = (max: number, used: number) => Math.floor((max - used) / videosToCome);
  const items = share(MAX_ITEMS, itemCount);
  return {
    items,
    // With the notes of each and the quiz, whatever the earlier videos have taken.
    chapters: Math.min(share(MAX_CHAPTERS, chapters.length), Math.floor((items - 1) / 2)),
    bytes: share(MAX_COURSE_BYTES, course.contentBytes ?? 0),
  };
};

/** Citations of a video's parts, as its transcript is now. */
const citer = async (ctx: MutationCtx, video: Video) => {
  const pieces = await loadPieces(ctx, video);
  const hashes = new Map<string, Promise<string>>();
  return async (part: Part): Promise<NonNullable<Doc<"contentItems">["citation"]>> => {
    const key = `${part.startSec} ${part.endSec}`;
    const hash = hashes.get(key) ?? hashPieces(inSpan(pieces, part));
    hashes.set(key, hash);
    return { videoId: video._id, ...part, textHash: await hash };
  };
};

/** Writes a video's chapters after those that are there. @returns bytes of their content */
const writeChapters = async (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  video: Video,
  chapters: readonly PlannedChapter[],
  now: number,
): Promise<number> => {
  const cite = await citer(ctx, video);
  const times = { createdAt: now, updatedAt: now };
  let order = await orderLast(chapterSiblings(ctx, courseId));
  let bytes = 0;
  for (const { name, items } of chapters) {
    const chapterId = await ctx.db.insert("chapters", { courseId, name, order, ...times });
    order += 1;
    const itemIds: Id<"contentItems">[] = [];
    for (const [index, { title, part, content }] of items.entries()) {
      const held: NewItem =
        content.type === "video" ? { ...content, videoId: video._id, ...part } : content;
      bytes += contentBytes(held);
      const citation = await cite(part);
      const place = { courseId, chapterId, order: index + 1, ...times };
      itemIds.push(await ctx.db.insert("contentItems", { ...place, title, ...held, citation }));
    }
    await ctx.db.patch("chapters", chapterId, { itemIds });
  }
  return bytes;
};

/** Adds what the video at this place of the list gives, and goes on with the next. */
export const draftStep = async (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  index: number,
  now: number,
): Promise<void> => {
  const draft = await draftAt(ctx, courseId, index);
  if (!draft) return;
  const { course, generation } = draft;
  const { videoIds, warnings = [] } = generation;
  const videoId = videoIds[index];
  const video = videoId && (await loadVideo(ctx, videoId));
  if (!video) {
    const which = `Video ${index + 1} of ${videoIds.length}`;
    await fail(ctx, courseId, `${which} is not there any more.`, now);
    return;
  }
  const outline = await loadOutline(ctx, video._id);
  if (!outline && !hasTranscript(video)) {
    await fail(ctx, courseId, nothingIn(video), now);
    return;
  }
  const room = roomFor(await loadChapters(ctx, courseId), course, videoIds.length - index);
  // Only where somebody has filled a draft that had failed.
  if (room.chapters < 1) {
    const sentence = "does not fit: the course is full.";
    await fail(ctx, courseId, `"${shorten(video.title, MAX_NAME_CHARS)}" ${sentence}`, now);
    return;
  }
  const { title, notes, quiz } = video;
  // 0 is said of what is live, or not yet known.
  const durationSec = video.durationInSeconds || undefined;
  const plan = planVideo({ title, durationSec, outline, notes, quiz }, room);
  const bytes = await writeChapters(ctx, courseId, video, plan.chapters, now);
  const gap = studyGap(video);
  const lacks = gap === null ? [] : [shorten(`${title}: ${gap}`, MAX_WARNING_CHARS)];
  const done = index + 1;
  await ctx.db.patch("courses", courseId, {
    generation: { videoIds, done, warnings: [...warnings, ...lacks, ...plan.warnings] },
    contentBytes: (course.contentBytes ?? 0) + bytes,
    updatedAt: now,
    ...(done === videoIds.length ? { status: "draft" as const } : {}),
  });
  if (done < videoIds.length) await scheduleStep(ctx, courseId, done);
};

/** Fails a draft whose step has not ended: it broke in a way that nobody has foreseen. */
export const giveUp = async (
  ctx: MutationCtx,
  courseId: Id<"courses">,
  index: number,
  now: number,
): Promise<void> => {
  const draft = await draftAt(ctx, courseId, index);
  if (!draft) return;
  await fail(ctx, courseId, `Something went wrong on our side at video ${index + 1}.`, now);
};

/**
 * Goes on with a draft that has failed, at the video where it did.
 * @throws {ConvexError} `conflict` for a course that is not being made
 */
export const retryDraft = async (ctx: MutationCtx, course: Course, now: number): Promise<void> => {
  const { status, generation } = course;
  if (!generation || (status !== "failed" && status !== "generating")) {
    throw refuse("conflict", "This course is not being made from videos.");
  }
  await ctx.db.patch("courses", course._id, {
    status: "generating",
    errorMessage: undefined,
    updatedAt: now,
  });
  await scheduleStep(ctx, course._id, generation.done);
};

/**
 * Says that an item is right for what its video says now: it cites that, and is not stale.
 * @throws {ConvexError} `invalid_request` for one that cites nothing, `conflict` when the video is gone
 */
export const confirmItem = async (ctx: MutationCtx, item: Doc<"contentItems">): Promise<void> => {
  const { citation } = item;
  if (!citation) throw refuse("invalid_request", "This item cites no video.");
  const video = await loadVideo(ctx, citation.videoId);
  if (!video) throw refuse("conflict", "The video that this item cites is not there any more.");
  const { startSec, endSec } = citation;
  const part = {
    ...(startSec === undefined ? {} : { startSec }),
    ...(endSec === undefined ? {} : { endSec }),
  };
  const cite = await citer(ctx, video);
  await ctx.db.patch("contentItems", item._id, { citation: await cite(part), staleAt: undefined });
};
