// What the pipeline stored for people, and what it is kept for. Objects of the cache under `stages/`
// are the bucket's own: they expire by its lifecycle rule and have no rows here.
import { defineTable } from "convex/server";
import { v } from "convex/values";
import { oneOf } from "../model/contract.ts";

export const ASSETS_STATUSES = ["pending", "uploading", "ready", "failed"] as const;
export const ASSET_TYPES = [
  "video",
  "source_code",
  "thumbnail",
  "subtitle",
  "combined_video",
  "combined_subtitle",
  "manifest",
  "output",
  "upload",
] as const;
export type AssetType = (typeof ASSET_TYPES)[number];

/** A stored object as a scene or session shows it. */
export const asset = v.object({
  bucket: v.string(),
  key: v.string(),
  sizeBytes: v.optional(v.number()),
  /** Lower-case hex. */
  sha256: v.optional(v.string()),
  contentType: v.optional(v.string()),
  /** From 1; one more each time it is replaced. */
  version: v.number(),
  /** The legacy address, where that is all there is. */
  url: v.optional(v.string()),
  uploadedAt: v.optional(v.number()),
  referenceId: v.optional(v.id("assetReferences")),
});

const sceneAssets = {
  videoAsset: v.optional(asset),
  sourceCodeAsset: v.optional(asset),
  thumbnailAsset: v.optional(asset),
  subtitleAsset: v.optional(asset),
};
export const SCENE_ASSETS = [
  "videoAsset",
  "sourceCodeAsset",
  "thumbnailAsset",
  "subtitleAsset",
] as const;
export type SceneField = (typeof SCENE_ASSETS)[number];
export const SESSION_ASSETS = [
  "combinedVideoAsset",
  "combinedSubtitleAsset",
  "manifestAsset",
] as const;
export type SessionField = (typeof SESSION_ASSETS)[number];

/** A field's name says what the object in it is. */
export const TYPE_OF_FIELD: Record<SceneField | SessionField, AssetType> = {
  videoAsset: "video",
  sourceCodeAsset: "source_code",
  thumbnailAsset: "thumbnail",
  subtitleAsset: "subtitle",
  combinedVideoAsset: "combined_video",
  combinedSubtitleAsset: "combined_subtitle",
  manifestAsset: "manifest",
};

/**
 * A rendered clip; its source code is the recipe it was rendered from.
 * Written by assets.ts for the pipeline, and by migration 001; read by its owner; deleted with the
 * video.
 */
export const scenes = defineTable({
  sessionId: v.optional(v.id("videoSessions")),
  videoId: v.optional(v.id("videos")),
  ownerId: v.optional(v.string()),
  jobId: v.optional(v.string()),
  /** The clip's number in its job, from 0. */
  index: v.optional(v.number()),
  title: v.optional(v.string()),
  startSec: v.optional(v.number()),
  endSec: v.optional(v.number()),
  /** Of the highlight it shows: its place from 1, and its score. */
  rank: v.optional(v.number()),
  score: v.optional(v.number()),
  /** Legacy: where the clip was before it had an asset. */
  s3ChunkKey: v.optional(v.string()),
  s3ChunkUrl: v.optional(v.string()),
  ...sceneAssets,
  assetsStatus: v.optional(oneOf(ASSETS_STATUSES)),
  assetsErrorMessage: v.optional(v.string()),
  /** The job's `retryCount` when the status last changed: a later run may take it back. */
  run: v.optional(v.number()),
  assetVersion: v.optional(v.number()),
  /** Newest last, of a limited number. */
  previousAssetVersions: v.optional(
    v.array(v.object({ version: v.number(), replacedAt: v.number(), ...sceneAssets })),
  ),
  createdAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
})
  .index("by_session_and_index", ["sessionId", "index"])
  .index("by_video", ["videoId"])
  .index("by_job_and_index", ["jobId", "index"]);

/**
 * A job's reel and manifest, over its scenes.
 * Written by assets.ts for the pipeline, and by migration 001; read by its owner; deleted with the
 * video.
 */
