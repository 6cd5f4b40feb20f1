// What the document has verified after migration 001: the new fields are there, references exist and
// totals agree with them, and the legacy fields still say where the object is. Reads only.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { SCENE_ASSETS, SESSION_ASSETS } from "../../tables/assets.ts";
import { type Asset, findUse, isUsed } from "../assets/references.ts";
import { legacyAssetBucket } from "../env.ts";
import { locate } from "./location.ts";
import type { AssetField } from "./plan.ts";
import { type Row, planRow } from "./rows.ts";

export const VERIFIED_TABLES = ["videoSessions", "scenes", "assetReferences"] as const;
export type VerifiedTable = (typeof VERIFIED_TABLES)[number];
export const CHECKS = ["fields", "references", "totals", "legacy"] as const;
export type Check = (typeof CHECKS)[number];

export interface Finding {
  rowId: string;
  check: Check;
  message: string;
}
export interface Verified {
  rows: number;
  /** Rows that have legacy fields. */
  legacy: number;
  /** Assets that were found with their reference. */
  assets: number;
  findings: Finding[];
  /** Rows that no run can migrate before somebody mends them. */
  damaged: { rowId: string; message: string }[];
}

/** A session's uses that are added up; their references are read one by one. */
const MAX_USES = 900;

/** So many rows of a table in one page, by what one row makes it read. */
const VERIFY_PAGE: Record<VerifiedTable, number> = {
  videoSessions: 4,
  scenes: 100,
  assetReferences: 200,
};

const referenceProblem = async (
  ctx: QueryCtx,
  { table, doc }: Row,
  field: AssetField,
  asset: Asset,
): Promise<string | null> => {
  const reference = asset.referenceId && (await ctx.db.get("assetReferences", asset.referenceId));
  if (!reference) return `${field} has no reference.`;
  if (reference.bucket !== asset.bucket || reference.key !== asset.key) {
    return `${field}: its reference is of another object.`;
  }
  if (reference.state !== "active") return `${field}: its reference is released.`;
  const kind = table === "scenes" ? "scene" : "videoSession";
  const use = await findUse(ctx, { kind, id: doc._id, field });
  return use?.referenceId === reference._id ? null : `${field}: nothing says that this uses it.`;
};

const totalsProblem = async (
  ctx: QueryCtx,
  session: Doc<"videoSessions">,
): Promise<string | null> => {
  const uses = await ctx.db
    .query("assetUses")
    .withIndex("by_session", (q) => q.eq("sessionId", session._id))
    .take(MAX_USES + 1);
  if (uses.length > MAX_USES) return `It has over ${MAX_USES} assets, too many to add up at once.`;
  const ids = new Set<Id<"assetReferences">>(uses.map(({ referenceId }) => referenceId));
  let [count, sizeBytes] = [0, 0];
  for (const id of ids) {
    const reference = await ctx.db.get("assetReferences", id);
    if (!reference) continue;
    count += 1;
    sizeBytes += reference.sizeBytes ?? 0;
  }
  const { assetCount, totalAssetSize } = session;
  return assetCount === count && totalAssetSize === sizeBytes
    ? null
    : `It counts ${assetCount} assets of ${totalAssetSize} bytes; its references are ${count} of ${sizeBytes}.`;
};

/** The legacy fields still name the object that the first version came from. */
const legacyProblem = (
  row: { s3ChunkKey?: string; s3ChunkUrl?: string },
  main: Asset | undefined,
): string | null => {
  // Replaced since, it is another object.
  if (!main || main.version > 1) return null;
  if (main.url !== undefined && row.s3ChunkUrl === undefined && row.s3ChunkKey === undefined) {
    return "Its legacy fields are gone.";
  }
  const located = locate(row, legacyAssetBucket() ?? main.bucket);
  if (!located) return null;
  return located.ok && located.location.key === main.key
    ? null
    : "Its legacy fields name another object than its asset.";
};

const verifyRow = async (ctx: QueryCtx, row: Row, found: Verified): Promise<void> => {
  const { table, doc } = row;
  const rowId = doc._id;
  found.rows += 1;
  if (doc.s3ChunkKey !== undefined || doc.s3ChunkUrl !== undefined) found.legacy += 1;
  const plan = await planRow(ctx, row);
  if (plan.kind === "damaged") {
    found.damaged.push({ rowId, message: plan.message });
    return;
  }
  const report = (check: Check, message: string | null): void => {
    if (message !== null) found.findings.push({ rowId, check, message });
  };
  if (plan.kind === "migrate") {
    const lacks = [...Object.keys(plan.fields), ...plan.assets.map(({ field }) => field)];
    report("fields", `It is not migrated: ${lacks.join(", ")}.`);
    return;
  }
  const assets: Partial<Record<AssetField, Asset>> = doc;
  for (const field of table === "scenes" ? SCENE_ASSETS : SESSION_ASSETS) {
    const asset = assets[field];
    if (!asset) continue;
    const problem = await referenceProblem(ctx, row, field, asset);
    if (problem === null) found.assets += 1;
    report("references", problem);
  }
  const main = table === "scenes" ? doc.videoAsset : doc.combinedVideoAsset;
  report("legacy", legacyProblem(doc, main));
  if (table === "videoSessions") report("totals", await totalsProblem(ctx, doc));
};

const verifyReference = async (
  ctx: QueryCtx,
  reference: Doc<"assetReferences">,
  found: Verified,
): Promise<void> => {
  found.rows += 1;
  const used = await isUsed(ctx, reference._id);
  if (used === (reference.state === "active")) return;
  const message = used ? "It is released, but used." : "It is active, but nothing uses it.";
  found.findings.push({ rowId: reference._id, check: "references", message });
};

/** A page of a table, as far as it was read. */
export const verifyPage = async (
  ctx: QueryCtx,
  table: VerifiedTable,
  cursor: string | null,
): Promise<Verified & { continueCursor: string; isDone: boolean }> => {
  const { page, continueCursor, isDone } = await ctx.db
    .query(table)
    .paginate({ cursor, numItems: VERIFY_PAGE[table] });
  const found: Verified = { rows: 0, legacy: 0, assets: 0, findings: [], damaged: [] };
  for (const doc of page) {
    if (table === "assetReferences") {
      await verifyReference(ctx, doc as Doc<"assetReferences">, found);
    } else {
      const row = { table, doc } as Row;
      await verifyRow(ctx, row, found);
    }
  }
  return { ...found, continueCursor, isDone };
};
