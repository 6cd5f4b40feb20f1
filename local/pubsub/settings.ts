// A subscription as it crosses the wire, and what of it decides how messages are delivered.
// What this Pub/Sub does not do is refused at creation, so that nothing is quietly different.
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./backoff.ts";
import { subscriptionName, topicName } from "./names.ts";
import { RpcError } from "./rpcError.ts";

interface Duration {
  seconds: number;
  nanos: number;
}

/** google.pubsub.v1.Subscription, as far as it is used. The rest is kept and given back. */
export interface SubscriptionProto {
  name: string;
  topic: string;
  pushConfig?: {
    pushEndpoint?: string;
    attributes?: Record<string, string>;
    oidcToken?: { serviceAccountEmail?: string; audience?: string } | null;
    noWrapper?: unknown;
  } | null;
  ackDeadlineSeconds?: number;
  messageRetentionDuration?: Duration | null;
  retryPolicy?: { minimumBackoff?: Duration | null; maximumBackoff?: Duration | null } | null;
  deadLetterPolicy?: { deadLetterTopic?: string; maxDeliveryAttempts?: number } | null;
  labels?: Record<string, string>;
  [field: string]: unknown;
}

export interface PushTarget {
  endpoint: string;
  oidc: { serviceAccountEmail: string; audience: string } | undefined;
}

export interface DeadLetterPolicy {
  topic: string;
  maxAttempts: number;
}

export interface SubscriptionSettings {
  ackDeadlineMs: number;
  retentionMs: number;
  retry: RetryPolicy | undefined;
  deadLetter: DeadLetterPolicy | undefined;
  push: PushTarget | undefined;
}

const UNSUPPORTED = [
  "filter",
  "enableMessageOrdering",
  "enableExactlyOnceDelivery",
  "retainAckedMessages",
  "bigqueryConfig",
  "cloudStorageConfig",
  "bigtableConfig",
  "messageTransforms",
] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Pub/Sub's own bounds and defaults (https://cloud.google.com/pubsub/quotas). */
const ACK_DEADLINE_SEC = { least: 10, most: 600, default: 10 };
const RETENTION_MS = { least: 10 * MINUTE_MS, most: 31 * DAY_MS, default: 7 * DAY_MS };
const DELIVERY_ATTEMPTS = { least: 5, most: 100, default: 5 };
const MAX_BACKOFF_MS = 10 * MINUTE_MS;

const invalid = (details: string): RpcError => new RpcError("INVALID_ARGUMENT", details);

/** Whether a field of a message says anything: absent ones come as their defaults. */
export const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : Boolean(value);

const toMs = (duration: Duration): number =>
  duration.seconds * 1000 + Math.round(duration.nanos / 1e6);

const retryPolicy = (proto: SubscriptionProto): RetryPolicy | undefined => {
  if (!proto.retryPolicy) return undefined;
  const { minimumBackoff, maximumBackoff } = proto.retryPolicy;
  const minimumMs = minimumBackoff ? toMs(minimumBackoff) : DEFAULT_RETRY_POLICY.minimumMs;
  const maximumMs = maximumBackoff ? toMs(maximumBackoff) : DEFAULT_RETRY_POLICY.maximumMs;
  if (minimumMs < 0 || maximumMs > MAX_BACKOFF_MS || minimumMs > maximumMs) {
    throw invalid("Backoff must lie between 0 and 600 s, the minimum not above the maximum.");
  }
  return { minimumMs, maximumMs };
};

const deadLetterPolicy = (proto: SubscriptionProto): DeadLetterPolicy | undefined => {
  if (!proto.deadLetterPolicy?.deadLetterTopic) return undefined;
  const maxAttempts = proto.deadLetterPolicy.maxDeliveryAttempts || DELIVERY_ATTEMPTS.default;
  if (maxAttempts < DELIVERY_ATTEMPTS.least || maxAttempts > DELIVERY_ATTEMPTS.most) {
    throw new RpcError("OUT_OF_RANGE", "maxDeliveryAttempts must lie between 5 and 100.");
  }
  return { topic: topicName(proto.deadLetterPolicy.deadLetterTopic), maxAttempts };
};