export const videoSessions = defineTable({
  videoId: v.optional(v.id("videos")),
  ownerId: v.optional(v.string()),
  jobId: v.optional(v.string()),
  title: v.optional(v.string()),
  /** Legacy: where the combined video was before it had an asset. */
  s3ChunkKey: v.optional(v.string()),
  s3ChunkUrl: v.optional(v.string()),
  combinedVideoAsset: v.optional(asset),
  combinedSubtitleAsset: v.optional(asset),
  manifestAsset: v.optional(asset),
  /** Bytes and number of what the session and its scenes use, kept by the mutations that add it. */
  totalAssetSize: v.optional(v.number()),
  assetCount: v.optional(v.number()),
  assetsStatus: v.optional(oneOf(ASSETS_STATUSES)),
  assetsErrorMessage: v.optional(v.string()),
  /** As a scene's. */
  run: v.optional(v.number()),
  createdAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
})
  .index("by_video", ["videoId"])
  .index("by_job", ["jobId"]);

/**
 * A stored object: one row for each bucket and key.
 * Written by model/assets/; read by its owner and the collector; deleted by the collector, once
 * nothing uses it and the object is gone.
 */
export const assetReferences = defineTable({
  ownerId: v.optional(v.string()),
  bucket: v.string(),
  key: v.string(),
  sizeBytes: v.optional(v.number()),
  /** Lower-case hex. */
  sha256: v.optional(v.string()),
  contentType: v.optional(v.string()),
  type: oneOf(ASSET_TYPES),
  version: v.number(),
  /** `released`: used by nothing any more. */
  state: oneOf(["active", "released"]),
  releasedAt: v.optional(v.number()),
  createdAt: v.number(),
  updatedAt: v.number(),
}).index("by_bucket_and_key", ["bucket", "key"]);

export const ASSET_USERS = ["scene", "videoSession", "video"] as const;

/**
 * What an object is kept for: one row for each thing that uses it and the field it is in.
 * Written and deleted by model/assets/; read by `why is this kept` and the collector.
 */
export const assetUses = defineTable({
  referenceId: v.id("assetReferences"),
  kind: oneOf(ASSET_USERS),
  /** Of the scene, session or video. */
  id: v.string(),
  /**
   * The field: `videoAsset`; `videoAsset@3` for what was there until version 3 was replaced; for a
   * video's outputs, job and name; for what was uploaded for it, the key.
   */
  field: v.string(),
  /** The session whose totals count it, where there is one. */
  sessionId: v.optional(v.id("videoSessions")),
})
  .index("by_reference_and_session", ["referenceId", "sessionId"])
  .index("by_kind_and_id_and_field", ["kind", "id", "field"])
  .index("by_session", ["sessionId"]);

/** Whose rows migration 001 fills in, in this order: scenes ask for their sessions. */
export const MIGRATED_TABLES = ["videoSessions", "scenes"] as const;

/**
 * What a migration could not do, by row; the row is left as it was.
 * Written by migrations.ts; read by whoever runs the migration; deleted by the next run over the row.
 */
export const migrationErrors = defineTable({
  migration: v.string(),
  table: oneOf(MIGRATED_TABLES),
  rowId: v.string(),
  message: v.string(),
  at: v.number(),
}).index("by_migration_and_row", ["migration", "rowId"]);

export const MIGRATION_STATES = ["running", "completed", "canceled", "failed"] as const;
/** What a run goes through: the rows, then what was recorded of them. */
export const MIGRATION_PHASES = [...MIGRATED_TABLES, "migrationErrors"] as const;

/**
 * What a migration did, added up over its batches. One row a run; the newest is the one that counts.
 * Written by migrations.ts; read by whoever runs the migration; deleted by nobody.
 */
export const migrationRuns = defineTable({
  migration: v.string(),
  state: oneOf(MIGRATION_STATES),
  phase: oneOf(MIGRATION_PHASES),
  /** Whether the phase's first batch ran: from then on the component knows where to go on. */
  begun: v.boolean(),
  batchSize: v.number(),
  /** The next batch, while it runs. */
  workerId: v.optional(v.id("_scheduled_functions")),
  error: v.optional(v.string()),
  startedAt: v.number(),
  steppedAt: v.number(),
  finishedAt: v.optional(v.number()),
  /** Milliseconds it was at work, without the time between a stop and its going on. */
  workedMs: v.number(),
  /** Rows looked at. */
  processed: v.number(),
  /** Rows that it changed, references that it made, rows that it could not do. */
  scenes: v.number(),
  sessions: v.number(),
  references: v.number(),
  errors: v.number(),
}).index("by_migration", ["migration"]);
