// New videos, and people's changes to them. An owner has each video once, whatever the spelling of
// its address, and however it came in: by hand or with a job.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { PAGE_FIELDS, type PageField } from "../../tables/library.ts";
import { refuse } from "../access.ts";
import { videoAddress } from "./address.ts";
import { type GivenFields, MAX_TITLE_CHARS, type NewVideo, checkedFields } from "./fields.ts";
import { onTranscriptGiven } from "./generations.ts";
import { insertVideo, patchVideo } from "./status.ts";

/** What an owner knows a video by. */
export interface VideoNames {
  twitchId?: string;
  youtubeVideoId?: string;
  url: string;
}

/** The owner's row of a video: by the first name that it has, its provider's before the address. */
export const findVideo = (
  ctx: QueryCtx,
  ownerId: string,
  { twitchId, youtubeVideoId, url }: VideoNames,
): Promise<Doc<"videos"> | null> => {
  const videos = ctx.db.query("videos");
  if (twitchId !== undefined) {
    return videos
      .withIndex("by_owner_and_twitch_id", (q) => q.eq("ownerId", ownerId).eq("twitchId", twitchId))
      .first();
  }
  if (youtubeVideoId !== undefined) {
    return videos
      .withIndex("by_owner_and_youtube_video_id", (q) =>
        q.eq("ownerId", ownerId).eq("youtubeVideoId", youtubeVideoId),
      )
      .first();
  }
  return videos
    .withIndex("by_owner_and_url", (q) => q.eq("ownerId", ownerId).eq("url", url))
    .first();
};

const namesOf = (
  url: string,
  youtubeVideoId: string | undefined,
): VideoNames & Pick<Doc<"videos">, "provider"> => {
  const { oembed: _forItsTitle, ...address } = videoAddress(url);
  if (youtubeVideoId === undefined) return address;
  if (!/^[\w-]{1,64}$/.test(youtubeVideoId)) {
    throw refuse("invalid_request", "youtubeVideoId is the id that is in YouTube's addresses.");
  }
  if (
    address.provider === "twitch" ||
    (address.youtubeVideoId ?? youtubeVideoId) !== youtubeVideoId
  ) {
    throw refuse("invalid_request", "youtubeVideoId and url name different videos.");
  }
  return { ...address, provider: "youtube", youtubeVideoId };
};

/** A title for a video of which only the address is known. */
export const titleOf = (url: string): string => url.slice(0, MAX_TITLE_CHARS);

/** @throws {ConvexError} `conflict`, with the `videoId` in its details, where the owner has it */
export const refuseDuplicate = async (
  ctx: QueryCtx,
  ownerId: string,
  names: VideoNames,
): Promise<void> => {
  const known = await findVideo(ctx, ownerId, names);
  if (known) {
    throw refuse("conflict", "This video is in the library already.", { videoId: known._id });
  }
};

/** The page's fields that a person has written, after these. What is taken away is the page's again. */
const editedAfter = (given: GivenFields, before: readonly PageField[] = []): PageField[] =>
  PAGE_FIELDS.filter((name) =>
    given[name] === undefined ? before.includes(name) : given[name] !== null,
  );

/**
 * A new video of the owner's, `pending`.
 * @param from  who said what is given: a person, or the video's page
 * @throws {ConvexError} `invalid_url`, `invalid_request`; `conflict` as `refuseDuplicate`
 */
export const createVideo = async (
  ctx: MutationCtx,
  ownerId: string,
  { url, youtubeVideoId, ...given }: NewVideo,
  from: "person" | "page",
  now: number,
): Promise<Id<"videos">> => {
  const names = namesOf(url, youtubeVideoId);
  const { title, ...fields } = checkedFields(given);
  await refuseDuplicate(ctx, ownerId, names);
  const videoId = await insertVideo(ctx, {
    ownerId,
    ...names,
    title,
    ...fields,
    edited: from === "person" ? editedAfter(given) : [],
    createdAt: now,
    updatedAt: now,
  });
  if (fields.transcript !== undefined) await onTranscriptGiven(ctx, videoId);
  return videoId;
};

/** Sets what is given of the library's fields. @throws {ConvexError} `invalid_request` */
export const updateVideo = async (
  ctx: MutationCtx,
  video: Doc<"videos">,
  given: GivenFields,
  now: number,
): Promise<void> => {
  const { title = video.title, ...fields } = checkedFields(given);
  const edited = editedAfter(given, video.edited);
  await patchVideo(ctx, video, { title, ...fields, edited, updatedAt: now });
  if (given.transcript !== undefined) await onTranscriptGiven(ctx, video._id);
};
