// google.pubsub.v1.Publisher: topics, and publishing to them.
import type { Broker } from "./broker.ts";
import { DELETED_TOPIC, projectPrefix, topicName } from "./names.ts";
import { RpcError } from "./rpcError.ts";
import { isSet } from "./settings.ts";
import type { NewMessage, Store } from "./store.ts";

interface Paged {
  pageSize: number;
  pageToken: string;
}
interface TopicProto {
  name: string;
  [field: string]: unknown;
}
interface PublishRequest {
  topic: string;
  messages: { data: Uint8Array; attributes: Record<string, string>; orderingKey: string }[];
}

const MAX_PAGE = 1000;
const MAX_MESSAGES = 1000;
const MAX_MESSAGE_BYTES = 10_000_000;
const MAX_ATTRIBUTES = 100;

/** What a topic may ask for and would not get here. */
const UNSUPPORTED = [
  "messageRetentionDuration",
  "schemaSettings",
  "ingestionDataSourceSettings",
  "messageTransforms",
  "kmsKeyName",
] as const;

/** One page of a listing by name; the page token is the last name of the page before. */
export const page = <T extends { name: string }>(
  { pageSize, pageToken }: Paged,
  read: (after: string, limit: number) => T[],
): { items: T[]; nextPageToken: string } => {
  const limit = Math.min(pageSize || MAX_PAGE, MAX_PAGE);
  const after = Buffer.from(pageToken, "base64url").toString("utf8");
  const items = read(after, limit + 1);
  const more = items.length > limit;
  const kept = items.slice(0, limit);
  const last = more ? (kept.at(-1)?.name ?? "") : "";
  return { items: kept, nextPageToken: Buffer.from(last).toString("base64url") };
};

/** A message within Pub/Sub's limits. @throws {RpcError} INVALID_ARGUMENT */
const checkMessage = ({ data, attributes, orderingKey }: NewMessage): NewMessage => {
  const entries = Object.entries(attributes);
  if (data.length === 0 && entries.length === 0) {
    throw new RpcError("INVALID_ARGUMENT", "A message needs data or at least one attribute.");
  }
  const tooLarge =
    data.length > MAX_MESSAGE_BYTES ||
    entries.length > MAX_ATTRIBUTES ||
    entries.some(([key, value]) => Buffer.byteLength(key) > 256 || Buffer.byteLength(value) > 1024);
  if (tooLarge) {
    throw new RpcError(
      "INVALID_ARGUMENT",
      "A message has at most 10 MB of data and 100 attributes of 256 (key) and 1,024 (value) bytes.",
    );
  }
  return { data, attributes, orderingKey };
};

export const publisherService = (store: Store, broker: Broker) => {
  const existing = (name: string): Record<string, unknown> => {
    const topic = store.topic(topicName(name));
    if (!topic) throw new RpcError("NOT_FOUND", `Topic not found: ${name}`);
    return topic;
  };

  return {
    createTopic(topic: TopicProto) {
      topicName(topic.name);
      const unsupported = UNSUPPORTED.filter((field) => isSet(topic[field]));
      if (unsupported.length > 0) {
        throw new RpcError("UNIMPLEMENTED", `Not supported here: ${unsupported.join(", ")}.`);
      }
      if (store.topic(topic.name)) {
        throw new RpcError("ALREADY_EXISTS", `Topic already exists: ${topic.name}`);
      }
      const config = { name: topic.name, labels: topic["labels"] ?? {}, state: "ACTIVE" };
      store.insertTopic(topic.name, config);
      return config;
    },

    updateTopic(request: { topic: TopicProto; updateMask: { paths: string[] } | null }) {
      const paths = request.updateMask?.paths ?? [];
      if (paths.length === 0 || paths.some((path) => path !== "labels")) {
        throw new RpcError("INVALID_ARGUMENT", "Only the labels of a topic can be changed.");
      }
      const config = { ...existing(request.topic.name), labels: request.topic["labels"] };
      store.updateTopic(request.topic.name, config);
      return config;
    },

    getTopic: ({ topic }: { topic: string }) => existing(topic),

    listTopics(request: Paged & { project: string }) {
      const prefix = projectPrefix(request.project, "topics");
      const { items, nextPageToken } = page(request, (after, limit) =>
        store.topics(prefix, after, limit),
      );
      return { topics: items.map(({ config }) => config), nextPageToken };
    },

    listTopicSubscriptions(request: Paged & { topic: string }) {
      existing(request.topic);
      const { items, nextPageToken } = page(request, (after, limit) =>
        store
          .subscribers(request.topic)
          .filter(({ name }) => name > after)
          .slice(0, limit),
      );
      return { subscriptions: items.map(({ name }) => name), nextPageToken };
    },

    deleteTopic({ topic }: { topic: string }) {
      existing(topic);
      store.transaction(() => {
        for (const { name } of store.subscribers(topic)) {
          const subscription = store.subscription(name);
          if (subscription)
            store.updateSubscription({ ...subscription.proto, topic: DELETED_TOPIC });
        }
        store.deleteTopic(topic);
      });
      return {};
    },

    publish({ topic, messages }: PublishRequest) {
      existing(topic);
      if (messages.length === 0 || messages.length > MAX_MESSAGES) {
        throw new RpcError("INVALID_ARGUMENT", "A request publishes 1 to 1,000 messages.");
      }
      return { messageIds: broker.publish(topic, messages.map(checkMessage)) };
    },
  };
};
