// Migration 001, row by row: reading what a plan needs, and carrying it out.
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { SCENE_ASSETS, SESSION_ASSETS, TYPE_OF_FIELD } from "../../tables/assets.ts";
import { type Asset, assetOf, findReference, useAsset } from "../assets/references.ts";
import { legacyAssetBucket } from "../env.ts";
import { type AssetField, type MigratedTable, type Plan, planScene, planSession } from "./plan.ts";

/** By its table, so that each has its own fields. */
export type Row =
  | { table: "scenes"; doc: Doc<"scenes"> }
  | { table: "videoSessions"; doc: Doc<"videoSessions"> };

/** A row without references that are gone, as after a rollback that removed the table of them. */
const withoutLost = async <D extends Partial<Record<AssetField, Asset>>>(
  ctx: QueryCtx,
  doc: D,
  fields: readonly AssetField[],
): Promise<D> => {
  const kept = { ...doc };
  for (const field of fields) {
    const { referenceId, ...asset } = doc[field] ?? {};
    if (referenceId === undefined || (await ctx.db.get("assetReferences", referenceId))) continue;
    Object.assign(kept, { [field]: asset });
  }
  return kept;
};

/** Totals that nothing is counted in any more begin anew. */
const withoutLostTotals = async (
  ctx: QueryCtx,
  session: Doc<"videoSessions">,
): Promise<Doc<"videoSessions">> => {
  if (!session.assetCount) return session;
  const use = await ctx.db
    .query("assetUses")
    .withIndex("by_session", (q) => q.eq("sessionId", session._id))
    .first();
  if (use) return session;
  const { assetCount: _count, totalAssetSize: _size, ...rest } = session;
  return rest;
};

export const planRow = async (ctx: QueryCtx, row: Row): Promise<Plan> => {
  if (row.table === "videoSessions") {
    const counted = await withoutLostTotals(ctx, row.doc);
    const session = await withoutLost(ctx, counted, SESSION_ASSETS);
    return planSession(session, legacyAssetBucket());
  }
  const doc = await withoutLost(ctx, row.doc, SCENE_ASSETS);
  const session = doc.sessionId ? await ctx.db.get("videoSessions", doc.sessionId) : null;
  return planScene(doc, session, legacyAssetBucket());
};

/** A row by the name that an error has of it; null where it is gone, or the name is none. */
export const findRow = async (
  ctx: QueryCtx,
  table: MigratedTable,
  rowId: string,
): Promise<Row | null> => {
  if (table === "scenes") {
    const id = ctx.db.normalizeId("scenes", rowId);
    const doc = id && (await ctx.db.get("scenes", id));
    return doc && { table, doc };
  }
  const id = ctx.db.normalizeId("videoSessions", rowId);
  const doc = id && (await ctx.db.get("videoSessions", id));
  return doc && { table, doc };
};

const patchRow = async (
  ctx: MutationCtx,
  { table, doc }: Row,
  fields: Partial<Doc<"scenes">> & Partial<Doc<"videoSessions">>,
): Promise<void> => {
  if (Object.keys(fields).length === 0) return;
  if (table === "scenes") await ctx.db.patch("scenes", doc._id, fields);
  else await ctx.db.patch("videoSessions", doc._id, fields);
};

/** @returns how many references it made */
const carryOut = async (
  ctx: MutationCtx,
  row: Row,
  plan: Extract<Plan, { kind: "migrate" }>,
  now: number,
): Promise<number> => {
  // Before the references: those add to a session's totals, which begin here.
  await patchRow(ctx, row, plan.fields);
  const shown: Partial<Record<AssetField, Asset>> = {};
  let made = 0;
  for (const { field, asset } of plan.assets) {
    const { bucket, key, sizeBytes, sha256, contentType, version } = asset;
    const known = await findReference(ctx, bucket, key);
    if (!known) made += 1;
    const reference = await useAsset(
      ctx,
      {
        bucket,
        key,
        sizeBytes,
        sha256,
        contentType,
        version,
        type: TYPE_OF_FIELD[field],
        ownerId: plan.ownerId,
      },
      {
        kind: row.table === "scenes" ? "scene" : "videoSession",
        id: row.doc._id,
        field,
        sessionId: plan.sessionId,
      },
      now,
      known,
    );
    shown[field] = { ...assetOf(reference, { version }), ...asset, referenceId: reference._id };
  }
  await patchRow(ctx, row, shown);
  return made;
};

export interface Done {
  changed: number;
  references: number;
  damaged: { rowId: string; message: string }[];
}

/** Migrates rows that were seen a moment ago; one that is gone meanwhile is left out. */
export const migrateRows = async (
  ctx: MutationCtx,
  table: MigratedTable,
  rowIds: readonly string[],
  now: number,
): Promise<Done> => {
  const done: Done = { changed: 0, references: 0, damaged: [] };
  for (const rowId of rowIds) {
    const row = await findRow(ctx, table, rowId);
    if (!row) continue;
    const plan = await planRow(ctx, row);
    if (plan.kind === "damaged") done.damaged.push({ rowId, message: plan.message });
    if (plan.kind !== "migrate") continue;
    done.references += await carryOut(ctx, row, plan, now);
    done.changed += 1;
  }
  return done;
};

/** What a run would do with rows, told by the same plans; an object may be named twice. */
export const previewRows = async (
  ctx: QueryCtx,
  rows: readonly Row[],
): Promise<Omit<Done, "references"> & { objects: string[] }> => {
  const done = { changed: 0, damaged: [] as Done["damaged"], objects: [] as string[] };
  for (const row of rows) {
    const plan = await planRow(ctx, row);
    if (plan.kind === "damaged") done.damaged.push({ rowId: row.doc._id, message: plan.message });
    if (plan.kind !== "migrate") continue;
    done.changed += 1;
    for (const { asset } of plan.assets) {
      const { bucket, key } = asset;
      if (!(await findReference(ctx, bucket, key))) done.objects.push(`${bucket}/${key}`);
    }
  }
  return done;
};
