// Who may see and change a video of the library: its owner and admins. One whose deletion has begun
// is there for nobody.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { type Person, owns, refuse } from "../access.ts";

const noVideo = () => refuse("not_found", "There is no such video.");

/** Null where there is none, it is somebody else's, or its deletion has begun. */
export const findOwnVideo = async (
  ctx: QueryCtx,
  person: Person,
  videoId: Id<"videos">,
): Promise<Doc<"videos"> | null> => {
  const video = await ctx.db.get("videos", videoId);
  return video && video.deletingAt === undefined && owns(person, video.ownerId) ? video : null;
};

/** @throws {ConvexError} `not_found`, as `findOwnVideo` says */
export const ownVideo = async (
  ctx: QueryCtx,
  person: Person,
  videoId: Id<"videos">,
): Promise<Doc<"videos">> => {
  const video = await findOwnVideo(ctx, person, videoId);
  if (!video) throw noVideo();
  return video;
};

/** As `ownVideo`, but also one whose deletion has begun: for going on with that. */
export const ownVideoOrRemains = async (
  ctx: QueryCtx,
  person: Person,
  videoId: Id<"videos">,
): Promise<Doc<"videos">> => {
  const video = await ctx.db.get("videos", videoId);
  if (!video || !owns(person, video.ownerId)) throw noVideo();
  return video;
};
