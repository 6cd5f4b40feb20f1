// Makes the topics and push subscriptions that the catalog asks for, through the official client,
// as the deploy scripts do on Google Cloud. What is there already is brought up to date: the
// front's address may be another one than last time.
import { PubSub } from "@google-cloud/pubsub";
import type { CreateSubscriptionOptions, Topic } from "@google-cloud/pubsub";
import type { FunctionSpec } from "#functions/catalog.ts";

export interface TopicOptions {
  /** `host:port` of Pub/Sub. */
  address: string;
  projectId: string;
  catalog: readonly FunctionSpec[];
  /** Where pushes for a function go, and the audience of their token. */
  target(functionName: string): { endpoint: string; audience: string };
  /** Account of the pushes' tokens. */
  pusherEmail: string;
  /** Default 1 s and 60 s: a person is waiting; Google's are 10 s and 600 s. */
  backoff?: { minMs: number; maxMs: number };
}

const ACK_DEADLINE_SEC = 600;
/** Far above the ledger's own limits: refusals and waiting count here as well. */
const MAX_DELIVERY_ATTEMPTS = 100;
const DEAD_LETTER_TOPIC = "dead-letter";
const ALREADY_EXISTS = 6;

const isThere = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === ALREADY_EXISTS;

const ensureTopic = async (pubsub: PubSub, name: string): Promise<Topic> => {
  try {
    await pubsub.createTopic(name);
  } catch (error) {
    if (!isThere(error)) throw error;
  }
  return pubsub.topic(name);
};

const duration = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });

export const ensureTopics = async (options: TopicOptions): Promise<void> => {
  const { catalog, projectId, pusherEmail } = options;
  const { minMs, maxMs } = options.backoff ?? { minMs: 1_000, maxMs: 60_000 };
  const pubsub = new PubSub({ projectId, apiEndpoint: options.address, emulatorMode: true });
  try {
    const dead = await ensureTopic(pubsub, DEAD_LETTER_TOPIC);
    for (const { name, trigger } of catalog) {
      if (trigger.kind !== "topic") continue;
      const topic = await ensureTopic(pubsub, trigger.topic);
      const { endpoint, audience } = options.target(name);
      const pushConfig = {
        pushEndpoint: endpoint,
        oidcToken: { serviceAccountEmail: pusherEmail, audience },
      };
      const settings: CreateSubscriptionOptions = {
        ackDeadlineSeconds: ACK_DEADLINE_SEC,
        retryPolicy: { minimumBackoff: duration(minMs), maximumBackoff: duration(maxMs) },
        pushConfig,
        ...(trigger.topic === DEAD_LETTER_TOPIC
          ? {}
          : {
              deadLetterPolicy: {
                deadLetterTopic: `projects/${projectId}/topics/${dead.name.split("/").at(-1)}`,
                maxDeliveryAttempts: MAX_DELIVERY_ATTEMPTS,
              },
            }),
      };
      const subscription = `${name}-push`;
      try {
        await topic.createSubscription(subscription, settings);
      } catch (error) {
        if (!isThere(error)) throw error;
        await topic.subscription(subscription).setMetadata(settings);
      }
    }
  } finally {
    await pubsub.close();
  }
};
