// Keys of the HTTP API. A key is shown once, when it is made; only its hash is kept.
import { v } from "convex/values";
import { internal } from "./_generated/api.js";
import type { Doc } from "./_generated/dataModel.js";
import type { ActionCtx } from "./_generated/server.js";
import {
  backendMutation,
  serviceAction,
  serviceMutation,
  userAction,
  userMutation,
  userQuery,
} from "./functions.ts";
import { refuse } from "./model/access.ts";
import { createApiKey, sha256Hex } from "./model/secret.ts";

/** An owner has at most so many keys, revoked ones included. */
const MAX_KEYS = 100;
const MAX_NAME_CHARS = 100;
/** Using a key is noted at most this often. */
const NOTE_USE_EVERY_MS = 60_000;

const createdKey = v.object({ id: v.id("apiKeys"), key: v.string(), prefix: v.string() });

const issueKey = async (ctx: ActionCtx, ownerId: string, name: string) => {
  const { key, prefix } = createApiKey();
  const hash = await sha256Hex(key);
  const id: Doc<"apiKeys">["_id"] = await ctx.runMutation(internal.apiKeys.store, {
    ownerId,
    name,
    hash,
    prefix,
  });
  return { id, key, prefix };
};

/** A new key of the caller's own. */
export const create = userAction({
  args: { name: v.string() },
  returns: createdKey,
  handler: (ctx, { name }) => issueKey(ctx, ctx.ownerId, name),
});

/** A new key for somebody: the first one, before there is a sign-in. */
export const issue = serviceAction({
  args: { ownerId: v.string(), name: v.string() },
  returns: createdKey,
  handler: (ctx, { ownerId, name }) => issueKey(ctx, ownerId, name),
});

export const store = backendMutation({
  args: { ownerId: v.string(), name: v.string(), hash: v.string(), prefix: v.string() },
  returns: v.id("apiKeys"),
  handler: async (ctx, row) => {
    if (row.name.length < 1 || row.name.length > MAX_NAME_CHARS) {
      throw refuse("invalid_request", `A key's name has 1 to ${MAX_NAME_CHARS} characters.`);
    }
    const keys = await ctx.db
      .query("apiKeys")
      .withIndex("by_owner", (q) => q.eq("ownerId", row.ownerId))
      .take(MAX_KEYS);
    if (keys.length >= MAX_KEYS) {
      throw refuse("rate_limited", `One may have ${MAX_KEYS} keys.`);
    }
    return ctx.db.insert("apiKeys", { ...row, createdAt: Date.now() });
  },
});

/** A key that was issued for a while, such as a smoke test's, is gone; so that none are left behind. */
export const withdraw = backendMutation({
  args: { id: v.id("apiKeys") },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    if (await ctx.db.get("apiKeys", id)) await ctx.db.delete("apiKeys", id);
    return null;
  },
});

/**
 * Whose key this is, by the SHA-256 of it in hex; null for an unknown or revoked one. Notes on the
 * key that it was used.
 */
export const verify = serviceMutation({
  args: { hash: v.string() },
  returns: v.nullable(v.object({ ownerId: v.string(), id: v.id("apiKeys") })),
  handler: async (ctx, { hash }) => {
    const key = await ctx.db
      .query("apiKeys")
      .withIndex("by_hash", (q) => q.eq("hash", hash))
      .unique();
    if (!key || key.revokedAt !== undefined) return null;
    const now = Date.now();
    if ((key.lastUsedAt ?? 0) < now - NOTE_USE_EVERY_MS) {
      await ctx.db.patch("apiKeys", key._id, { lastUsedAt: now });
    }
    return { ownerId: key.ownerId, id: key._id };
  },
});

/** The caller's keys, newest first, without what would open anything. */
export const list = userQuery({
  args: {},
  returns: v.array(
    v.object({
      id: v.id("apiKeys"),
      name: v.string(),
      prefix: v.string(),
      createdAt: v.number(),
      lastUsedAt: v.nullable(v.number()),
      revokedAt: v.nullable(v.number()),
    }),
  ),
  handler: async (ctx) => {
    const keys = await ctx.db
      .query("apiKeys")
      .withIndex("by_owner", (q) => q.eq("ownerId", ctx.ownerId))
      .order("desc")
      .take(MAX_KEYS);
    return keys.map(({ _id, name, prefix, createdAt, lastUsedAt, revokedAt }) => ({
      id: _id,
      name,
      prefix,
      createdAt,
      lastUsedAt: lastUsedAt ?? null,
      revokedAt: revokedAt ?? null,
    }));
  },
});

/** The key opens nothing from now on. @throws {ConvexError} `not_found`, also for another's key */
export const revoke = userMutation({
  args: { id: v.id("apiKeys") },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    const key = await ctx.db.get("apiKeys", id);
    if (key?.ownerId !== ctx.ownerId) throw refuse("not_found", "There is no such key.");
    await ctx.db.patch("apiKeys", id, { revokedAt: key.revokedAt ?? Date.now() });
    return null;
  },
});
