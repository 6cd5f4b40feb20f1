// Rendered clips, for whoever owns their video.
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { userQuery } from "./functions.ts";
import {
  ownScene,
  ownSession,
  sceneEntry,
  sceneEntryOf,
  sceneView,
  sceneViewOf,
} from "./model/assets/view.ts";
import { boundedPage } from "./model/listing.ts";
import { ownVideo } from "./model/library/gate.ts";

/** A scene with its earlier versions. @throws {ConvexError} `not_found`, also for another's */
export const getScene = userQuery({
  args: { sceneId: v.id("scenes") },
  returns: sceneView,
  handler: async (ctx, { sceneId }) => sceneViewOf(await ownScene(ctx, ctx.person, sceneId)),
});

/** A session's scenes, in the order of the job's clips. */
export const listBySession = userQuery({
  args: { sessionId: v.id("videoSessions"), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(sceneEntry),
  handler: async (ctx, { sessionId, paginationOpts }) => {
    await ownSession(ctx, ctx.person, sessionId);
    const found = await ctx.db
      .query("scenes")
      .withIndex("by_session_and_index", (q) => q.eq("sessionId", sessionId))
      .paginate(boundedPage(paginationOpts));
    return { ...found, page: found.page.map(sceneEntryOf) };
  },
});

/** The scenes of all of a video's jobs, oldest first. */
export const listByVideo = userQuery({
  args: { videoId: v.id("videos"), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(sceneEntry),
  handler: async (ctx, { videoId, paginationOpts }) => {
    await ownVideo(ctx, ctx.person, videoId);
    const found = await ctx.db
      .query("scenes")
      .withIndex("by_video", (q) => q.eq("videoId", videoId))
      .paginate(boundedPage(paginationOpts));
    return { ...found, page: found.page.map(sceneEntryOf) };
  },
});
