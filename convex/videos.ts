// The video library, for people; and the job functions of `convex-schema-updates`, under its names.
// The ledger writes a video's row itself: the service's writes here serve whoever runs a video without
// it, and the query pages that follow a job.
import {
  type PaginationResult,
  paginationOptsValidator,
  paginationResultValidator,
} from "convex/server";
import { v } from "convex/values";
import { ERROR_TYPES } from "#shared/contract/errors.ts";
import { internal } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import {
  backendMutation,
  backendQuery,
  knownQuery,
  operatorMutation,
  serviceMutation,
  userAction,
  userMutation,
  userQuery,
} from "./functions.ts";
import { oneOf, urlFields } from "./model/contract.ts";
import { videoAddress } from "./model/library/address.ts";
import * as creation from "./model/library/create.ts";
import * as deletion from "./model/library/deletion.ts";
import { givenFields, newVideoFields } from "./model/library/fields.ts";
import { ownVideo, ownVideoToDelete } from "./model/library/gate.ts";
import * as lists from "./model/library/list.ts";
import { describePage } from "./model/library/oembed.ts";
import { RETRIABLE, type Retriable, retryFailed } from "./model/library/retry.ts";
import { backfillPage } from "./model/library/status.ts";
import {
  type VideoEntry,
  type VideoView,
  fullView,
  libraryStatus,
  videoEntry,
  videoView,
} from "./model/library/view.ts";
import { MAX_PAGE_ROWS } from "./model/listing.ts";
import { jobRow, reportCompleted, reportError, reportProgress } from "./model/videoJob.ts";
import { videoFields } from "./tables/library.ts";

/**
 * A new video in the caller's library, `pending`. One that comes with its transcript needs no
 * analysis.
 * @throws {ConvexError} `invalid_url`, `invalid_request`; `conflict`, with the `videoId` in its details,
 *   for one that is there already
 */
export const createVideo = userMutation({
  args: newVideoFields,
  returns: v.id("videos"),
  handler: (ctx, given): Promise<Id<"videos">> =>
    creation.createVideo(ctx, ctx.ownerId, given, "person", Date.now()),
});

/**
 * A new video from its address alone, with title, picture, length and channel where the page's service
 * says them to anybody; else the address is the title. `fetched` tells which.
 * @throws {ConvexError} as `createVideo`
 */
export const createVideoFromUrl = userAction({
  args: { url: v.string() },
  returns: v.object({ videoId: v.id("videos"), fetched: v.boolean() }),
  handler: async (ctx, { url }): Promise<{ videoId: Id<"videos">; fetched: boolean }> => {
    const address = videoAddress(url);
    await ctx.runQuery(internal.videos.refuseDuplicate, { ownerId: ctx.ownerId, url });
    const found = address.oembed === undefined ? null : await describePage(address.oembed);
    const videoId: Id<"videos"> = await ctx.runMutation(internal.videos.storeVideo, {
      ownerId: ctx.ownerId,
      title: creation.titleOf(address.url),
      url,
      ...found,
    });
    return { videoId, fetched: found !== null };
  },
});

/** For `createVideoFromUrl`: before anything is fetched. @throws {ConvexError} `conflict` */
export const refuseDuplicate = backendQuery({
  args: { ownerId: v.string(), url: v.string() },
  returns: v.null(),
  handler: async (ctx, { ownerId, url }) => {
    await creation.refuseDuplicate(ctx, ownerId, videoAddress(url));
    return null;
  },
});

/** For `createVideoFromUrl`. */
export const storeVideo = backendMutation({
  args: { ownerId: v.string(), ...newVideoFields },
  returns: v.id("videos"),
  handler: (ctx, { ownerId, ...given }): Promise<Id<"videos">> =>
    creation.createVideo(ctx, ownerId, given, "page", Date.now()),
});

/**
 * Sets the fields that are given; null takes one away. What a person writes of a video, the analysis
 * leaves as it is.
 * @throws {ConvexError} `not_found`, also for somebody else's; `invalid_request`
 */
export const updateVideo = userMutation({
  args: { videoId: v.id("videos"), ...givenFields },
  returns: v.null(),
  handler: async (ctx, { videoId, ...given }) => {
    const video = await ownVideo(ctx, ctx.person, videoId);
    await creation.updateVideo(ctx, video, given, Date.now());
    return null;
  },
});

/**
 * Takes a video away, with its jobs, transcript, scenes and sessions: at once for everybody, its rows
 * a step at a time. Called again, it goes on with a deletion that stopped.
 * @throws {ConvexError} `conflict` while courses show it (their ids and names are in the details) or
 *   a job of it is running
 */
export const deleteVideo = userMutation({
  args: { videoId: v.id("videos") },
  returns: v.null(),
  handler: async (ctx, { videoId }) => {
    const video = await ownVideoToDelete(ctx, ctx.person, videoId);
    await deletion.deleteVideo(ctx, ctx.person, video, Date.now());
    return null;
  },
});

/**
 * Gives every row from before the library its status, and counts it; in steps, and any number of times
 * over. Until then a list by status does not have such a row, unless something wrote it since.
 */
export const backfillStatuses = operatorMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await ctx.scheduler.runAfter(0, internal.videos.backfillStep, { cursor: null });
    return null;
  },
});

/** A page of `backfillStatuses`. */
export const backfillStep = backendMutation({
  args: { cursor: v.nullable(v.string()) },
  returns: v.null(),
  handler: async (ctx, { cursor }) => {
    const next = await backfillPage(ctx, cursor);
    if (next !== null) {
      await ctx.scheduler.runAfter(0, internal.videos.backfillStep, { cursor: next });
    }
    return null;
  },
});