const pushTarget = (proto: SubscriptionProto): PushTarget | undefined => {
  const endpoint = proto.pushConfig?.pushEndpoint;
  if (!endpoint) return undefined;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw invalid(`Invalid push endpoint ${JSON.stringify(endpoint.slice(0, 300))}.`);
  }
  const token = proto.pushConfig?.oidcToken;
  if (token && !token.serviceAccountEmail) {
    throw invalid("oidcToken.serviceAccountEmail is missing.");
  }
  return {
    endpoint,
    // Without an audience Pub/Sub takes the push endpoint for it.
    oidc: token?.serviceAccountEmail
      ? { serviceAccountEmail: token.serviceAccountEmail, audience: token.audience || endpoint }
      : undefined,
  };
};

/**
 * What a subscription asks for, checked.
 * @throws {RpcError} INVALID_ARGUMENT or OUT_OF_RANGE for values out of bounds, UNIMPLEMENTED for what
 *   is not done
 */
export const readSettings = (proto: SubscriptionProto): SubscriptionSettings => {
  const unsupported: string[] = UNSUPPORTED.filter((field) => isSet(proto[field]));
  if (proto.pushConfig?.noWrapper) unsupported.push("pushConfig.noWrapper");
  if (unsupported.length > 0) {
    throw new RpcError("UNIMPLEMENTED", `Not supported here: ${unsupported.join(", ")}.`);
  }
  const ackDeadlineSeconds = proto.ackDeadlineSeconds || ACK_DEADLINE_SEC.default;
  if (ackDeadlineSeconds < ACK_DEADLINE_SEC.least || ackDeadlineSeconds > ACK_DEADLINE_SEC.most) {
    throw invalid("ackDeadlineSeconds must lie between 10 and 600.");
  }
  const retentionMs = proto.messageRetentionDuration
    ? toMs(proto.messageRetentionDuration)
    : RETENTION_MS.default;
  if (retentionMs < RETENTION_MS.least || retentionMs > RETENTION_MS.most) {
    throw invalid("messageRetentionDuration must lie between 10 minutes and 31 days.");
  }
  return {
    ackDeadlineMs: ackDeadlineSeconds * 1000,
    retentionMs,
    retry: retryPolicy(proto),
    deadLetter: deadLetterPolicy(proto),
    push: pushTarget(proto),
  };
};

/** A new subscription with its names checked and Pub/Sub's defaults filled in. */
export const completeSubscription = (proto: SubscriptionProto): SubscriptionProto => {
  const settings = readSettings(proto);
  return {
    ...proto,
    name: subscriptionName(proto.name),
    topic: topicName(proto.topic),
    ackDeadlineSeconds: settings.ackDeadlineMs / 1000,
    messageRetentionDuration: { seconds: settings.retentionMs / 1000, nanos: 0 },
    state: "ACTIVE",
  };
};

const MUTABLE = [
  "ackDeadlineSeconds",
  "deadLetterPolicy",
  "expirationPolicy",
  "labels",
  "messageRetentionDuration",
  "pushConfig",
  "retryPolicy",
] as const;

/**
 * The subscription with the fields of an update mask taken from `change`.
 * @param paths of the mask, in snake or camel case; `pushConfig.pushEndpoint` counts as `pushConfig`
 */
export const updateSubscription = (
  current: SubscriptionProto,
  change: SubscriptionProto,
  paths: string[],
): SubscriptionProto => {
  if (paths.length === 0) throw invalid("The update mask is empty.");
  const next: SubscriptionProto = { ...current };
  for (const path of paths) {
    const field = path
      .split(".")[0]
      ?.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!(MUTABLE as readonly (string | undefined)[]).includes(field) || field === undefined) {
      throw invalid(`${JSON.stringify(path)} cannot be changed.`);
    }
    next[field] = change[field];
  }
  return completeSubscription(next);
};
