// The life of a message, move by move, on a clock of the test's own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createBroker } from "./broker.ts";
import { createFakeClock } from "./testing/fakeClock.ts";
import { completeSubscription, type SubscriptionProto } from "./settings.ts";
import { openStore } from "./store.ts";

const TOPIC = "projects/p-1/topics/events";
const DEAD = "projects/p-1/topics/dead";
const SUB = "projects/p-1/subscriptions/events";
const GRAVES = "projects/p-1/subscriptions/graves";
const seconds = (value: number) => ({ seconds: value, nanos: 0 });

let dataDir: string;
let clock: ReturnType<typeof createFakeClock>;
let store: ReturnType<typeof openStore>;
let broker: ReturnType<typeof createBroker>;

const open = (): void => {
  store = openStore(dataDir, clock.now());
  broker = createBroker(store, clock);
};
const close = (): void => {
  broker.close();
  store.close();
};
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "klipstream-broker-"));
  clock = createFakeClock();
  open();
  for (const name of [TOPIC, DEAD]) store.insertTopic(name, { name });
});
afterEach(() => {
  close();
  rmSync(dataDir, { recursive: true });
});

const subscribe = (config: Partial<SubscriptionProto> = {}, name = SUB, topic = TOPIC): void => {
  store.insertSubscription(completeSubscription({ ...config, name, topic }));
};
const publish = (text: string, attributes: Record<string, string> = {}): string =>
  broker.publish(TOPIC, [{ data: Buffer.from(text), attributes, orderingKey: "" }])[0] ?? "";
const texts = (name = SUB, limit = 10): string[] =>
  broker.lease(name, limit).map(({ message }) => Buffer.from(message.data).toString("utf8"));
const take = (name = SUB) => {
  const [leased] = broker.lease(name, 1);
  if (!leased) throw new Error("There is nothing to take.");
  return leased;
};

it("published -> leased once -> acknowledged -> gone", () => {
  subscribe();
  publish("a");
  const { ackId } = take();
  expect(texts()).toEqual([]);
  expect(broker.acknowledge(SUB, ackId)).toBe(true);
  expect(broker.acknowledge(SUB, ackId)).toBe(false);
  expect(store.backlog(1)).toBe(0);
});

it("messages come in the order they were published, as many as asked for", () => {
  subscribe();
  for (const text of ["a", "b", "c"]) publish(text);
  expect(texts(SUB, 2)).toEqual(["a", "b"]);
  expect(texts()).toEqual(["c"]);
});

it("a subscription gets what is published after it was made", () => {
  publish("before");
  subscribe();
  publish("after");
  expect(texts()).toEqual(["after"]);
});

it("refused without a retry policy -> due at once", () => {
  subscribe();
  publish("a");
  broker.refuse(SUB, take().ackId);
  expect(texts()).toEqual(["a"]);
});

it("refused with a retry policy -> due after a wait that doubles", async () => {
  subscribe({ retryPolicy: { minimumBackoff: seconds(1), maximumBackoff: seconds(3) } });
  publish("a");
  for (const waitMs of [1000, 2000, 3000, 3000]) {
    broker.refuse(SUB, take().ackId);
    await clock.advance(waitMs - 1);
    expect(texts()).toEqual([]);
    await clock.advance(1);
  }
  expect(texts()).toEqual(["a"]);
});

it("not acknowledged within the deadline -> counts as refused; the late answer changes nothing", async () => {
  subscribe({
    ackDeadlineSeconds: 10,
    deadLetterPolicy: { deadLetterTopic: DEAD, maxDeliveryAttempts: 5 },
    retryPolicy: { minimumBackoff: seconds(1), maximumBackoff: seconds(1) },
  });
  publish("a");
  const heard: number[] = [];
  broker.listen(SUB, () => heard.push(clock.now()));
  const late = take();
  expect(late.deliveryAttempt).toBe(1);
  await clock.advance(10_999);
  expect(texts()).toEqual([]);
  const before = heard.length;
  await clock.advance(1);
  expect(heard.length).toBeGreaterThan(before);
  const again = take();
  expect(again.deliveryAttempt).toBe(2);
  broker.refuse(SUB, late.ackId);
  expect(broker.acknowledge(SUB, late.ackId)).toBe(false);
  expect(broker.acknowledge(SUB, again.ackId)).toBe(true);
});

it("a deadline that is extended holds the message", async () => {
  subscribe();
  publish("a");
  const { ackId } = take();
  await clock.advance(9000);
  broker.extend(SUB, ackId, 60_000);
  await clock.advance(59_999);
  expect(texts()).toEqual([]);
  expect(broker.acknowledge(SUB, ackId)).toBe(true);
});

