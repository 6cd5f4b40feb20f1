// Posts one event to the address that a caller named, as the Standard Webhooks specification has it:
// stable `webhook-id`, signed, redirects refused. When to try again is the ledger's to decide.
import { Webhook } from "standardwebhooks";
import type {
  ClaimDeliveryAnswer,
  DeliveryOutcome,
  RecordAttemptAnswer,
  WebhookEvent,
} from "../contract/ledger.ts";
import { StageError } from "../contract/errors.ts";
import type { GuardedFetch } from "../source/fetch.ts";

export interface DeliveryLedger {
  claimDelivery(deliveryId: string): Promise<ClaimDeliveryAnswer>;
  recordAttempt(request: {
    deliveryId: string;
    attempt: number;
    outcome: DeliveryOutcome;
  }): Promise<RecordAttemptAnswer>;
  /** Base64, with the prefix `whsec_`. */
  webhookSecret(ownerId: string): Promise<string>;
}

const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 64 * 1024;

const payloadOf = ({ type, at, error, ...event }: WebhookEvent): string =>
  JSON.stringify({
    type,
    timestamp: new Date(at).toISOString(),
    data: {
      job_id: event.jobId,
      video_id: event.videoId,
      url: event.url,
      status: event.status,
      warnings: event.warnings,
      error: error && {
        code: error.code,
        error_type: error.errorType,
        message: error.message,
        retryable: error.retryable,
      },
    },
  });

const retryAfterOf = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;

const post = async (
  delivery: Extract<ClaimDeliveryAnswer, { kind: "deliver" }>,
  secret: string,
  fetch: GuardedFetch,
): Promise<DeliveryOutcome> => {
  const { deliveryId, url, event } = delivery;
  const payload = payloadOf(event);
  const now = new Date();
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "KlipStream-Webhooks/1",
        "webhook-id": deliveryId,
        "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
        "webhook-signature": new Webhook(secret).sign(deliveryId, now, payload),
      },
      body: payload,
      maxRedirects: 0,
      totalMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    response.body.destroy();
    const { status: httpStatus } = response;
    if (httpStatus >= 200 && httpStatus < 300) return { ok: true, httpStatus };
    const retryAfterSec = retryAfterOf(response.headers["retry-after"]);
    const message = `The receiver answered ${httpStatus}.`;
    return {
      ok: false,
      httpStatus,
      message,
      ...(retryAfterSec === undefined ? {} : { retryAfterSec }),
    };
  } catch (error) {
    if (error instanceof StageError) return { ok: false, message: error.message };
    throw error;
  }
};

/** Delivers once, and tells the ledger how that went. Safe to call twice for one delivery. */
export const deliver = async (
  deliveryId: string,
  deps: { ledger: DeliveryLedger; fetch: GuardedFetch },
): Promise<"delivered" | "not_delivered" | "nothing_to_do"> => {
  const claim = await deps.ledger.claimDelivery(deliveryId);
  if (claim.kind !== "deliver") return "nothing_to_do";
  const secret = await deps.ledger.webhookSecret(claim.ownerId);
  const outcome = await post(claim, secret, deps.fetch);
  await deps.ledger.recordAttempt({ deliveryId, attempt: claim.attempt, outcome });
  return outcome.ok ? "delivered" : "not_delivered";
};
