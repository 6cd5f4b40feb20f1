// Webhook deliveries: made in the transaction that ends a job, then tried until the receiver has it.
import type { DeliveryOutcome, WebhookEvent } from "#shared/contract/ledger.ts";
import type { Status } from "#shared/contract/stages.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { timeSortedId } from "./id.ts";
import { shownError } from "./view.ts";

const SEC = 1000;
const MIN = 60 * SEC;
const HOUR = 60 * MIN;

/** Waits before the second and later attempts: Standard Webhooks' schedule, three days in all. */
export const RETRY_DELAYS_MS = [
  5 * SEC,
  5 * MIN,
  30 * MIN,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

/** How long a sender has for one attempt. */
export const DELIVERY_LEASE_MS = MIN;
/** A due delivery that nobody claimed for so long is published again. */
const UNCLAIMED_MS = 2 * MIN;
/** The receiver is gone and wants nothing more. */
const GONE = 410;
const MAX_RETRY_AFTER_SEC = 24 * 3600;

const EVENT_TYPES: Partial<Record<Status, WebhookEvent["type"]>> = {
  Completed: "job.completed",
  Failed: "job.failed",
  Canceled: "job.canceled",
};

export const loadDelivery = (
  ctx: QueryCtx,
  deliveryId: string,
): Promise<Doc<"webhookDeliveries"> | null> =>
  ctx.db
    .query("webhookDeliveries")
    .withIndex("by_delivery_id", (q) => q.eq("deliveryId", deliveryId))
    .unique();

export const loadDisabled = (
  ctx: QueryCtx,
  ownerId: string,
  url: string,
): Promise<Doc<"webhookEndpoints"> | null> =>
  ctx.db
    .query("webhookEndpoints")
    .withIndex("by_owner_and_url", (q) => q.eq("ownerId", ownerId).eq("url", url))
    .unique();

/** @returns the delivery's id; null where nobody asked for one, or the receiver said 410 */
export const createDelivery = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  now: number,
): Promise<string | null> => {
  const type = EVENT_TYPES[job.status];
  const { callbackUrl, ownerId, jobId } = job;
  if (!type || !callbackUrl || (await loadDisabled(ctx, ownerId, callbackUrl))) return null;
  const deliveryId = `msg_${timeSortedId(now)}`;
  await ctx.db.insert("webhookDeliveries", {
    deliveryId,
    ownerId,
    jobId,
    url: callbackUrl,
    event: {
      type,
      at: now,
      jobId,
      videoId: job.videoId,
      url: job.url,
      status: job.status,
      warnings: job.warnings,
      error: shownError(job.failure),
    },
    state: "due",
    attempt: 0,
    tries: 0,
    dueAt: now,
    sweepAt: now + UNCLAIMED_MS,
    createdAt: now,
  });
  return deliveryId;
};

/** Deliveries of a job that still have to be sent, to be published again. */
export const openDeliveries = async (ctx: QueryCtx, jobId: string): Promise<string[]> => {
  const rows = await ctx.db
    .query("webhookDeliveries")
    .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
    .order("desc")
    .take(8);
  return rows.filter((row) => row.state === "due").map((row) => row.deliveryId);
};

type Delivery = Pick<
  Doc<"webhookDeliveries">,
  "state" | "attempt" | "tries" | "dueAt" | "leaseUntil" | "sweepAt"
>;

/** @returns the row's new fields; null while somebody else is sending */
export const claimed = (row: Delivery, now: number): Delivery | null => {
  if (row.state === "sending" && (row.leaseUntil ?? 0) > now) return null;
  return {
    state: "sending",
    attempt: row.attempt + 1,
    tries: row.tries + 1,
    dueAt: row.dueAt,
    leaseUntil: now + DELIVERY_LEASE_MS,
    sweepAt: now + DELIVERY_LEASE_MS,
  };
};

/** What an attempt leaves behind. */
export const settled = (row: Delivery, outcome: DeliveryOutcome, now: number): Delivery => {
  const ended = { ...row, leaseUntil: undefined, sweepAt: undefined };
  if (outcome.ok) return { ...ended, state: "delivered" };
  if (outcome.httpStatus === GONE) return { ...ended, state: "disabled" };
  const delayMs = RETRY_DELAYS_MS[row.tries - 1];
  if (delayMs === undefined) return { ...ended, state: "exhausted" };
  const askedMs = Math.min(MAX_RETRY_AFTER_SEC, Math.max(0, outcome.retryAfterSec ?? 0)) * SEC;
  const dueAt = now + Math.max(delayMs, askedMs);
  return { ...ended, state: "due", dueAt, sweepAt: dueAt };
};

/** The row's fields for sending once more, from the first attempt on. */
export const dueAgain = (row: Delivery, now: number): Delivery => ({
  ...row,
  state: "due",
  tries: 0,
  dueAt: now,
  leaseUntil: undefined,
  sweepAt: now + UNCLAIMED_MS,
});
