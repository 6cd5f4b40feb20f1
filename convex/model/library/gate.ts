// Who may see and change a video of the library: its owner and admins. One whose deletion has begun
// is there for nobody.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { type Person, owns, refuse } from "../access.ts";

export const noVideo = () => refuse("not_found", "There is no such video.");

/** Anybody's; null also for one whose deletion has begun. */
export const loadVideo = async (
  ctx: QueryCtx,
  videoId: Id<"videos">,
): Promise<Doc<"videos"> | null> => {
  const video = await ctx.db.get("videos", videoId);
  return video?.deletingAt === undefined ? video : null;
};

/** @throws {ConvexError} `not_found`, also for somebody else's, or one whose deletion has begun */
export const ownVideo = async (
  ctx: QueryCtx,
  person: Person,
  videoId: Id<"videos">,
): Promise<Doc<"videos">> => {
  const video = await loadVideo(ctx, videoId);
  if (!video || !owns(person, video.ownerId)) throw noVideo();
  return video;
};

/** As `ownVideo`, but also one whose deletion has begun: for going on with that. */
export const ownVideoToDelete = async (
  ctx: QueryCtx,
  person: Person,
  videoId: Id<"videos">,
): Promise<Doc<"videos">> => {
  const video = await ctx.db.get("videos", videoId);
  if (!video || !owns(person, video.ownerId)) throw noVideo();
  return video;
};
