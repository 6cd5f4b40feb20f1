// What becomes of a message: published, leased, acknowledged, refused, delivered again or buried.
// Push, Pull and StreamingPull all take messages from here and differ only in how they hand them on.
import { isFullDisk } from "../fullDisk.ts";
import { redeliveryDelayMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { deadLetterAttributes, isDead } from "./deadLetter.ts";
import { RpcError } from "./rpcError.ts";
import { readSettings, type SubscriptionProto, type SubscriptionSettings } from "./settings.ts";
import type { Delivery, Message, NewMessage, Store } from "./store.ts";

/** A message in somebody's hands, until it is settled or its deadline passes. */
export interface Leased {
  message: Message;
  ackId: string;
  /** Set where the subscription has a dead letter policy, as in Pub/Sub; the first is 1. */
  deliveryAttempt: number | undefined;
}

interface Live {
  id: number;
  name: string;
  settings: SubscriptionSettings;
  /** Called, in turns, whenever messages may be due. */
  listeners: Set<() => void>;
  /** Called with the ack id of a message that was acknowledged, refused or timed out. */
  settledListeners: Set<(ackId: string) => void>;
  /** When the timer fires that looks after the next message to fall due; undefined without one. */
  timerMs: number | undefined;
  cancelTimer: () => void;
}

const RETENTION_SWEEP_MS = 600_000;
/** On a full disk, before what could not be written is tried again. */
export const NO_ROOM_PAUSE_MS = 1_000;

const parseAckId = (ackId: string): { message: number; lease: number } | undefined => {
  const match = /^(\d{1,15})-(\d{1,16})$/.exec(ackId);
  return match ? { message: Number(match[1]), lease: Number(match[2]) } : undefined;
};

export const createBroker = (store: Store, clock: Clock) => {
  const live = new Map<string, Live>();
  let closed = false;

  const find = (name: string): Live => {
    const known = live.get(name);
    if (known) return known;
    const row = store.subscription(name);
    if (!row) throw new RpcError("NOT_FOUND", `Subscription does not exist: ${name}`);
    const subscription: Live = {
      id: row.id,
      name,
      settings: readSettings(row.proto),
      listeners: new Set(),
      settledListeners: new Set(),
      timerMs: undefined,
      cancelTimer: () => {},
    };
    live.set(name, subscription);
    // What an earlier process left may fall due with nobody asking.
    const dueMs = store.nextDueMs(row.id, clock.now());
    if (dueMs !== undefined) arm(subscription, dueMs);
    return subscription;
  };

  const notify = (subscription: Live): void => {
    const listeners = Array.from(subscription.listeners);
    const [first] = listeners;
    // Whoever is asked first now is asked last the next time, so that consumers take turns.
    if (first && subscription.listeners.delete(first)) subscription.listeners.add(first);
    for (const listener of listeners) listener();
  };

  /** Makes sure that something happens at `dueMs`, which may be earlier than what was planned. */
  const arm = (subscription: Live, dueMs: number): void => {
    if (closed || live.get(subscription.name) !== subscription) return;
    if (subscription.timerMs !== undefined && subscription.timerMs <= dueMs) return;
    subscription.cancelTimer();
    subscription.timerMs = dueMs;
    subscription.cancelTimer = clock.after(dueMs - clock.now(), () => {
      subscription.timerMs = undefined;
      try {
        tick(subscription);
      } catch (error) {
        // Nobody hears of it here, and those who publish do.
        if (!isFullDisk(error)) throw error;
        arm(subscription, clock.now() + NO_ROOM_PAUSE_MS);
      }
    });
  };

  /** Times out what was held too long. */
  const expire = (subscription: Live): void => {
    for (const { message, lease } of store.expired(subscription.id, clock.now())) {
      refuse(subscription, message, lease);
    }
  };

  /** Times out what was held too long, offers what is due and plans the next look. */
  const tick = (subscription: Live): void => {
    if (closed) return;
    expire(subscription);
    notify(subscription);
    const dueMs = closed ? undefined : store.nextDueMs(subscription.id, clock.now());
    if (dueMs !== undefined) arm(subscription, dueMs);
  };

  const settled = (subscription: Live, message: number, lease: number): void => {
    for (const listener of subscription.settledListeners) listener(`${message}-${lease}`);
  };

  const publish = (topic: string, messages: NewMessage[]): string[] => {
    const subscribers = store.subscribers(topic);
    const ids = store.publish(
      messages,
      subscribers.map(({ id }) => id),
      clock.now(),
    );
    for (const { name } of subscribers) notify(find(name));
    return ids.map(String);
  };

  /** Moves a message to the dead-letter topic. @returns false when there is no such topic */
  const bury = (subscription: Live, topic: string, { message, failures }: Delivery): boolean => {
    if (store.topic(topic) === undefined) return false;
    const attributes = deadLetterAttributes({
      attributes: message.attributes,
      subscription: subscription.name,
      failures,
      publishTimeMs: message.publishTimeMs,
    });
    const subscribers = store.subscribers(topic);
    store.transaction(() => {
      store.publish(
        [{ data: message.data, attributes, orderingKey: message.orderingKey }],
        subscribers.map(({ id }) => id),
        clock.now(),
      );
      store.drop(subscription.id, message.id);
    });
    for (const { name } of subscribers) notify(find(name));
    return true;
  };

  /** Counts a refusal or a missed deadline. Nothing happens when the lease is no longer held. */
  const refuse = (subscription: Live, message: number, lease: number): void => {
    const delivery = store.held(subscription.id, message, lease);
    if (!delivery) return;
    const failures = delivery.failures + 1;
    settled(subscription, message, lease);
    const { deadLetter, retry } = subscription.settings;
    if (
      deadLetter &&
      isDead(deadLetter, failures) &&
      bury(subscription, deadLetter.topic, { ...delivery, failures })
    ) {
      return;
    }
    const dueMs = clock.now() + redeliveryDelayMs(retry, failures);
    store.postpone(subscription.id, message, failures, dueMs);
    if (dueMs > clock.now()) arm(subscription, dueMs);
  };

  const stopSweep = (function sweep(): { cancel(): void } {
    let cancel = () => {};
    const run = (): void => {
      try {
        for (const { id, proto } of store.everySubscription()) {
          store.dropOlderThan(id, clock.now() - readSettings(proto).retentionMs);
        }
      } catch (error) {
        // The next time does.
        if (!isFullDisk(error)) throw error;
      }
      cancel = clock.after(RETENTION_SWEEP_MS, run);
    };
    // At once: it may have been down for longer than messages are kept.
    run();
    return { cancel: () => cancel() };
  })();

  return {
    publish,

    settings: (name: string): SubscriptionSettings => find(name).settings,

    /** Reads a subscription's settings again, after it was made or changed. */
    refresh(proto: SubscriptionProto): void {
      const subscription = find(proto.name);
      subscription.settings = readSettings(proto);
      tick(subscription);
    },

    /** Forgets a subscription that was deleted; its consumers hear of it and find nothing. */
    remove(name: string): void {
      const subscription = live.get(name);
      live.delete(name);
      if (!subscription) return;
      subscription.cancelTimer();
      notify(subscription);
    },

    /**
     * Hears when messages may be due, and at once if they are. It is not told how many; it leases
     * as many as it can take, and calls `lease` itself when it can take more.
     */
    listen(name: string, listener: () => void): () => void {
      const subscription = find(name);
      subscription.listeners.add(listener);
      tick(subscription);
      return () => subscription.listeners.delete(listener);
    },

    /** Hears the ack id of each message that is settled, by whatever way. */
    onSettled(name: string, listener: (ackId: string) => void): () => void {
      const subscription = find(name);
      subscription.settledListeners.add(listener);
      return () => subscription.settledListeners.delete(listener);
    },

    /** Takes up to `limit` due messages for `holdMs`, by default the subscription's deadline. */
    lease(name: string, limit: number, holdMs?: number): Leased[] {
      if (closed || limit <= 0) return [];
      const subscription = find(name);
      expire(subscription);
      const nowMs = clock.now();
      const { ackDeadlineMs, deadLetter } = subscription.settings;
      const untilMs = nowMs + (holdMs ?? ackDeadlineMs);
      const deliveries = store.lease(subscription.id, limit, nowMs, untilMs);
      if (deliveries.length > 0) arm(subscription, untilMs);
      return deliveries.map(({ message, lease, failures }) => ({
        message,
        ackId: `${message.id}-${lease}`,
        deliveryAttempt: deadLetter ? failures + 1 : undefined,
      }));
    },

    /** @returns false where the lease had run out, which makes no difference to a client */
    acknowledge(name: string, ackId: string): boolean {
      const subscription = find(name);
      const id = parseAckId(ackId);
      if (closed || id === undefined) return false;
      const done = store.acknowledge(subscription.id, id.message, id.lease);
      if (done) settled(subscription, id.message, id.lease);
      return done;
    },

    refuse(name: string, ackId: string): void {
      const subscription = find(name);
      const id = parseAckId(ackId);
      if (closed || id === undefined) return;
      refuse(subscription, id.message, id.lease);
      notify(subscription);
    },

    /** Holds a message for `holdMs` from now. */
    extend(name: string, ackId: string, holdMs: number): void {
      const subscription = find(name);
      const id = parseAckId(ackId);
      if (closed || id === undefined) return;
      const untilMs = clock.now() + holdMs;
      // A shorter deadline than before must be looked after, too.
      if (store.extend(subscription.id, id.message, id.lease, untilMs)) arm(subscription, untilMs);
    },

    close(): void {
      closed = true;
      stopSweep.cancel();
      for (const { cancelTimer } of live.values()) cancelTimer();
      live.clear();
    },
  };
};

export type Broker = ReturnType<typeof createBroker>;
