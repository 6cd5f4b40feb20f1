// A job's reel, manifest and totals, for whoever owns its video.
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { userQuery } from "./functions.ts";
import { ownSession, sessionView } from "./model/assets/view.ts";
import { boundedPage } from "./model/listing.ts";
import { ownVideo } from "./model/library/gate.ts";

/** @throws {ConvexError} `not_found`, also for another's */
export const getSession = userQuery({
  args: { sessionId: v.id("videoSessions") },
  returns: sessionView,
  handler: (ctx, { sessionId }) => ownSession(ctx, ctx.person, sessionId),
});

/** The sessions of a video's jobs, newest first. */
export const listByVideo = userQuery({
  args: { videoId: v.id("videos"), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(sessionView),
  handler: async (ctx, { videoId, paginationOpts }) => {
    await ownVideo(ctx, ctx.person, videoId);
    return ctx.db
      .query("videoSessions")
      .withIndex("by_video", (q) => q.eq("videoId", videoId))
      .order("desc")
      .paginate(boundedPage(paginationOpts));
  },
});
