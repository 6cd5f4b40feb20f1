// When a message has been refused too often, and what it looks like in the dead-letter topic.
import { projectOf } from "./names.ts";
import type { DeadLetterPolicy } from "./settings.ts";

/** Whether a message that failed this often goes to the dead-letter topic. */
export const isDead = (policy: DeadLetterPolicy | undefined, failures: number): boolean =>
  policy !== undefined && failures >= policy.maxAttempts;

/** The attributes that Pub/Sub adds to a message it forwards to a dead-letter topic. */
export const deadLetterAttributes = (source: {
  attributes: Record<string, string>;
  subscription: string;
  failures: number;
  publishTimeMs: number;
}): Record<string, string> => ({
  ...source.attributes,
  CloudPubSubDeadLetterSourceDeliveryCount: String(source.failures),
  CloudPubSubDeadLetterSourceSubscription: source.subscription.split("/").at(-1) ?? "",
  CloudPubSubDeadLetterSourceSubscriptionProject: projectOf(source.subscription),
  CloudPubSubDeadLetterSourceTopicPublishTime: new Date(source.publishTimeMs).toISOString(),
});
