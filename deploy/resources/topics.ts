// Topics and push subscriptions. A push carries the push account's token; the function's own
// request timeout lies below the ack deadline, so that a message is never delivered twice because
// the first delivery is still at work.
import type { FunctionSpec } from "#functions/catalog.ts";
import { type Known, LABEL_FLAG, type Resource, gcloud, idOf } from "../resource.ts";
import { accountEmail } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inProject } from "../where.ts";
import { type ListedKind, inList, listed } from "./listed.ts";
import { accountId, apiId } from "./project.ts";
import { serviceId, urlOf } from "./services.ts";

export const DEAD_LETTER_TOPIC = "dead-letter";
const ACK_DEADLINE_SEC = 600;
export const BACKOFF = { minSec: 10, maxSec: 600 } as const;
/**
 * The most that Pub/Sub allows. Attempts are counted in the ledger, at most 5 a stage; here every
 * refusal for want of an instance counts as well, and a dead letter would fail a healthy job.
 */
export const MAX_DELIVERY_ATTEMPTS = 100;
const RETENTION_SEC = 7 * 86_400;

export const topicId = (topic: string): string => idOf("topic", topic);
export const subscriptionName = (functionName: string): string => `${functionName}-push`;

type TopicFunction = FunctionSpec & { trigger: { kind: "topic"; topic: string } };
export const onTopics = (catalog: readonly FunctionSpec[]): TopicFunction[] =>
  catalog.filter((spec): spec is TopicFunction => spec.trigger.kind === "topic");

export const topicKind = (settings: Settings): ListedKind =>
  listed({
    kind: "topic",
    needs: [apiId("pubsub.googleapis.com")],
    list: gcloud("pubsub", "topics", "list", "--format=json", inProject(settings)),
    remove: (name) => [gcloud("pubsub", "topics", "delete", name, "--quiet", inProject(settings))],
  });

export const topics = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  onTopics(catalog).map(({ name, trigger: { topic } }) =>
    inList(topicKind(settings), topic, {
      parts: ["topics", name],
      // Its name is all there is to it.
      wanted: () => ({}),
      create: () => [
        gcloud("pubsub", "topics", "create", topic, `--labels=${LABEL_FLAG}`, inProject(settings)),
      ],
      update: () => [],
    }),
  );

export const subscriptionKind = (settings: Settings): ListedKind =>
  listed({
    kind: "subscription",
    needs: [apiId("pubsub.googleapis.com")],
    list: gcloud("pubsub", "subscriptions", "list", "--format=json", inProject(settings)),
    remove: (name) => [
      gcloud("pubsub", "subscriptions", "delete", name, "--quiet", inProject(settings)),
    ],
  });

export const subscriptions = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  onTopics(catalog).map((spec) => {
    const { topic } = spec.trigger;
    const name = subscriptionName(spec.name);
    const pusher = accountEmail("push", settings.projectId);
    const hasDeadLetter = topic !== DEAD_LETTER_TOPIC;
    const flags = (known: Known): string[] => [
      `--push-endpoint=${urlOf(spec.name, settings, known)}`,
      `--push-auth-service-account=${pusher}`,
      `--push-auth-token-audience=${urlOf(spec.name, settings, known)}`,
      `--ack-deadline=${ACK_DEADLINE_SEC}`,
      `--min-retry-delay=${BACKOFF.minSec}s`,
      `--max-retry-delay=${BACKOFF.maxSec}s`,
      `--message-retention-duration=${RETENTION_SEC}s`,
      "--expiration-period=never",
      ...(hasDeadLetter
        ? [
            `--dead-letter-topic=${DEAD_LETTER_TOPIC}`,
            `--max-delivery-attempts=${MAX_DELIVERY_ATTEMPTS}`,
          ]
        : []),
      inProject(settings),
    ];
    return inList(subscriptionKind(settings), name, {
      parts: ["subscriptions", spec.name],
      needs: [topicId(topic)],
      uses: [serviceId(spec.name), accountId("push")],
      wanted: (known) => ({
        pushConfig: {
          pushEndpoint: urlOf(spec.name, settings, known),
          oidcToken: { serviceAccountEmail: pusher, audience: urlOf(spec.name, settings, known) },
        },
        ackDeadlineSeconds: ACK_DEADLINE_SEC,
        retryPolicy: {
          minimumBackoff: `${BACKOFF.minSec}s`,
          maximumBackoff: `${BACKOFF.maxSec}s`,
        },
        messageRetentionDuration: `${RETENTION_SEC}s`,
        ...(hasDeadLetter
          ? {
              deadLetterPolicy: {
                deadLetterTopic: `projects/${settings.projectId}/topics/${DEAD_LETTER_TOPIC}`,
                maxDeliveryAttempts: MAX_DELIVERY_ATTEMPTS,
              },
            }
          : {}),
      }),
      create: (known) => [
        gcloud(
          "pubsub",
          "subscriptions",
          "create",
          name,
          `--topic=${topic}`,
          `--labels=${LABEL_FLAG}`,
          ...flags(known),
        ),
      ],
      update: (_current, known) => [
        gcloud("pubsub", "subscriptions", "update", name, ...flags(known)),
      ],
    });
  });
