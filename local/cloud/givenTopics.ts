// Topics and subscriptions that somebody else made in an emulator, as the deploy scripts make them on
// Google Cloud: taken as they are. What of them the catalog needs and does not find is said at once.
import { PubSub } from "@google-cloud/pubsub";
import type { Subscription } from "@google-cloud/pubsub";
import type { FunctionSpec } from "#functions/catalog.ts";

export interface GivenTopics {
  /** `host:port` of Pub/Sub. */
  address: string;
  projectId: string;
  catalog: readonly FunctionSpec[];
  /** Where pushes for a function must go. */
  endpoint(functionName: string): string;
}

/** Not all that the catalog needs is there. */
export class TopicsMissing extends Error {
  override name = "TopicsMissing";
  constructor(address: string, problems: readonly string[]) {
    const lines = problems.map((line) => `  ${line}`).join("\n");
    super(`Pub/Sub at ${address} lacks what the functions need:\n${lines}`);
  }
}

/** @returns undefined where a subscription of the topic brings its messages to the endpoint */
const problemOf = (
  topic: string,
  endpoint: string,
  subscriptions: readonly Subscription[],
): string | undefined => {
  const own = subscriptions.find(
    ({ metadata }) =>
      metadata?.topic?.split("/").at(-1) === topic &&
      metadata.pushConfig?.pushEndpoint === endpoint,
  );
  if (!own) return `Topic ${topic} has no subscription that pushes to ${endpoint}.`;
  // An emulator does not care; Cloud Run would refuse the push.
  const token = own.metadata?.pushConfig?.oidcToken;
  const name = own.name.split("/").at(-1);
  if (!token?.serviceAccountEmail) return `Subscription ${name} pushes without an ID token.`;
  const { audience } = token;
  return audience && audience !== endpoint
    ? `Subscription ${name} asks for a token for ${audience}, not for its endpoint.`
    : undefined;
};

/**
 * Looks, and changes nothing.
 * @throws {TopicsMissing} with everything that is missing
 */
export const checkTopics = async (options: GivenTopics): Promise<void> => {
  const { address, projectId, catalog } = options;
  const pubsub = new PubSub({ projectId, apiEndpoint: address, emulatorMode: true });
  try {
    const [[topics], [subscriptions]] = await Promise.all([
      pubsub.getTopics(),
      pubsub.getSubscriptions(),
    ]);
    const names = new Set(topics.map(({ name }) => name.split("/").at(-1)));
    const problems = catalog.flatMap(({ name, trigger }) => {
      if (trigger.kind !== "topic") return [];
      if (!names.has(trigger.topic)) return [`There is no topic ${trigger.topic}.`];
      return problemOf(trigger.topic, options.endpoint(name), subscriptions) ?? [];
    });
    if (problems.length > 0) throw new TopicsMissing(address, problems);
  } finally {
    await pubsub.close();
  }
};
