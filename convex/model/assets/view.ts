// Scenes and sessions as people see them: their owner and admins, and nobody else.
import { type Infer, v } from "convex/values";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { scenes, videoSessions } from "../../tables/assets.ts";
import { type Person, owns, refuse } from "../access.ts";

const { previousAssetVersions, ...listedFields } = scenes.validator.fields;

/** Where a clip's video is: a stored object, or a legacy address. */
const sceneVideo = v.union(
  v.object({
    kind: v.literal("asset"),
    bucket: v.string(),
    key: v.string(),
    contentType: v.optional(v.string()),
    sizeBytes: v.optional(v.number()),
    url: v.optional(v.string()),
  }),
  v.object({ kind: v.literal("legacy"), key: v.optional(v.string()), url: v.optional(v.string()) }),
  v.null(),
);

const row = { _creationTime: v.number(), video: sceneVideo };
/** A scene in a list, without its earlier versions, which may be large. */
export const sceneEntry = v.object({ ...listedFields, ...row, _id: v.id("scenes") });
export const sceneView = v.object({
  ...listedFields,
  previousAssetVersions,
  ...row,
  _id: v.id("scenes"),
});
export const sessionView = v.object({
  ...videoSessions.validator.fields,
  _id: v.id("videoSessions"),
  _creationTime: v.number(),
});

/** An address that a page may show; a legacy row could hold anything. */
const webAddress = (url: string | undefined): { url?: string } =>
  url !== undefined && /^https?:\/\//i.test(url) && URL.canParse(url) ? { url } : {};

/** The clip's video, from its asset or else from the legacy fields; null where it has neither. */
export const videoOf = ({
  videoAsset,
  s3ChunkKey,
  s3ChunkUrl,
}: Pick<Doc<"scenes">, "videoAsset" | "s3ChunkKey" | "s3ChunkUrl">): Infer<typeof sceneVideo> => {
  if (videoAsset) {
    const { bucket, key, contentType, sizeBytes, url } = videoAsset;
    return {
      kind: "asset",
      bucket,
      key,
      ...(contentType === undefined ? {} : { contentType }),
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...webAddress(url ?? s3ChunkUrl),
    };
  }
  const legacy = { ...(s3ChunkKey ? { key: s3ChunkKey } : {}), ...webAddress(s3ChunkUrl) };
  return Object.keys(legacy).length === 0 ? null : { kind: "legacy", ...legacy };
};

export const sceneViewOf = (scene: Doc<"scenes">): Infer<typeof sceneView> => ({
  ...scene,
  video: videoOf(scene),
});

export const sceneEntryOf = (scene: Doc<"scenes">): Infer<typeof sceneEntry> => {
  const { previousAssetVersions: _, ...listed } = scene;
  return { ...listed, video: videoOf(scene) };
};

/** Whether a row is this person's to see: by its own owner, or, where it has none, its video's. */
const isOwn = async (
  ctx: QueryCtx,
  person: Person,
  { ownerId, videoId }: { ownerId?: string | undefined; videoId?: Id<"videos"> | undefined },
): Promise<boolean> => {
  const video = videoId && (await ctx.db.get("videos", videoId));
  if (video && video.deletingAt !== undefined) return false;
  return owns(person, ownerId ?? video?.ownerId);
};

/** @throws {ConvexError} `not_found`, also for somebody else's, or of a video that is being deleted */
export const ownSession = async (
  ctx: QueryCtx,
  person: Person,
  sessionId: Id<"videoSessions">,
): Promise<Doc<"videoSessions">> => {
  const session = await ctx.db.get("videoSessions", sessionId);
  if (!session || !(await isOwn(ctx, person, session))) {
    throw refuse("not_found", "There is no such session.");
  }
  return session;
};

/** @throws {ConvexError} as `ownSession`; a legacy scene may have its owner by its session alone */
export const ownScene = async (
  ctx: QueryCtx,
  person: Person,
  sceneId: Id<"scenes">,
): Promise<Doc<"scenes">> => {
  const scene = await ctx.db.get("scenes", sceneId);
  const session = scene?.sessionId && (await ctx.db.get("videoSessions", scene.sessionId));
  const whose = {
    ownerId: scene?.ownerId ?? session?.ownerId,
    videoId: scene?.videoId ?? session?.videoId,
  };
  if (!scene || !(await isOwn(ctx, person, whose))) {
    throw refuse("not_found", "There is no such scene.");
  }
  return scene;
};
