// The functions of `convex-integration`, under its names. Writes are for videos that something else
// than the ledger runs; a row that the pipeline is working on is refused.
import { v } from "convex/values";
import { publicQuery, serviceMutation } from "./functions.ts";
import { refuse } from "./model/access.ts";
import { status, urlFields } from "./model/contract.ts";
import { loadVideo, noVideo } from "./model/library/gate.ts";
import { patchVideo } from "./model/library/status.ts";
import {
  addressFields,
  newestByTwitchId,
  onlyByTwitchId,
  refuseWhileRunning,
} from "./model/video.ts";

const publicVideo = v.object({
  _id: v.id("videos"),
  _creationTime: v.number(),
  twitchId: v.optional(v.string()),
  title: v.string(),
  channelTitle: v.optional(v.string()),
  thumbnailUrl: v.optional(v.string()),
  durationInSeconds: v.optional(v.number()),
  status: v.optional(status),
  progressPercentage: v.optional(v.number()),
  currentStage: v.optional(v.string()),
  createdAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
  ...urlFields,
});

/**
 * The newest row of a Twitch video, or null. Outputs are `gs://` references: those open only for
 * whoever may read the bucket, signed addresses would for everybody.
 */
export const getByTwitchIdPublic = publicQuery({
  args: { twitchId: v.string() },
  returns: v.nullable(publicVideo),
  handler: async (ctx, { twitchId }) => {
    const video = await newestByTwitchId(ctx, twitchId);
    return (
      video && {
        _id: video._id,
        _creationTime: video._creationTime,
        twitchId: video.twitchId,
        title: video.title,
        channelTitle: video.channelTitle,
        thumbnailUrl: video.thumbnailUrl,
        durationInSeconds: video.durationInSeconds,
        status: video.status,
        progressPercentage: video.progressPercentage,
        currentStage: video.currentStage,
        createdAt: video.createdAt,
        updatedAt: video.updatedAt,
        ...video.references,
      }
    );
  },
});

/** Sets a row's status. @throws {ConvexError} `not_found`; `conflict` while the pipeline runs its job */
export const updateStatus = serviceMutation({
  args: { id: v.id("videos"), status },
  returns: v.null(),
  handler: async (ctx, { id, status }) => {
    const video = await loadVideo(ctx, id);
    if (!video) throw noVideo();
    await refuseWhileRunning(ctx, video);
    await patchVideo(ctx, video, { status, updatedAt: Date.now() });
    return null;
  },
});

/** As `updateStatus`; `conflict` also where several owners have the video. */
export const updateStatusByTwitchId = serviceMutation({
  args: { twitchId: v.string(), status },
  returns: v.null(),
  handler: async (ctx, { twitchId, status }) => {
    const video = await onlyByTwitchId(ctx, twitchId);
    await refuseWhileRunning(ctx, video);
    await patchVideo(ctx, video, { status, updatedAt: Date.now() });
    return null;
  },
});

/**
 * Sets the addresses that are given; `gs://` ones are kept as references as well.
 * @throws {ConvexError} as `updateStatus`; `invalid_request` unless one of the two names the row
 */
export const updateUrls = serviceMutation({
  args: {
    /** One of the two names the row. */
    id: v.optional(v.id("videos")),
    twitchId: v.optional(v.string()),
    urls: v.object(urlFields),
  },
  returns: v.null(),
  handler: async (ctx, { id, twitchId, urls }) => {
    if ((id === undefined) === (twitchId === undefined)) {
      throw refuse("invalid_request", "Name the video by `id` or by `twitchId`.");
    }
    const video = twitchId ? await onlyByTwitchId(ctx, twitchId) : id && (await loadVideo(ctx, id));
    if (!video) throw noVideo();
    await refuseWhileRunning(ctx, video);
    await patchVideo(ctx, video, {
      ...addressFields(video, urls),
      updatedAt: Date.now(),
    });
    return null;
  },
});
