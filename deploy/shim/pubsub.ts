// Topics and subscriptions.
import { Refused } from "./flags.ts";
import { type Call, type Spec, first, labelsOf } from "./spec.ts";
import { type Item, add, change, drop, get, has, list } from "./state.ts";

const api = "pubsub.googleapis.com";

const SETTINGS = [
  "push-endpoint!",
  "push-auth-service-account!",
  "push-auth-token-audience!",
  "ack-deadline!",
  "min-retry-delay!",
  "max-retry-delay!",
  "message-retention-duration!",
  "expiration-period!",
  "dead-letter-topic=",
  "max-delivery-attempts=",
];

const between = (text: string | undefined, least: number, most: number, what: string): number => {
  const value = Number(String(text).replace(/s$/, ""));
  if (!(value >= least && value <= most)) throw new Refused(`INVALID_ARGUMENT: ${what} ${text}`);
  return value;
};

const settingsOf = ({ state, flags }: Call): Item => {
  const account = flags["push-auth-service-account"] ?? "";
  get(state, "account", account);
  const endpoint = flags["push-endpoint"] ?? "";
  const urls = list(state, "service").map((item) => (item["status"] as { url: string }).url);
  if (!urls.includes(endpoint)) throw new Refused(`Nothing answers at ${endpoint}.`);
  const dead = flags["dead-letter-topic"];
  if (dead !== undefined) get(state, "topic", dead);
  return {
    pushConfig: {
      pushEndpoint: endpoint,
      oidcToken: { serviceAccountEmail: account, audience: flags["push-auth-token-audience"] },
    },
    ackDeadlineSeconds: between(flags["ack-deadline"], 10, 600, "ack deadline"),
    retryPolicy: {
      minimumBackoff: `${between(flags["min-retry-delay"], 0, 600, "backoff")}s`,
      maximumBackoff: `${between(flags["max-retry-delay"], 0, 600, "backoff")}s`,
    },
    messageRetentionDuration: `${between(flags["message-retention-duration"], 600, 2_678_400, "retention")}s`,
    expirationPolicy: {},
    ...(dead === undefined
      ? {}
      : {
          deadLetterPolicy: {
            deadLetterTopic: `projects/${state.project.projectId}/topics/${dead}`,
            maxDeliveryAttempts: between(flags["max-delivery-attempts"], 5, 100, "attempts"),
          },
        }),
  };
};

export const PUBSUB: readonly Spec[] = [
  { words: "pubsub topics list", api, run: ({ state }) => list(state, "topic") },
  {
    words: "pubsub topics create",
    flags: ["labels="],
    positional: 1,
    api,
    mutates: true,
    run: (call) =>
      add(call.state, "topic", first(call), {
        name: `projects/${call.state.project.projectId}/topics/${first(call)}`,
        labels: labelsOf(call.flags["labels"]),
      }),
  },
  {
    words: "pubsub topics delete",
    flags: ["quiet"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => drop(call.state, "topic", first(call)),
  },
  { words: "pubsub subscriptions list", api, run: ({ state }) => list(state, "subscription") },
  {
    words: "pubsub subscriptions create",
    flags: ["topic!", "labels=", ...SETTINGS],
    positional: 1,
    api,
    mutates: true,
    run: (call) => {
      const topic = call.flags["topic"] ?? "";
      if (!has(call.state, "topic", topic)) throw new Refused(`NOT_FOUND: topic ${topic}`);
      return add(call.state, "subscription", first(call), {
        name: `projects/${call.state.project.projectId}/subscriptions/${first(call)}`,
        topic: `projects/${call.state.project.projectId}/topics/${topic}`,
        labels: labelsOf(call.flags["labels"]),
        ...settingsOf(call),
      });
    },
  },
  {
    words: "pubsub subscriptions update",
    flags: SETTINGS,
    positional: 1,
    api,
    mutates: true,
    run: (call) => change(call.state, "subscription", first(call), settingsOf(call)),
  },
  {
    words: "pubsub subscriptions delete",
    flags: ["quiet"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => drop(call.state, "subscription", first(call)),
  },
];
