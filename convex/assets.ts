// The pipeline says here what it stores: a clip is a scene, the reel and the manifest are the job's
// session, every other object in the job's folder is an output of the video. Every call may come
// twice. All answer `gone` where the video or the job was deleted meanwhile: nothing is kept for it
// then, and the collector takes what was stored. (The collector's own functions: assetReferences.ts.)
import { v } from "convex/values";
import { MAX_OUTPUTS } from "#shared/contract/assets.ts";
import { jobPrefix } from "#shared/contract/manifest.ts";
import { internal } from "./_generated/api.js";
import type { Doc } from "./_generated/dataModel.js";
import type { MutationCtx } from "./_generated/server.js";
import { backendMutation, operatorMutation, serviceMutation } from "./functions.ts";
import { refuse } from "./model/access.ts";
import {
  putSceneAssets,
  putSessionAssets,
  sceneObjects,
  sessionObjects,
} from "./model/assets/contents.ts";
import { checkObject, storedObject } from "./model/assets/object.ts";
import { releaseOtherOutputs, recordOutputs as writeOutputs } from "./model/assets/outputs.ts";
import { findReference } from "./model/assets/references.ts";
import { removeScenesFrom } from "./model/assets/removal.ts";
import {
  checkIndex,
  ensureSession,
  findScene,
  liveJob,
  moveScene,
  moveSession,
  writeScene,
} from "./model/assets/rows.ts";
import { oneOf } from "./model/contract.ts";
import { SCENE_ASSETS } from "./tables/assets.ts";

const recorded = oneOf(["recorded", "gone"]);
const sceneKey = { jobId: v.string(), index: v.number() };

const sceneOf = async (ctx: MutationCtx, job: Doc<"jobs">, index: number) => {
  checkIndex(job, index);
  const scene = await findScene(ctx, job.jobId, index);
  if (!scene) throw refuse("not_found", `The clip ${index} of ${job.jobId} has no scene yet.`);
  return scene;
};

/** Objects of a job lie in its own folder. */
const checkAll = (jobId: string, objects: Record<string, Parameters<typeof checkObject>[0]>) => {
  for (const object of Object.values(objects)) checkObject(object, jobPrefix(jobId));
};

/** A clip that is going to be rendered; its session is made with the first. */
export const openScene = serviceMutation({
  args: {
    ...sceneKey,
    startSec: v.number(),
    endSec: v.number(),
    title: v.optional(v.string()),
    rank: v.optional(v.number()),
    score: v.optional(v.number()),
  },
  returns: recorded,
  handler: async (ctx, { jobId, index, ...facts }) => {
    const now = Date.now();
    const live = await liveJob(ctx, jobId);
    if (!live) return "gone";
    const { job, video } = live;
    checkIndex(job, index);
    const session = await ensureSession(ctx, job, video, now);
    await moveSession(ctx, session, "pending", job.retryCount, now);
    await writeScene(ctx, session, job, index, facts, now);
    return "recorded";
  },
});

/** The clip's objects are on their way. */
export const beginUpload = serviceMutation({
  args: sceneKey,
  returns: recorded,
  handler: async (ctx, { jobId, index }) => {
    const now = Date.now();
    const live = await liveJob(ctx, jobId);
    if (!live) return "gone";
    const { job, video } = live;
    await moveScene(ctx, await sceneOf(ctx, job, index), "uploading", job.retryCount, now);
    const session = await ensureSession(ctx, job, video, now);
    if (session.assetsStatus !== "uploading") {
      await moveSession(ctx, session, "uploading", job.retryCount, now);
    }
    return "recorded";
  },
});

/** The clip's objects are all there. Those it had before stay as an earlier version. */
export const sceneReady = serviceMutation({
  args: { ...sceneKey, assets: sceneObjects },
  returns: recorded,
  handler: async (ctx, { jobId, index, assets }) => {
    const now = Date.now();
    checkAll(jobId, assets);
    const live = await liveJob(ctx, jobId);
    if (!live) return "gone";
    const scene = await sceneOf(ctx, live.job, index);
    await putSceneAssets(ctx, scene, assets, now);
    await moveScene(ctx, scene, "ready", live.job.retryCount, now);
    return "recorded";
  },
});

