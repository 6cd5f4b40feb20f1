// Stored objects: what is known of one and why it is kept, for its owner; and what the collector
// asks and forgets.
import { MAX_REFERENCES_PER_CALL } from "#shared/contract/assets.ts";
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { type Infer, v } from "convex/values";
import type { Doc } from "./_generated/dataModel.js";
import type { QueryCtx } from "./_generated/server.js";
import { type WithKnown, knownQuery, operatorMutation, operatorQuery } from "./functions.ts";
import { owns, refuse } from "./model/access.ts";
import { forgetReleased, keysBelow } from "./model/assets/collection.ts";
import { findReference } from "./model/assets/references.ts";
import { whyKept as explain, whyKeptAnswer } from "./model/assets/why.ts";
import { boundedPage } from "./model/listing.ts";
import { assetReferences } from "./tables/assets.ts";

const reference = v.object({
  ...assetReferences.validator.fields,
  _id: v.id("assetReferences"),
  _creationTime: v.number(),
});

/** An object is named by bucket and key, or by the id of its reference. */
const named = {
  bucket: v.optional(v.string()),
  key: v.optional(v.string()),
  referenceId: v.optional(v.id("assetReferences")),
};
const name = v.object(named);

const readable = async (
  ctx: QueryCtx & WithKnown,
  { bucket, key, referenceId }: Infer<typeof name>,
): Promise<Doc<"assetReferences">> => {
  const isPlace = bucket !== undefined && key !== undefined;
  if (isPlace === (referenceId !== undefined)) {
    throw refuse("invalid_request", "Name an object by `bucket` and `key`, or by `referenceId`.");
  }
  const found = referenceId
    ? await ctx.db.get("assetReferences", referenceId)
    : await findReference(ctx, bucket ?? "", key ?? "");
  if (!found || (ctx.caller.kind === "user" && !owns(ctx.caller, found.ownerId))) {
    throw refuse("not_found", "No such object is known.");
  }
  return found;
};

/** @throws {ConvexError} `not_found`, also for another's */
export const get = knownQuery({ args: named, returns: reference, handler: readable });

/**
 * What an object is kept for: each use, with what leads from it to courses, and the same in words.
 * @throws {ConvexError} `not_found`, also for another's
 */
export const whyKept = knownQuery({
  args: named,
  returns: whyKeptAnswer,
  handler: async (ctx, place) => explain(ctx, ctx.caller, await readable(ctx, place)),
});

/**
 * References to a bucket's objects whose keys begin with `prefix` (ASCII; default: all), in the order
 * of the keys' bytes, none before `from`.
 */
export const list = operatorQuery({
  args: {
    bucket: v.string(),
    prefix: v.optional(v.string()),
    from: v.optional(v.string()),
    paginationOpts: paginationOptsValidator,
  },
  returns: paginationResultValidator(reference),
  handler: (ctx, { bucket, prefix = "", from = "", paginationOpts }) =>
    keysBelow(ctx, bucket, prefix, from).paginate(boundedPage(paginationOpts)),
});

/** The references that there are to at most 100 objects, as they are now. */
export const lookup = operatorQuery({
  args: { bucket: v.string(), keys: v.array(v.string()) },
  returns: v.array(reference),
  handler: async (ctx, { bucket, keys }) => {
    if (keys.length > MAX_REFERENCES_PER_CALL) {
      throw refuse(
        "invalid_request",
        `At most ${MAX_REFERENCES_PER_CALL} objects are looked up at once.`,
      );
    }
    const found: Doc<"assetReferences">[] = [];
    for (const key of new Set(keys)) {
      const one = await findReference(ctx, bucket, key);
      if (one) found.push(one);
    }
    return found;
  },
});

/**
 * Since when references are kept, in milliseconds since 1970: what was stored before, nothing is
 * known of. Null where there are none at all.
 */
export const knownSince = operatorQuery({
  args: {},
  returns: v.union(v.number(), v.null()),
  handler: async (ctx) => (await ctx.db.query("assetReferences").first())?.createdAt ?? null,
});

/**
 * Forgets those of at most 100 that are released, after their objects are gone; answers which ones
 * there are no more.
 */
export const forget = operatorMutation({
  args: { referenceIds: v.array(v.id("assetReferences")) },
  returns: v.array(v.id("assetReferences")),
  handler: async (ctx, { referenceIds }) => {
    if (referenceIds.length > MAX_REFERENCES_PER_CALL) {
      throw refuse("invalid_request", `At most ${MAX_REFERENCES_PER_CALL} are forgotten at once.`);
    }
    const gone: typeof referenceIds = [];
    for (const id of referenceIds) if (await forgetReleased(ctx, id)) gone.push(id);
    return gone;
  },
});
