// What the fields of a scene and of a session hold, and what they held before.
import { v } from "convex/values";
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import {
  SCENE_ASSETS,
  SESSION_ASSETS,
  type SceneField,
  type SessionField,
  TYPE_OF_FIELD,
} from "../../tables/assets.ts";
import { storedObject } from "./object.ts";
import {
  type Asset,
  type UsedObject,
  assetOf,
  findUse,
  isOverwritten,
  releaseUse,
  useAsset,
} from "./references.ts";

export const sceneObjects = v.object({
  videoAsset: storedObject,
  sourceCodeAsset: storedObject,
  thumbnailAsset: storedObject,
  subtitleAsset: v.optional(storedObject),
});
export const sessionObjects = v.object({
  combinedVideoAsset: v.optional(storedObject),
  combinedSubtitleAsset: v.optional(storedObject),
  manifestAsset: storedObject,
});

/** A legacy object may have an address alone, and no measures. */
export type HeldObject = Pick<
  UsedObject,
  "bucket" | "key" | "sizeBytes" | "sha256" | "contentType"
> &
  Pick<Asset, "url" | "uploadedAt">;

/** Earlier versions that a scene keeps. */
export const MAX_PREVIOUS_VERSIONS = 20;

const hasSameKey = (asset: Asset | undefined, object: HeldObject | undefined): boolean =>
  asset !== undefined && asset.bucket === object?.bucket && asset.key === object.key;

const isSame = (asset: Asset, object: HeldObject): boolean =>
  hasSameKey(asset, object) && !isOverwritten(asset, object);

/** Under which field's name an earlier version keeps its use. */
const keptField = (field: SceneField, version: number): string => `${field}@${version}`;

type Previous = NonNullable<Doc<"scenes">["previousAssetVersions"]>[number];

const lastVersion = (scene: Doc<"scenes">, field: SceneField): number =>
  scene[field]?.version ??
  scene.previousAssetVersions?.findLast((entry) => entry[field])?.[field]?.version ??
  0;

const owner = ({ ownerId }: { ownerId?: string | undefined }) =>
  ownerId === undefined ? {} : { ownerId };

/** Forgets the oldest of too many versions, and what they alone kept. */
const dropOldest = async (
  ctx: MutationCtx,
  scene: Doc<"scenes">,
  versions: Previous[],
  now: number,
): Promise<Previous[]> => {
  const surplus = Math.max(0, versions.length - MAX_PREVIOUS_VERSIONS);
  for (const entry of versions.slice(0, surplus)) {
    for (const field of SCENE_ASSETS) {
      const named = {
        kind: "scene",
        id: scene._id,
        field: keptField(field, entry.version),
      } as const;
      const use = entry[field] && (await findUse(ctx, named));
      if (use) await releaseUse(ctx, use, now);
    }
  }
  return versions.slice(surplus);
};

/**
 * Makes these the objects of a scene: all of them, so that a field that is not named is emptied.
 * What a field held is kept among the previous versions, together with its use; of an object that
 * was overwritten in its place only the record stays.
 * @returns false where the scene holds exactly these already
 */
export const putSceneAssets = async (
  ctx: MutationCtx,
  scene: Doc<"scenes">,
  objects: Partial<Record<SceneField, HeldObject>>,
  now: number,
): Promise<boolean> => {
  const changed = SCENE_ASSETS.filter((field) => {
    const was = scene[field];
    const object = objects[field];
    return was && object ? !isSame(was, object) : was !== object;
  });
  if (changed.length === 0) return false;
  const version = scene.assetVersion ?? 0;
  const user = { kind: "scene", id: scene._id, sessionId: scene.sessionId } as const;
  const retired: Partial<Record<SceneField, Asset>> = {};
  const held: Partial<Record<SceneField, Asset | undefined>> = {};
  for (const field of changed) {
    const was = scene[field];
    const object = objects[field];
    if (was) retired[field] = was;
    if (was && !hasSameKey(was, object)) {
      const use = await findUse(ctx, { ...user, field });
      if (use) await ctx.db.patch("assetUses", use._id, { field: keptField(field, version) });
    }
    held[field] =
      object &&
      (await hold(ctx, scene, { ...user, field }, object, lastVersion(scene, field), now));
  }
  const previous = scene.previousAssetVersions ?? [];
  await ctx.db.patch("scenes", scene._id, {
    ...held,
    assetVersion: version + 1,
    previousAssetVersions:
      Object.keys(retired).length === 0
        ? previous
        : await dropOldest(
            ctx,
            scene,
            [...previous, { version, replacedAt: now, ...retired }],
            now,
          ),
    updatedAt: now,
  });
  return true;
};

/** Uses an object for a field, and answers what the field shows of it. */
const hold = async (
  ctx: MutationCtx,
  row: { ownerId?: string | undefined },
  user: Parameters<typeof useAsset>[2] & { field: SceneField | SessionField },
  { url, uploadedAt, ...object }: HeldObject,
  version: number,
  now: number,
): Promise<Asset> => {
  const at = uploadedAt ?? now;
  const shown = { version: version + 1, uploadedAt: at, ...(url === undefined ? {} : { url }) };
  const said = { ...object, ...owner(row), type: TYPE_OF_FIELD[user.field], version: version + 1 };
  return assetOf(await useAsset(ctx, said, user, now), shown);
};

/**
 * Makes these the objects of a session: all of them, as with a scene. A session keeps no earlier
 * versions: what a field held is released.
 * @returns false where the session holds exactly these already
 */
export const putSessionAssets = async (
  ctx: MutationCtx,
  session: Doc<"videoSessions">,
  objects: Partial<Record<SessionField, HeldObject>>,
  now: number,
): Promise<boolean> => {
  const held: Partial<Record<SessionField, Asset | undefined>> = {};
  const user = { kind: "videoSession", id: session._id, sessionId: session._id } as const;
  for (const field of SESSION_ASSETS) {
    const was = session[field];
    const object = objects[field];
    if (was && object ? isSame(was, object) : was === object) continue;
    if (object) {
      const version = was?.version ?? 0;
      held[field] = await hold(ctx, session, { ...user, field }, object, version, now);
    } else {
      held[field] = undefined;
      const use = await findUse(ctx, { ...user, field });
      if (use) await releaseUse(ctx, use, now);
    }
  }
  if (Object.keys(held).length === 0) return false;
  await ctx.db.patch("videoSessions", session._id, { ...held, updatedAt: now });
  return true;
};
