// Publishing to Pub/Sub. One message a request: batching would hold each back by 12 ms, and a
// function that has published has nothing else to wait for.
import type { PubSub, Topic } from "@google-cloud/pubsub";

export interface PublisherOptions {
  projectId: string;
}

export interface Publisher {
  /**
   * Resolves when Pub/Sub has the message. The topic is assumed to exist.
   * @param topic its id, or its full name
   * @param json what the message's data holds
   */
  publish(topic: string, json: unknown): Promise<void>;
  close(): Promise<void>;
}

/** The client's own, but for the total: whoever publishes is delivered again, and need not wait. */
const BACKOFF = {
  initialRetryDelayMillis: 100,
  retryDelayMultiplier: 1.3,
  maxRetryDelayMillis: 60_000,
  initialRpcTimeoutMillis: 10_000,
  rpcTimeoutMultiplier: 1,
  maxRpcTimeoutMillis: 10_000,
  totalTimeoutMillis: 60_000,
};

/** A publisher whose client is loaded at the first message. */
export const createPublisher = ({ projectId }: PublisherOptions): Publisher => {
  let client: Promise<PubSub> | undefined;
  const topics = new Map<string, Topic>();
  let closed = false;

  const load = (): Promise<PubSub> =>
    (client ??= import("@google-cloud/pubsub").then(({ PubSub }) => new PubSub({ projectId })));

  return {
    async publish(topic, json) {
      if (closed) throw new Error("The publisher is closed.");
      const pubsub = await load();
      let target = topics.get(topic);
      if (!target) {
        target = pubsub.topic(topic, {
          batching: { maxMessages: 1 },
          gaxOpts: { retry: { backoffSettings: BACKOFF } },
        });
        topics.set(topic, target);
      }
      await target.publishMessage({ json: json });
    },

    async close() {
      closed = true;
      await (await client)?.close();
    },
  };
};
