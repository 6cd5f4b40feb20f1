// Push delivery of one subscription: wrapped JSON by POST, acknowledged by the status alone.
import { isFullDisk } from "../fullDisk.ts";
import { type Broker, type Leased, NO_ROOM_PAUSE_MS } from "./broker.ts";
import { pushBackoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { MintIdToken } from "./tokens.ts";

/** Statuses that acknowledge; every other answer, and none in time, is a refusal. */
const ACKNOWLEDGING: readonly number[] = [102, 200, 201, 202, 204];

/** One request; redirects are not followed, they are answers like any other. */
export type Fetch = (
  url: string,
  init: {
    method: "POST";
    headers: Record<string, string>;
    body: string;
    signal: AbortSignal;
  },
) => Promise<{ status: number; body: AsyncIterable<unknown> | null }>;

export interface PushOptions {
  broker: Broker;
  clock: Clock;
  fetch: Fetch;
  mintIdToken: MintIdToken;
  /** Pushes of one subscription under way at once. */
  maxOutstanding: number;
  /** Hears of pushes that could not be sent at all; they count as refused. */
  report(sentence: string, cause: unknown): void;
}

/** The body that Pub/Sub posts: both spellings of the two fields, empty ones left out. */
export const pushBody = (subscription: string, { message, deliveryAttempt }: Leased): string => {
  const publishTime = new Date(message.publishTimeMs).toISOString();
  const messageId = String(message.id);
  return JSON.stringify({
    ...(deliveryAttempt === undefined ? {} : { deliveryAttempt }),
    message: {
      ...(Object.keys(message.attributes).length > 0 ? { attributes: message.attributes } : {}),
      ...(message.data.length > 0 ? { data: Buffer.from(message.data).toString("base64") } : {}),
      messageId,
      message_id: messageId,
      ...(message.orderingKey ? { orderingKey: message.orderingKey } : {}),
      publishTime,
      publish_time: publishTime,
    },
    subscription,
  });
};

/** Pushes a subscription's messages to its endpoint until closed. */
export const startPusher = (subscription: string, options: PushOptions) => {
  const { broker, clock, maxOutstanding } = options;
  const outstanding = new Set<AbortController>();
  let refusalsInARow = 0;
  let resume: (() => void) | undefined;
  let closed = false;

  const send = async (leased: Leased, signal: AbortSignal): Promise<number> => {
    const { push } = broker.settings(subscription);
    if (!push) throw new Error("The subscription is no longer a push subscription.");
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (push.oidc) headers["authorization"] = `Bearer ${await options.mintIdToken(push.oidc)}`;
    const response = await options.fetch(push.endpoint, {
      method: "POST",
      headers,
      body: pushBody(subscription, leased),
      signal,
    });
    // The answer's body means nothing, but must be read for the connection to be used again.
    if (response.body) for await (const _ of response.body);
    return response.status;
  };

  const pause = (refusals: number): void => {
    const pauseMs = pushBackoffMs(broker.settings(subscription).retry, refusals);
    if (pauseMs > 0) resume = clock.after(pauseMs, proceed);
  };

  const proceed = (): void => {
    resume?.();
    resume = undefined;
    pump();
  };

  const settle = (leased: Leased, acknowledged: boolean): void => {
    if (acknowledged) refusalsInARow = 0;
    // Pushes that fail together count once: what was sent before a pause does not make it longer.
    else if (!resume) pause((refusalsInARow += 1));
    if (acknowledged) broker.acknowledge(subscription, leased.ackId);
    else broker.refuse(subscription, leased.ackId);
  };

  const deliver = async (leased: Leased): Promise<void> => {
    const controller = new AbortController();
    outstanding.add(controller);
    const cancelDeadline = clock.after(broker.settings(subscription).ackDeadlineMs, () =>
      controller.abort(new Error("The ack deadline has passed.")),
    );
    let acknowledged = false;
    try {
      acknowledged = ACKNOWLEDGING.includes(await send(leased, controller.signal));
    } catch (cause) {
      if (!closed) options.report(`Message ${leased.message.id} could not be pushed.`, cause);
    } finally {
      cancelDeadline();
      outstanding.delete(controller);
    }
    settleInTime(leased, acknowledged);
  };

  /** Now, or when the disk has room: not acknowledged, what is done would be done again. */
  const settleInTime = (leased: Leased, acknowledged: boolean): void => {
    // After closing, the lease stays in the file and is void when that is opened again.
    if (closed) return;
    try {
      settle(leased, acknowledged);
    } catch (error) {
      if (!isFullDisk(error)) throw error;
      clock.after(NO_ROOM_PAUSE_MS, () => settleInTime(leased, acknowledged));
      return;
    }
    pump();
  };

  const take = (): Leased[] => {
    try {
      return broker.lease(subscription, maxOutstanding - outstanding.size);
    } catch (error) {
      if (!isFullDisk(error)) throw error;
      resume = clock.after(NO_ROOM_PAUSE_MS, proceed);
      return [];
    }
  };

  const pump = (): void => {
    if (closed || resume) return;
    // Large messages come few at a time.
    for (let batch = take(); batch.length > 0; batch = take()) {
      for (const leased of batch) {
        deliver(leased).catch((cause: unknown) =>
          options.report(`Message ${leased.message.id} could not be settled.`, cause),
        );
      }
    }
  };

  const stopListening = broker.listen(subscription, pump);

  return {
    /** The subscription was changed: what made the endpoint refuse may be gone. */
    reconsider(): void {
      refusalsInARow = 0;
      proceed();
    },
    /** Ends pushes under way; their messages are delivered again by whoever comes next. */
    close(): void {
      closed = true;
      stopListening();
      resume?.();
      for (const controller of outstanding) controller.abort(new Error("Pub/Sub is closing."));
    },
  };
};

export type Pusher = ReturnType<typeof startPusher>;
