// What a subscription may ask for, what it gets where it says nothing, and how it is changed.
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import {
  completeSubscription,
  readSettings,
  type SubscriptionProto,
  updateSubscription,
} from "./settings.ts";

const base: SubscriptionProto = {
  name: "projects/p-1/subscriptions/sub",
  topic: "projects/p-1/topics/top",
};
const dead = "projects/p-1/topics/dead";

it("fills in what Pub/Sub fills in", () => {
  expect(readSettings(base)).toEqual({
    ackDeadlineMs: 10_000,
    retentionMs: 604_800_000,
    retry: undefined,
    deadLetter: undefined,
    push: undefined,
  });
  expect(
    readSettings({
      ...base,
      retryPolicy: {},
      deadLetterPolicy: { deadLetterTopic: dead },
      pushConfig: {
        pushEndpoint: "http://127.0.0.1:1/x",
        oidcToken: { serviceAccountEmail: "a@b" },
      },
    }),
  ).toMatchObject({
    retry: { minimumMs: 10_000, maximumMs: 600_000 },
    deadLetter: { topic: dead, maxAttempts: 5 },
    push: { oidc: { serviceAccountEmail: "a@b", audience: "http://127.0.0.1:1/x" } },
  });
});

const seconds = (value: number) => ({ seconds: value, nanos: 0 });
it.each<[string, Partial<SubscriptionProto>, keyof typeof status]>([
  ["a deadline below 10 s", { ackDeadlineSeconds: 9 }, "INVALID_ARGUMENT"],
  ["a deadline above 600 s", { ackDeadlineSeconds: 601 }, "INVALID_ARGUMENT"],
  ["backoff above 600 s", { retryPolicy: { maximumBackoff: seconds(601) } }, "INVALID_ARGUMENT"],
  [
    "a minimum above the maximum",
    { retryPolicy: { minimumBackoff: seconds(20), maximumBackoff: seconds(10) } },
    "INVALID_ARGUMENT",
  ],
  [
    "four delivery attempts",
    { deadLetterPolicy: { deadLetterTopic: dead, maxDeliveryAttempts: 4 } },
    "OUT_OF_RANGE",
  ],
  [
    "a dead-letter topic that is no topic",
    { deadLetterPolicy: { deadLetterTopic: "dead" } },
    "INVALID_ARGUMENT",
  ],
  ["an endpoint that is no address", { pushConfig: { pushEndpoint: "front" } }, "INVALID_ARGUMENT"],
  ["an endpoint that is a file", { pushConfig: { pushEndpoint: "file:///x" } }, "INVALID_ARGUMENT"],
  ["a filter", { filter: 'attributes.kind = "x"' }, "UNIMPLEMENTED"],
  ["ordering", { enableMessageOrdering: true }, "UNIMPLEMENTED"],
  ["a name without project", { name: "sub" }, "INVALID_ARGUMENT"],
  ["a name of two characters", { name: "projects/p-1/subscriptions/ab" }, "INVALID_ARGUMENT"],
])("refuses %s", (_, change, code) => {
  expect(() => completeSubscription({ ...base, ...change })).toThrow(
    expect.objectContaining({ code: status[code] }),
  );
});

it("changes what the mask names, and nothing else", () => {
  const current = completeSubscription({ ...base, ackDeadlineSeconds: 60 });
  const change = { ...base, ackDeadlineSeconds: 20, labels: { a: "b" }, topic: dead };
  expect(updateSubscription(current, change, ["ack_deadline_seconds"])).toEqual({
    ...current,
    ackDeadlineSeconds: 20,
  });
  expect(() => updateSubscription(current, change, ["topic"])).toThrow("cannot be changed");
  expect(() => updateSubscription(current, change, [])).toThrow("empty");
});