/** At most 100 other objects of the job's folder, which the video keeps from now on. */
export const recordOutputs = serviceMutation({
  args: { jobId: v.string(), outputs: v.array(storedObject) },
  returns: recorded,
  handler: async (ctx, { jobId, outputs }) => {
    const live = await liveJob(ctx, jobId);
    if (!live) return "gone";
    await writeOutputs(ctx, live.job, outputs, Date.now());
    return "recorded";
  },
});

/**
 * The job's reel and manifest are there, and so is all else: called last.
 * `sceneCount` is how many clips there are, `outputs` the names below the job's folder that were
 * recorded; scenes beyond the one and outputs beside the others, of an earlier run, are let go.
 */
export const sessionReady = serviceMutation({
  args: {
    jobId: v.string(),
    sceneCount: v.number(),
    outputs: v.array(v.string()),
    assets: sessionObjects,
  },
  returns: recorded,
  handler: async (ctx, { jobId, sceneCount, outputs, assets }) => {
    const now = Date.now();
    checkAll(jobId, assets);
    if (!Number.isInteger(sceneCount) || sceneCount < 0) {
      throw refuse("invalid_request", "`sceneCount` must be a number of clips.");
    }
    if (outputs.length > MAX_OUTPUTS) {
      throw refuse("invalid_request", `A job leaves at most ${MAX_OUTPUTS} outputs.`);
    }
    const live = await liveJob(ctx, jobId);
    if (!live) return "gone";
    const { job, video } = live;
    const session = await ensureSession(ctx, job, video, now);
    await putSessionAssets(ctx, session, assets, now);
    await moveSession(ctx, session, "ready", job.retryCount, now);
    await letGo(ctx, job, { sceneCount, outputs }, null, now);
    return "recorded";
  },
});

const letGo = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  kept: { sceneCount: number; outputs: string[] },
  after: string | null,
  now: number,
): Promise<void> => {
  const { jobId } = job;
  const { more } = await removeScenesFrom(ctx, jobId, kept.sceneCount, now);
  const next = await releaseOtherOutputs(ctx, job, kept.outputs, after, now);
  if (!more && next === null) return;
  const run = job.retryCount;
  const rest = { jobId, run, ...kept, after: next ?? `${jobId}0` };
  await ctx.scheduler.runAfter(0, internal.assets.letGoOfRest, rest);
};

/** Goes on letting go of what an earlier run left, unless the job runs again meanwhile. */
export const letGoOfRest = backendMutation({
  args: {
    jobId: v.string(),
    run: v.number(),
    sceneCount: v.number(),
    outputs: v.array(v.string()),
    after: v.string(),
  },
  returns: v.null(),
  handler: async (ctx, { jobId, run, after, ...kept }) => {
    const live = await liveJob(ctx, jobId);
    if (live?.job.retryCount === run) await letGo(ctx, live.job, kept, after, Date.now());
    return null;
  },
});

/**
 * Puts another stored object in one of a scene's fields, and keeps the one before. For operators
 * alone: whoever names an object that is not theirs could have it kept, or read.
 * @throws {ConvexError} `conflict` for an object of another owner
 */
export const replaceAsset = operatorMutation({
  args: { sceneId: v.id("scenes"), field: oneOf(SCENE_ASSETS), object: storedObject },
  returns: v.null(),
  handler: async (ctx, { sceneId, field, object }) => {
    checkObject(object);
    const scene = await ctx.db.get("scenes", sceneId);
    const video = scene?.videoId && (await ctx.db.get("videos", scene.videoId));
    if (!scene || (video && video.deletingAt !== undefined)) {
      throw refuse("not_found", "There is no such scene.");
    }
    const known = await findReference(ctx, object.bucket, object.key);
    if (known && known.ownerId !== scene.ownerId) {
      throw refuse("conflict", "The object is another owner's.");
    }
    const { videoAsset, sourceCodeAsset, thumbnailAsset, subtitleAsset } = scene;
    const held = { videoAsset, sourceCodeAsset, thumbnailAsset, subtitleAsset };
    const others = Object.fromEntries(Object.entries(held).filter(([, asset]) => asset));
    await putSceneAssets(ctx, scene, { ...others, [field]: object }, Date.now());
    return null;
  },
});
