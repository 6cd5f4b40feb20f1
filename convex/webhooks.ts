// Webhooks on their way: the notify function claims a delivery, sends it, and says how it went.
// When to try again is decided here (model/deliveries.ts).
import { v } from "convex/values";
import type { ClaimDeliveryAnswer, RecordAttemptAnswer } from "#shared/contract/ledger.ts";
import { internal } from "./_generated/api.js";
import { backendMutation, serviceAction, serviceMutation } from "./functions.ts";
import { claimDeliveryAnswer, deliveryOutcome, recordAttemptAnswer } from "./model/contract.ts";
import { claimed, dueAgain, loadDelivery, loadDisabled, settled } from "./model/deliveries.ts";
import { createWebhookSecret } from "./model/secret.ts";

export const claimDelivery = serviceMutation({
  args: { deliveryId: v.string() },
  returns: claimDeliveryAnswer,
  handler: async (ctx, { deliveryId }): Promise<ClaimDeliveryAnswer> => {
    const now = Date.now();
    const row = await loadDelivery(ctx, deliveryId);
    if (!row) return { kind: "stale" };
    if (row.state !== "due" && row.state !== "sending") return { kind: "settled" };
    if (row.dueAt > now) return { kind: "busy" };
    if (await loadDisabled(ctx, row.ownerId, row.url)) {
      await ctx.db.patch("webhookDeliveries", row._id, { state: "disabled", sweepAt: undefined });
      return { kind: "settled" };
    }
    const next = claimed(row, now);
    if (!next) return { kind: "busy" };
    await ctx.db.patch("webhookDeliveries", row._id, next);
    const { ownerId, url, event } = row;
    return { kind: "deliver", attempt: next.attempt, ownerId, deliveryId, url, event };
  },
});

export const recordAttempt = serviceMutation({
  args: { deliveryId: v.string(), attempt: v.number(), outcome: deliveryOutcome },
  returns: recordAttemptAnswer,
  handler: async (ctx, { deliveryId, attempt, outcome }): Promise<RecordAttemptAnswer> => {
    const now = Date.now();
    const row = await loadDelivery(ctx, deliveryId);
    if (row?.state !== "sending" || row.attempt !== attempt) return { kind: "fenced" };
    const { state, dueAt, leaseUntil, sweepAt } = settled(row, outcome, now);
    await ctx.db.patch("webhookDeliveries", row._id, {
      state,
      dueAt,
      leaseUntil,
      sweepAt,
      lastHttpStatus: outcome.httpStatus,
      lastError: outcome.ok ? undefined : outcome.message,
      deliveredAt: outcome.ok ? now : undefined,
    });
    switch (state) {
      case "delivered":
      case "exhausted":
        return { kind: state };
      case "disabled":
        if (!(await loadDisabled(ctx, row.ownerId, row.url))) {
          const { ownerId, url } = row;
          await ctx.db.insert("webhookEndpoints", { ownerId, url, disabledAt: now });
        }
        return { kind: "disabled" };
      case "due":
      case "sending":
        break;
    }
    return { kind: "retry", dueAt };
  },
});

/** Sends an event once more, also to a receiver that had said 410. @returns false without such a delivery */
export const replay = serviceMutation({
  args: { deliveryId: v.string(), ownerId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { deliveryId, ownerId }) => {
    const row = await loadDelivery(ctx, deliveryId);
    if (row?.ownerId !== ownerId) return false;
    const disabled = await loadDisabled(ctx, ownerId, row.url);
    if (disabled) await ctx.db.delete("webhookEndpoints", disabled._id);
    const { state, tries, dueAt, leaseUntil, sweepAt } = dueAgain(row, Date.now());
    await ctx.db.patch("webhookDeliveries", row._id, { state, tries, dueAt, leaseUntil, sweepAt });
    return true;
  },
});

/** The secret that this owner's webhooks are signed with, made when it is first asked for. */
export const secretFor = serviceAction({
  args: { ownerId: v.string() },
  returns: v.string(),
  handler: async (ctx, { ownerId }): Promise<string> =>
    ctx.runMutation(internal.webhooks.keepSecret, { ownerId, offered: createWebhookSecret() }),
});

/** Keeps the first secret offered; answers the one that holds. */
export const keepSecret = backendMutation({
  args: { ownerId: v.string(), offered: v.string() },
  returns: v.string(),
  handler: async (ctx, { ownerId, offered }) => {
    const known = await ctx.db
      .query("webhookSecrets")
      .withIndex("by_owner", (q) => q.eq("ownerId", ownerId))
      .unique();
    if (known) return known.secret;
    await ctx.db.insert("webhookSecrets", { ownerId, secret: offered, createdAt: Date.now() });
    return offered;
  },
});

/**
 * The next webhook is signed with a new secret, which the owner reads at `GET /v1/webhook_secret`: for one
 * that leaked, by whoever runs the deployment. What the receiver refuses until then is sent again.
 * @returns false where there was none
 */
export const forgetSecret = backendMutation({
  args: { ownerId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { ownerId }) => {
    const known = await ctx.db
      .query("webhookSecrets")
      .withIndex("by_owner", (q) => q.eq("ownerId", ownerId))
      .unique();
    if (!known) return false;
    await ctx.db.delete("webhookSecrets", known._id);
    return true;
  },
});
