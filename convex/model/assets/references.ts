// Every stored object has one reference, and a reference is kept for its uses. The functions here
// are the only ones that write either, and they keep the sessions' totals in the same step.
import type { Infer } from "convex/values";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import type { ASSET_USERS, AssetType, asset } from "../../tables/assets.ts";
import { refuse } from "../access.ts";

export type Asset = Infer<typeof asset>;

/** What is known of an object; a legacy one may have no size and no checksum. */
export interface UsedObject {
  bucket: string;
  key: string;
  sizeBytes?: number | undefined;
  /** Lower-case hex. */
  sha256?: string | undefined;
  contentType?: string | undefined;
  type: AssetType;
  ownerId?: string | undefined;
  /** Of a reference that is made, or the least of one whose object changed. Default 1. */
  version?: number | undefined;
}

/** What keeps an object: a field of a scene, session or video. */
export interface AssetUser {
  kind: (typeof ASSET_USERS)[number];
  id: string;
  field: string;
  /** The session whose totals count the object. */
  sessionId?: Id<"videoSessions"> | undefined;
}

/** Sessions that one object may count in, so that their totals are kept in one step. */
const MAX_SESSIONS = 500;
/** Uses that are released in one step, unless told otherwise. */
export const RELEASE_STEP = 200;

export const findReference = (
  ctx: QueryCtx,
  bucket: string,
  key: string,
): Promise<Doc<"assetReferences"> | null> =>
  ctx.db
    .query("assetReferences")
    .withIndex("by_bucket_and_key", (q) => q.eq("bucket", bucket).eq("key", key))
    .unique();

export const findUse = (
  ctx: QueryCtx,
  { kind, id, field }: Pick<AssetUser, "kind" | "id" | "field">,
): Promise<Doc<"assetUses"> | null> =>
  ctx.db
    .query("assetUses")
    .withIndex("by_kind_and_id_and_field", (q) =>
      q.eq("kind", kind).eq("id", id).eq("field", field),
    )
    .unique();

/** Whether two descriptions of one key are of different bytes. What is not known differs from nothing. */
export const isOverwritten = (
  before: Pick<UsedObject, "sizeBytes" | "sha256">,
  after: Pick<UsedObject, "sizeBytes" | "sha256">,
): boolean =>
  (["sha256", "sizeBytes"] as const).some(
    (field) =>
      before[field] !== undefined && after[field] !== undefined && before[field] !== after[field],
  );

const addToTotals = async (
  ctx: MutationCtx,
  sessionId: Id<"videoSessions"> | undefined,
  sizeBytes: number,
  count: number,
): Promise<void> => {
  const session = sessionId && (await ctx.db.get("videoSessions", sessionId));
  if (!session || (sizeBytes === 0 && count === 0)) return;
  await ctx.db.patch("videoSessions", session._id, {
    totalAssetSize: (session.totalAssetSize ?? 0) + sizeBytes,
    assetCount: (session.assetCount ?? 0) + count,
  });
};

const isUsedIn = async (
  ctx: QueryCtx,
  referenceId: Id<"assetReferences">,
  sessionId: Id<"videoSessions">,
): Promise<boolean> =>
  (await ctx.db
    .query("assetUses")
    .withIndex("by_reference_and_session", (q) =>
      q.eq("referenceId", referenceId).eq("sessionId", sessionId),
    )
    .first()) !== null;

export const isUsed = async (ctx: QueryCtx, referenceId: Id<"assetReferences">): Promise<boolean> =>
  (await ctx.db
    .query("assetUses")
    .withIndex("by_reference_and_session", (q) => q.eq("referenceId", referenceId))
    .first()) !== null;

/** The sessions that count an object, each read once, however many uses it has there. */
const sessionsOf = async (
  ctx: QueryCtx,
  referenceId: Id<"assetReferences">,
): Promise<Id<"videoSessions">[]> => {
  const found: Id<"videoSessions">[] = [];
  for (let last: Id<"videoSessions"> | undefined; ;) {
    const use = await ctx.db
      .query("assetUses")
      .withIndex("by_reference_and_session", (q) =>
        q.eq("referenceId", referenceId).gt("sessionId", last),
      )
      .first();
    if (use?.sessionId === undefined) return found;
    if (found.length >= MAX_SESSIONS) {
      throw refuse("conflict", `An object that ${MAX_SESSIONS} sessions use cannot change.`);
    }
    last = use.sessionId;
    found.push(last);
  }
};