/** The next step of a deletion. */
export const continueDeletion = backendMutation({
  args: { videoId: v.id("videos") },
  returns: v.null(),
  handler: async (ctx, { videoId }) => {
    await deletion.continueDeletion(ctx, videoId);
    return null;
  },
});

/**
 * Runs again what failed: the analysis, from where it failed (within the minute, when sweep publishes
 * it), or the making of notes and quiz, or both.
 * @throws {ConvexError} `conflict`, with the reason, where nothing failed or trying again cannot help;
 *   `study_not_configured` for notes and quiz where the endpoints are not set up
 */
export const retryFailedVideo = userMutation({
  args: { videoId: v.id("videos") },
  returns: v.object({ retried: v.array(oneOf(RETRIABLE)) }),
  handler: async (ctx, { videoId }): Promise<{ retried: Retriable[] }> => {
    const video = await ownVideo(ctx, ctx.person, videoId);
    return { retried: await retryFailed(ctx, video, Date.now()) };
  },
});

/**
 * One's own video, with its texts; addresses of outputs are for its owner alone, not for admins.
 * @throws {ConvexError} `not_found`, also for somebody else's
 */
export const getVideo = userQuery({
  args: { videoId: v.id("videos") },
  returns: videoView,
  handler: async (ctx, { videoId }): Promise<VideoView> =>
    fullView(await ownVideo(ctx, ctx.person, videoId), ctx.ownerId),
});

/**
 * One's own videos with this status, an admin's everybody's; newest first, at most 100 and at most 8
 * MiB of rows: `listVideos` goes through all.
 */
export const getVideosByStatus = userQuery({
  args: { status: libraryStatus, limit: v.optional(v.number()) },
  returns: v.array(videoEntry),
  handler: (ctx, { status, limit = MAX_PAGE_ROWS }): Promise<VideoEntry[]> =>
    lists.videosByStatus(ctx, ctx.person, status, limit),
});

/** One's own videos, an admin's everybody's, newest first; pages of at most 100. */
export const listVideos = userQuery({
  args: { paginationOpts: paginationOptsValidator, status: v.optional(libraryStatus) },
  returns: paginationResultValidator(videoEntry),
  handler: (ctx, { paginationOpts, status }): Promise<PaginationResult<VideoEntry>> =>
    lists.pageOfVideos(ctx, ctx.person, status, paginationOpts),
});

/**
 * One's own videos, an admin's everybody's, by words of their title; best match first.
 * @param limit  1 to 50, default 20
 */
export const searchVideos = userQuery({
  args: { query: v.string(), status: v.optional(libraryStatus), limit: v.optional(v.number()) },
  returns: v.array(videoEntry),
  handler: (ctx, { query, status, limit = 20 }): Promise<VideoEntry[]> =>
    lists.foundVideos(ctx, ctx.person, { query, status, limit }),
});

/**
 * How many videos one has, by library status; an admin may name whose.
 * @throws {ConvexError} `forbidden` for another's, but to an admin
 */
export const countVideos = userQuery({
  args: { ownerId: v.optional(v.string()) },
  returns: v.object({
    pending: v.number(),
    processing: v.number(),
    completed: v.number(),
    failed: v.number(),
    total: v.number(),
  }),
  handler: (ctx, { ownerId }): Promise<lists.VideoCounts> =>
    lists.countVideos(ctx, ctx.person, ownerId),
});

const videoRow = v.object({ _id: v.id("videos"), _creationTime: v.number(), ...videoFields });
const names = { twitchId: v.string(), jobId: v.string() };

/**
 * A job in the shape of its video's row, for its owner or the pipeline: what a page subscribes to.
 * Null where there is none, or it is somebody else's. Details of an error are for the pipeline's
 * log, not for people.
 */
export const getJobById = knownQuery({
  args: { jobId: v.string() },
  returns: v.nullable(videoRow),
  handler: (ctx, { jobId }): Promise<Doc<"videos"> | null> => jobRow(ctx, ctx.caller, jobId),
});

/**
 * Tells how far a job is that the ledger does not run.
 * @throws {ConvexError} `invalid_request` for a percentage that is none; `not_found`; `conflict`
 *   while the pipeline runs the job, or where several owners have the video
 */
export const updateJobProgress = serviceMutation({
  args: {
    ...names,
    /** 0 to 100. */
    progressPercentage: v.optional(v.number()),
    currentStage: v.optional(v.string()),
    estimatedCompletionSeconds: v.optional(v.number()),
    stageProgress: v.optional(v.record(v.string(), v.any())),
  },
  returns: v.null(),
  handler: async (ctx, { twitchId, jobId, ...progress }) => {
    await reportProgress(ctx, { twitchId, jobId }, progress, Date.now());
    return null;
  },
});

/** Tells that a job has failed that the ledger does not run. @throws as `updateJobProgress` */
export const updateJobError = serviceMutation({
  args: {
    ...names,
    errorType: oneOf(ERROR_TYPES),
    errorMessage: v.string(),
    errorDetails: v.optional(v.string()),
    isRetryable: v.boolean(),
  },
  returns: v.null(),
  handler: async (ctx, { twitchId, jobId, ...error }) => {
    await reportError(ctx, { twitchId, jobId }, error, Date.now());
    return null;
  },
});

/** Tells that a job is done that the ledger does not run. @throws as `updateJobProgress` */
export const completeJob = serviceMutation({
  args: { ...names, urls: v.optional(v.object(urlFields)) },
  returns: v.null(),
  handler: async (ctx, { twitchId, jobId, urls = {} }) => {
    await reportCompleted(ctx, { twitchId, jobId }, urls, Date.now());
    return null;
  },
});
