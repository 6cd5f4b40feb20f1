// Courses drafted from videos, and the items in them whose videos say something else by now.
import { v } from "convex/values";
import { backendMutation, instructorMutation } from "./functions.ts";
import * as draft from "./model/learning/draft.ts";
import { changeableItem, editableCourse } from "./model/learning/gate.ts";

const courseId = v.id("courses");

/**
 * Drafts a course from 1 to 20 of one's own videos, each of which is analysed or has a transcript:
 * chapters from its topics with its highlights, notes and quiz. The course is `generating`, then a
 * `draft` with `generation.warnings`, or `failed` with its `errorMessage`.
 * @throws {ConvexError} `not_found` for a video of somebody else, `invalid_request` for none, one named
 *   twice, or more than 20, `conflict` with the `videoId` for one with neither topics nor transcript
 */
export const draftFromVideos = instructorMutation({
  args: {
    videoIds: v.array(v.id("videos")),
    name: v.optional(v.string()),
    description: v.optional(v.string()),
  },
  returns: courseId,
  handler: (ctx, args) => draft.startDraft(ctx, ctx.person, args, Date.now()),
});

/**
 * Goes on with a failed draft, at the video where it failed; what is there stays.
 * @throws {ConvexError} `conflict` for a course that is not being made from videos
 */
export const retryDraft = instructorMutation({
  args: { courseId },
  returns: v.null(),
  handler: async (ctx, args) => {
    const course = await editableCourse(ctx, ctx.person, args.courseId);
    await draft.retryDraft(ctx, course, Date.now());
    return null;
  },
});

/**
 * Says that a stale item is right for what its video says now.
 * @throws {ConvexError} `invalid_request` for one that cites nothing, `conflict` when the video is gone
 */
export const confirmItem = instructorMutation({
  args: { contentItemId: v.id("contentItems") },
  returns: v.null(),
  handler: async (ctx, { contentItemId }) => {
    const { item } = await changeableItem(ctx, ctx.person, contentItemId);
    await draft.confirmItem(ctx, item);
    return null;
  },
});

const step = { courseId, index: v.number() };

/** Adds what one video gives, the one at `index` of the list. */
export const draftStep = backendMutation({
  args: step,
  returns: v.null(),
  handler: async (ctx, args) => {
    await draft.draftStep(ctx, args.courseId, args.index, Date.now());
    return null;
  },
});

/** Fails a draft that is still at this video long after its step was due. */
export const giveUp = backendMutation({
  args: step,
  returns: v.null(),
  handler: async (ctx, args) => {
    await draft.giveUp(ctx, args.courseId, args.index, Date.now());
    return null;
  },
});