it("refused as often as the dead letter policy allows -> in the dead-letter topic", () => {
  subscribe({ deadLetterPolicy: { deadLetterTopic: DEAD, maxDeliveryAttempts: 5 } });
  subscribe({}, GRAVES, DEAD);
  publish("a", { kind: "task" });
  const publishTime = new Date(clock.now()).toISOString();
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const leased = take();
    expect(leased.deliveryAttempt).toBe(attempt);
    broker.refuse(SUB, leased.ackId);
  }
  expect(texts()).toEqual([]);
  const { message } = take(GRAVES);
  expect(Buffer.from(message.data).toString("utf8")).toBe("a");
  expect(message.attributes).toEqual({
    kind: "task",
    CloudPubSubDeadLetterSourceDeliveryCount: "5",
    CloudPubSubDeadLetterSourceSubscription: "events",
    CloudPubSubDeadLetterSourceSubscriptionProject: "p-1",
    CloudPubSubDeadLetterSourceTopicPublishTime: publishTime,
  });
});

it("where there is no dead-letter topic, delivered on and on", () => {
  subscribe({ deadLetterPolicy: { deadLetterTopic: `${DEAD}-gone`, maxDeliveryAttempts: 5 } });
  publish("a");
  for (let attempt = 1; attempt <= 8; attempt += 1) broker.refuse(SUB, take().ackId);
  expect(take().deliveryAttempt).toBe(9);
});

it("closed and opened again: what was being pushed is due at once, with its failures; old answers are void", () => {
  subscribe({
    deadLetterPolicy: { deadLetterTopic: DEAD, maxDeliveryAttempts: 5 },
    pushConfig: { pushEndpoint: "http://front.test/" },
  });
  publish("a");
  broker.refuse(SUB, take().ackId);
  const held = take();
  close();
  open();
  expect(broker.acknowledge(SUB, held.ackId)).toBe(false);
  const again = take();
  expect(again.deliveryAttempt).toBe(2);
  expect(again.ackId).not.toBe(held.ackId);
});

it("closed and opened again: what was pulled is held on, and can be acknowledged, extended or refused", async () => {
  subscribe({ ackDeadlineSeconds: 30 });
  for (const text of ["acknowledged", "extended", "refused"]) publish(text);
  const [acknowledged = "", extended = "", refused = ""] = broker
    .lease(SUB, 3)
    .map(({ ackId }) => ackId);
  await clock.advance(20_000);
  close();
  open();
  expect(texts()).toEqual([]);
  expect(broker.acknowledge(SUB, acknowledged)).toBe(true);
  broker.extend(SUB, extended, 60_000);
  broker.refuse(SUB, refused);
  expect(texts()).toEqual(["refused"]);
  await clock.advance(29_999);
  expect(texts()).toEqual([]);
  expect(broker.acknowledge(SUB, extended)).toBe(true);
});

it("closed and opened again: a deadline that passes meanwhile, or later, counts as refused", async () => {
  subscribe({
    deadLetterPolicy: { deadLetterTopic: DEAD, maxDeliveryAttempts: 5 },
    ackDeadlineSeconds: 30,
  });
  publish("meanwhile");
  take();
  close();
  await clock.advance(30_000);
  open();
  const again = take();
  expect(again.deliveryAttempt).toBe(2);
  close();
  open();
  const offered: number[] = [];
  broker.listen(SUB, () => {
    for (const { deliveryAttempt = 0 } of broker.lease(SUB, 1)) offered.push(deliveryAttempt);
  });
  await clock.advance(29_999);
  expect(offered).toEqual([]);
  await clock.advance(1);
  expect(offered).toEqual([3]);
});

it("closed and opened again, the clock where it was: an old lease is no new one's", () => {
  subscribe({ pushConfig: { pushEndpoint: "http://front.test/" } });
  publish("a");
  const held = take();
  close();
  open();
  expect(take().ackId).not.toBe(held.ackId);
  expect(broker.acknowledge(SUB, held.ackId)).toBe(false);
});

it("closed and opened again: a wait goes on where it was", async () => {
  subscribe({ retryPolicy: { minimumBackoff: seconds(60), maximumBackoff: seconds(60) } });
  publish("a");
  broker.refuse(SUB, take().ackId);
  await clock.advance(30_000);
  close();
  open();
  expect(texts()).toEqual([]);
  await clock.advance(30_000);
  expect(texts()).toEqual(["a"]);
});

it("consumers of one subscription take turns", () => {
  subscribe();
  const served: string[] = [];
  for (const who of ["x", "y"]) {
    broker.listen(SUB, () => {
      for (const { ackId } of broker.lease(SUB, 1)) {
        served.push(who);
        broker.acknowledge(SUB, ackId);
      }
    });
  }
  for (const text of ["a", "b", "c", "d"]) publish(text);
  expect(served).toEqual(["y", "x", "y", "x"]);
});

it("older than the retention -> dropped", async () => {
  subscribe({ messageRetentionDuration: seconds(600) });
  publish("old");
  broker.listen(SUB, () => undefined);
  await clock.advance(700_000);
  publish("new");
  await clock.advance(510_000);
  expect(texts()).toEqual(["new"]);
});

it("older than the retention when it is opened again -> dropped, though nobody listened", async () => {
  subscribe({ messageRetentionDuration: seconds(600) });
  publish("old");
  close();
  await clock.advance(500_000);
  open();
  publish("new");
  close();
  await clock.advance(200_000);
  open();
  expect(texts()).toEqual(["new"]);
});

it("a second process is refused the folder", () => {
  expect(() => openStore(dataDir, clock.now())).toThrow("Another process");
});
