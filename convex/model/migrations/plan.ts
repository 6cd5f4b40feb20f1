// What migration 001 would do with one row: pure, so that the dry run, the run and the verification
// all go by the same. A row is done when nothing is left to fill in.
import type { Doc, Id } from "../../_generated/dataModel.js";
import {
  type MIGRATED_TABLES,
  SCENE_ASSETS,
  SESSION_ASSETS,
  type SceneField,
  type SessionField,
} from "../../tables/assets.ts";
import { isBucket, keyProblem } from "../assets/name.ts";
import type { Asset } from "../assets/references.ts";
import { locate } from "./location.ts";

export type MigratedTable = (typeof MIGRATED_TABLES)[number];
export type AssetField = SceneField | SessionField;

export type Fields = Partial<
  Pick<
    Doc<"scenes"> & Doc<"videoSessions">,
    "assetsStatus" | "assetVersion" | "previousAssetVersions" | "totalAssetSize" | "assetCount"
  >
>;

export type Plan =
  | { kind: "done" }
  | { kind: "damaged"; message: string }
  | {
      kind: "migrate";
      /** Defaults for what the row lacks. */
      fields: Fields;
      /** What needs a reference: the legacy object, and assets that have none. */
      assets: { field: AssetField; asset: Asset }[];
      ownerId: string | undefined;
      sessionId: Id<"videoSessions"> | undefined;
    };

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isVersion = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

const damaged = (message: string): Plan => ({ kind: "damaged", message });

const assetProblem = (field: string, asset: Asset): string | null => {
  if (!isBucket(asset.bucket)) return `${field}: its bucket is no name of a bucket.`;
  const problem = keyProblem(asset.key);
  if (problem !== null) return `${field}: ${problem}`;
  if (!isVersion(asset.version)) return `${field}: its version is ${asset.version}.`;
  return asset.sizeBytes === undefined || isCount(asset.sizeBytes)
    ? null
    : `${field}: its size is ${asset.sizeBytes} bytes.`;
};

interface Assets {
  /** Those that need a reference. */
  pending: { field: AssetField; asset: Asset }[];
  /** Whether the main one is there, or will be. */
  hasMain: boolean;
}

/** @param main  the field that the legacy object goes to, where it is empty */
const planAssets = (
  row: Partial<Record<AssetField, Asset>> & { s3ChunkKey?: string; s3ChunkUrl?: string },
  fields: readonly AssetField[],
  main: AssetField,
  defaultBucket: string | undefined,
): Assets | { problem: string } => {
  const pending: Assets["pending"] = [];
  for (const field of fields) {
    const asset = row[field];
    if (!asset) continue;
    const problem = assetProblem(field, asset);
    if (problem !== null) return { problem };
    if (asset.referenceId === undefined) pending.push({ field, asset });
  }
  // Once it has an asset, the legacy fields only say where the first version was.
  if (row[main]) return { pending, hasMain: true };
  const located = locate(row, defaultBucket);
  if (!located) return { pending, hasMain: false };
  if (!located.ok) return { problem: located.message };
  pending.push({ field: main, asset: { ...located.location, version: 1 } });
  return { pending, hasMain: true };
};

const planOf = (
  fields: Fields,
  { pending }: Assets,
  owner: Pick<Extract<Plan, { kind: "migrate" }>, "ownerId" | "sessionId">,
): Plan =>
  Object.keys(fields).length === 0 && pending.length === 0
    ? { kind: "done" }
    : { kind: "migrate", fields, assets: pending, ...owner };

const timesProblem = ({ startSec, endSec }: Doc<"scenes">): string | null => {
  const isTime = (value: number | undefined) =>
    value === undefined || (Number.isFinite(value) && value >= 0);
  if (!isTime(startSec) || !isTime(endSec) || (startSec ?? 0) > (endSec ?? Infinity)) {
    return `It goes from ${startSec ?? 0} to ${endSec ?? "its end"} s, which cannot be.`;
  }
  return null;
};

/**
 * @param session  the row that `sessionId` names; null where it is not there
 * @param defaultBucket  `LEGACY_ASSET_BUCKET`
 */
export const planScene = (
  scene: Doc<"scenes">,
  session: Doc<"videoSessions"> | null,
  defaultBucket: string | undefined,
): Plan => {
  if (scene.sessionId !== undefined && !session) {
    return damaged(`Its session ${scene.sessionId} is not there.`);
  }
  const owners = [scene.ownerId, session?.ownerId].filter((id) => id !== undefined);
  if (new Set(owners).size > 1) return damaged("Its session is somebody else's.");
  const times = timesProblem(scene);
  if (times !== null) return damaged(times);
  // 0 is a scene of the pipeline's that nothing was stored for yet.
  if (scene.assetVersion !== undefined && !isCount(scene.assetVersion)) {
    return damaged(`Its assetVersion is ${scene.assetVersion}.`);
  }
  const assets = planAssets(scene, SCENE_ASSETS, "videoAsset", defaultBucket);
  if ("problem" in assets) return damaged(assets.problem);
  const fields: Fields = {
    ...(scene.assetsStatus ? {} : { assetsStatus: assets.hasMain ? "ready" : "pending" }),
    ...(scene.assetVersion === undefined ? { assetVersion: scene.videoAsset?.version ?? 1 } : {}),
    ...(scene.previousAssetVersions ? {} : { previousAssetVersions: [] }),
  };
  return planOf(fields, assets, { ownerId: owners[0], sessionId: scene.sessionId });
};

/** Totals are only begun here; the mutations that use assets keep them. */
export const planSession = (
  session: Doc<"videoSessions">,
  defaultBucket: string | undefined,
): Plan => {
  for (const name of ["totalAssetSize", "assetCount"] as const) {
    const value = session[name];
    if (value !== undefined && !isCount(value)) return damaged(`Its ${name} is ${value}.`);
  }
  const assets = planAssets(session, SESSION_ASSETS, "combinedVideoAsset", defaultBucket);
  if ("problem" in assets) return damaged(assets.problem);
  const fields: Fields = {
    ...(session.assetsStatus ? {} : { assetsStatus: assets.hasMain ? "ready" : "pending" }),
    ...(session.totalAssetSize === undefined ? { totalAssetSize: 0 } : {}),
    ...(session.assetCount === undefined ? { assetCount: 0 } : {}),
  };
  return planOf(fields, assets, { ownerId: session.ownerId, sessionId: session._id });
};
