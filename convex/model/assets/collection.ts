// What the collector walks, and the one way a reference goes.
import type { Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { isUsed } from "./references.ts";

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** The first string after all that begin with `prefix`. */
const after = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/**
 * The references of a bucket, by key.
 * @throws {ConvexError} `invalid_request` for a prefix that is not ASCII
 */
export const keysBelow = (ctx: QueryCtx, bucket: string, prefix: string, from: string) => {
  if (!isAscii(prefix)) throw refuse("invalid_request", "`prefix` must be printable ASCII.");
  const first = from > prefix ? from : prefix;
  return ctx.db.query("assetReferences").withIndex("by_bucket_and_key", (q) => {
    const range = q.eq("bucket", bucket).gte("key", first);
    return prefix === "" ? range : range.lt("key", after(prefix));
  });
};

/**
 * Deletes a reference that nothing uses.
 * @returns whether it is gone; also where it was gone before
 */
export const forgetReleased = async (
  ctx: MutationCtx,
  referenceId: Id<"assetReferences">,
): Promise<boolean> => {
  const reference = await ctx.db.get("assetReferences", referenceId);
  if (!reference) return true;
  // The uses are asked as well, though the state says the same.
  if (reference.state === "active" || (await isUsed(ctx, referenceId))) return false;
  await ctx.db.delete("assetReferences", referenceId);
  return true;
};
