// Courses drafted from videos, and the items in them whose videos say something else by now.
import { v } from "convex/values";
import { backendMutation, instructorMutation } from "./functions.ts";
import * as draft from "./model/learning/draft.ts";
import { editableCourse, editableItem, refuseWhileGenerating } from "./model/learning/gate.ts";

const courseId = v.id("courses");

/**
 * Drafts a course from 1 to 20 of one's own videos, each of which is analysed or has a transcript:
 * chapters from its topics with its highlights, notes and quiz. The course is `generating`, then a
 * `draft` with `generation.warnings`, or `failed` with its `errorMessage`.
 * @throws {ConvexError} `not_found` for a video of somebody else
 */
export const draftFromVideos = instructorMutation({
  args: {
    videoIds: v.array(v.id("videos")),
    name: v.optional(v.string()),
    description: v.optional(v.string()),
  },
  returns: v.object({ courseId }),
  handler: async (ctx, args) => ({
    courseId: await draft.startDraft(ctx, ctx.person, args, Date.now()),
  }),
});

/** Goes on with a failed draft, at the video where it failed; what is there stays. */
export const retryDraft = instructorMutation({
  args: { courseId },
  returns: v.null(),
  handler: async (ctx, args) => {
    const course = await editableCourse(ctx, ctx.person, args.courseId);
    await draft.retryDraft(ctx, course, Date.now());
    return null;
  },
});

/** Says that a stale item is right for what its video says now. */
export const refreshItem = instructorMutation({
  args: { contentItemId: v.id("contentItems") },
  returns: v.null(),
  handler: async (ctx, { contentItemId }) => {
    const { item, course } = await editableItem(ctx, ctx.person, contentItemId);
    refuseWhileGenerating(course);
    await draft.confirmItem(ctx, item);
    return null;
  },
});

const step = { courseId, index: v.number() };

export const draftStep = backendMutation({
  args: step,
  returns: v.null(),
  handler: async (ctx, args) => {
    await draft.draftStep(ctx, args.courseId, args.index, Date.now());
    return null;
  },
});

export const giveUp = backendMutation({
  args: step,
  returns: v.null(),
  handler: async (ctx, args) => {
    await draft.giveUp(ctx, args.courseId, args.index, Date.now());
    return null;
  },
});
