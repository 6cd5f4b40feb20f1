// Callers of the HTTP API: their keys, and the webhooks they get.
import { defineTable } from "convex/server";
import { v } from "convex/values";
import { oneOf, webhookEvent } from "../model/contract.ts";

/**
 * Keys of the HTTP API, as SHA-256 of the key; the key itself is shown once and kept nowhere.
 * Written by apiKeys.ts; read by the API to tell who calls; deleted by nobody (revoked instead).
 */
export const apiKeys = defineTable({
  ownerId: v.string(),
  name: v.string(),
  /** Lower-case hex. */
  hash: v.string(),
  /** First characters of the key, for recognising it in a list. */
  prefix: v.string(),
  createdAt: v.number(),
  lastUsedAt: v.optional(v.number()),
  revokedAt: v.optional(v.number()),
})
  .index("by_hash", ["hash"])
  .index("by_owner", ["ownerId"]);

/**
 * The secret an owner's webhooks are signed with.
 * Written once by webhooks.ts; read by the notify function; deleted by whoever runs the deployment, so
 * that the next one is another.
 */
export const webhookSecrets = defineTable({
  ownerId: v.string(),
  secret: v.string(),
  createdAt: v.number(),
}).index("by_owner", ["ownerId"]);

/**
 * Receivers that answered 410 and get nothing more.
 * Written and read by webhooks.ts; deleted by a replay, which asks for it again.
 */
export const webhookEndpoints = defineTable({
  ownerId: v.string(),
  url: v.string(),
  disabledAt: v.number(),
}).index("by_owner_and_url", ["ownerId", "url"]);

/**
 * Events on their way to a receiver; what was sent can be replayed from here.
 * Written by the ledger when a job ends, then by webhooks.ts; read by notify; deleted with the
 * video.
 */
export const webhookDeliveries = defineTable({
  /** Also the `webhook-id`. */
  deliveryId: v.string(),
  ownerId: v.string(),
  jobId: v.string(),
  url: v.string(),
  event: webhookEvent,
  state: oneOf(["due", "sending", "delivered", "exhausted", "disabled"]),
  attempt: v.number(),
  /** Attempts since it was made or replayed. */
  tries: v.number(),
  dueAt: v.number(),
  leaseUntil: v.optional(v.number()),
  sweepAt: v.optional(v.number()),
  lastHttpStatus: v.optional(v.number()),
  lastError: v.optional(v.string()),
  createdAt: v.number(),
  deliveredAt: v.optional(v.number()),
})
  .index("by_delivery_id", ["deliveryId"])
  .index("by_job_id", ["jobId"])
  .index("by_sweep_at", ["sweepAt"]);