/** Brings the reference of a known key up to what is said of the object now. */
const refresh = async (
  ctx: MutationCtx,
  reference: Doc<"assetReferences">,
  object: UsedObject,
  now: number,
): Promise<Doc<"assetReferences">> => {
  const overwritten = isOverwritten(reference, object);
  const kept: Partial<UsedObject> = overwritten ? {} : reference;
  const next = {
    ownerId: reference.ownerId ?? object.ownerId,
    sizeBytes: object.sizeBytes ?? kept.sizeBytes,
    sha256: object.sha256 ?? kept.sha256,
    contentType: object.contentType ?? kept.contentType,
    type: overwritten ? object.type : reference.type,
    version: overwritten ? Math.max(reference.version + 1, object.version ?? 1) : reference.version,
  };
  const fields = Object.keys(next) as (keyof typeof next)[];
  if (fields.every((field) => next[field] === reference[field])) return reference;
  await ctx.db.patch("assetReferences", reference._id, { ...next, updatedAt: now });
  const grown = (next.sizeBytes ?? 0) - (reference.sizeBytes ?? 0);
  if (grown !== 0) {
    for (const sessionId of await sessionsOf(ctx, reference._id)) {
      await addToTotals(ctx, sessionId, grown, 0);
    }
  }
  return { ...reference, ...next, updatedAt: now };
};

const create = async (
  ctx: MutationCtx,
  object: UsedObject,
  now: number,
): Promise<Doc<"assetReferences">> => {
  const { version = 1, ...said } = object;
  const id = await ctx.db.insert("assetReferences", {
    ...said,
    version,
    state: "active",
    createdAt: now,
    updatedAt: now,
  });
  const reference = await ctx.db.get("assetReferences", id);
  if (!reference) throw new Error("A reference that was just written is not there.");
  return reference;
};

/**
 * Says that a field holds this object, and returns the object's one reference: made for a key that
 * is new; with the new size, checksum and a higher version for one that was overwritten. What the
 * field held before is released. Said twice, nothing changes.
 * @param looked  the object's reference, by whoever has looked for it in this transaction
 */
export const useAsset = async (
  ctx: MutationCtx,
  object: UsedObject,
  user: AssetUser,
  now: number,
  looked?: Doc<"assetReferences"> | null,
): Promise<Doc<"assetReferences">> => {
  const known = looked === undefined ? await findReference(ctx, object.bucket, object.key) : looked;
  const reference = known ? await refresh(ctx, known, object, now) : await create(ctx, object, now);
  const referenceId = reference._id;
  const { kind, id, field, sessionId } = user;
  const earlier = await findUse(ctx, user);
  if (earlier?.referenceId === referenceId && earlier.sessionId === sessionId) return reference;
  const isCounted =
    known !== null && sessionId !== undefined && (await isUsedIn(ctx, referenceId, sessionId));
  await ctx.db.insert("assetUses", {
    referenceId,
    kind,
    id,
    field,
    ...(sessionId === undefined ? {} : { sessionId }),
  });
  if (!isCounted) await addToTotals(ctx, sessionId, reference.sizeBytes ?? 0, 1);
  if (earlier) await releaseUse(ctx, earlier, now);
  if (reference.state === "active") return reference;
  const active = { state: "active" as const, releasedAt: undefined, updatedAt: now };
  await ctx.db.patch("assetReferences", referenceId, active);
  return { ...reference, ...active };
};

/** Takes a use away; a reference that has no other is `released`, and may be collected. */
export const releaseUse = async (
  ctx: MutationCtx,
  use: Doc<"assetUses">,
  now: number,
): Promise<void> => {
  const { referenceId, sessionId } = use;
  await ctx.db.delete("assetUses", use._id);
  const reference = await ctx.db.get("assetReferences", referenceId);
  if (!reference) return;
  if (sessionId !== undefined && !(await isUsedIn(ctx, referenceId, sessionId))) {
    await addToTotals(ctx, sessionId, -(reference.sizeBytes ?? 0), -1);
  }
  if (await isUsed(ctx, referenceId)) return;
  await ctx.db.patch("assetReferences", referenceId, {
    state: "released",
    releasedAt: now,
    updatedAt: now,
  });
};

/**
 * Takes away what a scene, session or video uses, a step at a time.
 * @param limit  uses at the most in this step
 * @returns how many went, and whether there are more
 */
export const releaseUser = async (
  ctx: MutationCtx,
  { kind, id }: Pick<AssetUser, "kind" | "id">,
  now: number,
  limit: number = RELEASE_STEP,
): Promise<{ released: number; more: boolean }> => {
  const uses = await ctx.db
    .query("assetUses")
    .withIndex("by_kind_and_id_and_field", (q) => q.eq("kind", kind).eq("id", id))
    .take(limit + 1);
  const gone = uses.slice(0, limit);
  for (const use of gone) await releaseUse(ctx, use, now);
  return { released: gone.length, more: uses.length > gone.length };
};

/** A reference as a scene or session shows it. */
export const assetOf = (
  { _id, bucket, key, sizeBytes, sha256, contentType }: Doc<"assetReferences">,
  shown: Pick<Asset, "version" | "url" | "uploadedAt">,
): Asset => ({
  bucket,
  key,
  ...(sizeBytes === undefined ? {} : { sizeBytes }),
  ...(sha256 === undefined ? {} : { sha256 }),
  ...(contentType === undefined ? {} : { contentType }),
  ...shown,
  referenceId: _id,
});
