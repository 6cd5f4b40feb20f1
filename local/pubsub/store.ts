// Topics, subscriptions and undelivered messages in one SQLite file, so that what was acknowledged
// to a publisher survives `kill -9`.
//
// messages:   written by publish and dead-lettering, deleted with their last delivery
// deliveries: one row per subscription that a message still owes; written by publish, deleted by
//             acknowledgement. `lease` is 0 while nobody holds the message; `due_ms` is when it may
//             be delivered, or, under a lease, when that runs out.
import { inTransaction, openExclusively } from "../exclusiveDatabase.ts";
import type { SubscriptionProto } from "./settings.ts";

export interface Message {
  id: number;
  data: Uint8Array;
  attributes: Record<string, string>;
  orderingKey: string;
  publishTimeMs: number;
}

export interface NewMessage {
  data: Uint8Array;
  attributes: Record<string, string>;
  orderingKey: string;
}

export interface Delivery {
  message: Message;
  lease: number;
  /** Times the message was refused or not acknowledged in time. */
  failures: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, config TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, topic TEXT NOT NULL,
    config TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS subscriptions_by_topic ON subscriptions (topic);
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL, attributes TEXT NOT NULL,
    ordering_key TEXT NOT NULL, published_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS deliveries (
    subscription INTEGER NOT NULL, message INTEGER NOT NULL, failures INTEGER NOT NULL,
    due_ms INTEGER NOT NULL, lease INTEGER NOT NULL,
    PRIMARY KEY (subscription, message)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS deliveries_free ON deliveries (subscription, due_ms, message)
    WHERE lease = 0;
  CREATE INDEX IF NOT EXISTS deliveries_held ON deliveries (subscription, due_ms) WHERE lease <> 0;
  CREATE INDEX IF NOT EXISTS deliveries_by_message ON deliveries (message);
`;
/** Each brings the file from the version of its place to the next. Files of version 0 have these tables. */
const STEPS = [SCHEMA];

/** As much as one message may have. */
const MAX_LEASED_BYTES = 10_000_000;

/** At least one; read before any is changed. */
const firstRows = (rows: Iterable<Record<string, unknown>>): Record<string, unknown>[] => {
  const first: Record<string, unknown>[] = [];
  let sizeBytes = 0;
  for (const row of rows) {
    sizeBytes += (row["data"] as Uint8Array).length + (row["attributes"] as string).length;
    if (first.length > 0 && sizeBytes > MAX_LEASED_BYTES) break;
    first.push(row);
  }
  return first;
};

/**
 * Opens, or makes, the data of a Pub/Sub. Messages that an earlier process was pushing are due at once:
 * the connections on which they would be acknowledged are gone. Who pulled some holds them until their
 * deadline, and acknowledges them as if nothing had been.
 * @throws {Error} when another process has the folder open
 */
export const openStore = (dataDir: string, nowMs: number) => {
  // A second Pub/Sub would deliver everything twice.
  const db = openExclusively(dataDir, "pubsub", STEPS);
  // Higher than any lease of an earlier process, also where the clock was set back meanwhile, so that
  // an acknowledgement of a lease that is over finds nothing.
  const highest = db.prepare("SELECT MAX(lease) AS lease FROM deliveries").get()?.["lease"];
  let lastLease = Math.max(nowMs * 1000, (highest as number | null) ?? 0);
  db.prepare(
    `UPDATE deliveries SET lease = 0, due_ms = ? WHERE lease <> 0 AND subscription IN (
       SELECT id FROM subscriptions
       WHERE ifnull(json_extract(config, '$.pushConfig.pushEndpoint'), '') <> '')`,
  ).run(nowMs);

  const sql = {
    insertTopic: db.prepare("INSERT INTO topics VALUES (?, ?)"),
    updateTopic: db.prepare("UPDATE topics SET config = ? WHERE name = ?"),
    topic: db.prepare("SELECT config FROM topics WHERE name = ?"),
    deleteTopic: db.prepare("DELETE FROM topics WHERE name = ?"),
    topics: db.prepare(
      "SELECT name, config FROM topics WHERE substr(name, 1, length(?1)) = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
    ),
    insertSubscription: db.prepare(
      "INSERT INTO subscriptions (name, topic, config) VALUES (?, ?, ?)",
    ),
    updateSubscription: db.prepare("UPDATE subscriptions SET topic = ?, config = ? WHERE name = ?"),
    subscription: db.prepare("SELECT id, config FROM subscriptions WHERE name = ?"),
    deleteSubscription: db.prepare("DELETE FROM subscriptions WHERE id = ?"),
    subscriptions: db.prepare(
      "SELECT name, config FROM subscriptions WHERE substr(name, 1, length(?1)) = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
    ),
    everySubscription: db.prepare("SELECT id, config FROM subscriptions"),
    subscribers: db.prepare(
      "SELECT id, name, config FROM subscriptions WHERE topic = ? ORDER BY name",
    ),
    insertMessage: db.prepare(
      "INSERT INTO messages (data, attributes, ordering_key, published_ms) VALUES (?, ?, ?, ?)",
    ),
    insertDelivery: db.prepare("INSERT INTO deliveries VALUES (?, ?, 0, ?, 0)"),
    due: db.prepare(`
      SELECT d.message AS id, d.failures, m.data, m.attributes, m.ordering_key, m.published_ms
      FROM deliveries d JOIN messages m ON m.id = d.message
      WHERE d.subscription = ? AND d.due_ms <= ? AND d.lease = 0 ORDER BY d.due_ms, d.message LIMIT ?`),
    take: db.prepare(
      "UPDATE deliveries SET lease = ?, due_ms = ? WHERE subscription = ? AND message = ?",
    ),
    held: db.prepare(`
      SELECT d.failures, m.data, m.attributes, m.ordering_key, m.published_ms
      FROM deliveries d JOIN messages m ON m.id = d.message
      WHERE d.subscription = ? AND d.message = ? AND d.lease = ? AND d.lease <> 0`),
    extend: db.prepare(
      "UPDATE deliveries SET due_ms = ? WHERE subscription = ? AND message = ? AND lease = ? AND lease <> 0",
    ),
    postpone: db.prepare(
      "UPDATE deliveries SET lease = 0, failures = ?, due_ms = ? WHERE subscription = ? AND message = ?",
    ),
    acknowledge: db.prepare(
      "DELETE FROM deliveries WHERE subscription = ? AND message = ? AND lease = ? AND lease <> 0",
    ),
    drop: db.prepare("DELETE FROM deliveries WHERE subscription = ? AND message = ?"),
    dropAll: db.prepare("DELETE FROM deliveries WHERE subscription = ?"),
    dropOld: db.prepare(
      "DELETE FROM deliveries WHERE subscription = ? AND message IN (SELECT id FROM messages WHERE published_ms < ?)",
    ),
    forget: db.prepare(
      "DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)",
    ),
    forgetAll: db.prepare(
      "DELETE FROM messages WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE message = messages.id)",
    ),
    expired: db.prepare(
      "SELECT message, lease FROM deliveries WHERE subscription = ? AND due_ms <= ? AND lease <> 0",
    ),
    nextDue: db.prepare(`
      SELECT MIN(due) AS due FROM (
        SELECT MIN(due_ms) AS due FROM deliveries WHERE subscription = ?1 AND due_ms > ?2 AND lease = 0
        UNION ALL
        SELECT MIN(due_ms) FROM deliveries WHERE subscription = ?1 AND due_ms > ?2 AND lease <> 0)`),
    backlog: db.prepare("SELECT COUNT(*) AS n FROM deliveries WHERE subscription = ?"),
  };

  const toMessage = (id: number, row: Record<string, unknown>): Message => ({
    id,
    data: row["data"] as Uint8Array,
    attributes: JSON.parse(row["attributes"] as string) as Record<string, string>,
    orderingKey: row["ordering_key"] as string,
    publishTimeMs: row["published_ms"] as number,
  });

  let depth = 0;
  /** All of `work` or nothing; inside another transaction it is part of that. */
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    depth += 1;
    try {
      return inTransaction(db, work);
    } finally {
      depth -= 1;
    }
  };

  return {
    transaction,
    close: () => db.close(),

    insertTopic: (name: string, config: unknown) =>
      sql.insertTopic.run(name, JSON.stringify(config)),
    updateTopic: (name: string, config: unknown) =>
      sql.updateTopic.run(JSON.stringify(config), name),
    topic: (name: string): Record<string, unknown> | undefined => {
      const row = sql.topic.get(name);
      return row && (JSON.parse(row["config"] as string) as Record<string, unknown>);
    },
    deleteTopic: (name: string) => sql.deleteTopic.run(name),
    topics: (prefix: string, after: string, limit: number) =>
      sql.topics.all(prefix, after, limit).map((row) => ({
        name: row["name"] as string,
        config: JSON.parse(row["config"] as string) as Record<string, unknown>,
      })),

    insertSubscription: (proto: SubscriptionProto): number =>
      Number(
        sql.insertSubscription.run(proto.name, proto.topic, JSON.stringify(proto)).lastInsertRowid,
      ),
    updateSubscription: (proto: SubscriptionProto) =>
      sql.updateSubscription.run(proto.topic, JSON.stringify(proto), proto.name),
    subscription: (name: string): { id: number; proto: SubscriptionProto } | undefined => {
      const row = sql.subscription.get(name);
      return (
        row && {
          id: row["id"] as number,
          proto: JSON.parse(row["config"] as string) as SubscriptionProto,
        }
      );
    },
    deleteSubscription: (id: number) =>
      transaction(() => {
        sql.dropAll.run(id);
        sql.deleteSubscription.run(id);
        sql.forgetAll.run();
      }),
    subscriptions: (prefix: string, after: string, limit: number): SubscriptionProto[] =>
      sql.subscriptions
        .all(prefix, after, limit)
        .map((row) => JSON.parse(row["config"] as string) as SubscriptionProto),
    everySubscription: (): { id: number; proto: SubscriptionProto }[] =>
      sql.everySubscription.all().map((row) => ({
        id: row["id"] as number,
        proto: JSON.parse(row["config"] as string) as SubscriptionProto,
      })),
    subscribers: (topic: string): { id: number; name: string }[] =>
      sql.subscribers
        .all(topic)
        .map((row) => ({ id: row["id"] as number, name: row["name"] as string })),

    /** Writes messages and what they owe to each subscription. @returns their ids, in order */
    publish: (messages: NewMessage[], subscriptions: number[], nowMs: number): number[] =>
      transaction(() =>
        messages.map((message) => {
          const id = Number(
            sql.insertMessage.run(
              message.data,
              JSON.stringify(message.attributes),
              message.orderingKey,
              nowMs,
            ).lastInsertRowid,
          );
          for (const subscription of subscriptions) sql.insertDelivery.run(subscription, id, nowMs);
          // A topic without subscriptions keeps nothing; the id is used up all the same.
          if (subscriptions.length === 0) sql.forget.run(id);
          return id;
        }),
      ),

    /** Takes up to `limit` due messages until `untilMs`: fewer large ones, which one answer can carry. */
    lease: (subscription: number, limit: number, nowMs: number, untilMs: number): Delivery[] =>
      transaction(() =>
        firstRows(sql.due.iterate(subscription, nowMs, limit)).map((row) => {
          lastLease += 1;
          const message = toMessage(row["id"] as number, row);
          sql.take.run(lastLease, untilMs, subscription, message.id);
          return { message, lease: lastLease, failures: row["failures"] as number };
        }),
      ),
    /** What a lease holds, while it holds it. */
    held: (subscription: number, message: number, lease: number): Delivery | undefined => {
      const row = sql.held.get(subscription, message, lease);
      return (
        row && { message: toMessage(message, row), lease, failures: row["failures"] as number }
      );
    },
    extend: (subscription: number, message: number, lease: number, untilMs: number): boolean =>
      sql.extend.run(untilMs, subscription, message, lease).changes > 0,
    postpone: (subscription: number, message: number, failures: number, dueMs: number) =>
      sql.postpone.run(failures, dueMs, subscription, message),
    acknowledge: (subscription: number, message: number, lease: number): boolean =>
      transaction(() => {
        const { changes } = sql.acknowledge.run(subscription, message, lease);
        if (changes > 0) sql.forget.run(message);
        return changes > 0;
      }),
    drop: (subscription: number, message: number) =>
      transaction(() => {
        sql.drop.run(subscription, message);
        sql.forget.run(message);
      }),
    dropOlderThan: (subscription: number, publishedMs: number) =>
      transaction(() => {
        if (sql.dropOld.run(subscription, publishedMs).changes > 0) sql.forgetAll.run();
      }),
    expired: (subscription: number, nowMs: number): { message: number; lease: number }[] =>
      sql.expired
        .all(subscription, nowMs)
        .map((row) => ({ message: row["message"] as number, lease: row["lease"] as number })),
    /** When something next falls due after `nowMs`. */
    nextDueMs: (subscription: number, nowMs: number): number | undefined =>
      (sql.nextDue.get(subscription, nowMs)?.["due"] as number | null | undefined) ?? undefined,
    backlog: (subscription: number): number => sql.backlog.get(subscription)?.["n"] as number,
  };
};

export type Store = ReturnType<typeof openStore>;
