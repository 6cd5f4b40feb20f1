// What survives a kill, and the pipeline's publisher on the real client.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PubSub, v1 } from "@google-cloud/pubsub";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createPublisher } from "#shared/cloud/publisher.ts";
import { startPushReceiver } from "./testing/pushReceiver.ts";
import { startPubSub } from "./server.ts";

process.env["METADATA_SERVER_DETECTION"] = "none";
const PROJECT = "server-test";
const mintIdToken = () => Promise.resolve("token");

let dataDir: string;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-pubsub-"));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(dataDir, { recursive: true, force: true });
});

const client = (address: string): PubSub => {
  const pubsub = new PubSub({ projectId: PROJECT, apiEndpoint: address, emulatorMode: true });
  closers.push(() => pubsub.close());
  return pubsub;
};
const subscriber = (address: string): v1.SubscriberClient => {
  const [servicePath = "", port] = address.split(":");
  const made = new v1.SubscriberClient({
    projectId: PROJECT,
    servicePath,
    port: Number(port),
    sslCreds: credentials.createInsecure(),
  });
  closers.push(() => made.close());
  return made;
};
const receiver = async (...args: Parameters<typeof startPushReceiver>) => {
  const made = await startPushReceiver(...args);
  closers.push(() => made.close());
  return made;
};
const startProcess = async (): Promise<{ address: string; child: ChildProcess }> => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("testing/serverProcess.ts", import.meta.url)), dataDir],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(child.stdout as NodeJS.EventEmitter, "data")) as [Buffer];
  return { address: line.toString("utf8").trim(), child };
};

/** A topic with a subscription, on a server in this process. */
const startedHere = async (id: string) => {
  const server = await startPubSub({ dataDir, mintIdToken });
  closers.push(() => server.close());
  const [topic] = await client(server.address).createTopic(id);
  const [{ name }] = await topic.createSubscription(id);
  return { topic, name, subscriptions: subscriber(server.address) };
};

it("killed with messages out: topics, subscriptions and all it had accepted are there again", async () => {
  const { address, child } = await startProcess();
  const endpoint = await receiver((push) =>
    push.message.attributes?.["n"] === "0" ? 204 : "hang",
  );
  const [topic] = await client(address).createTopic("events");
  await topic.createSubscription("events", { pushEndpoint: endpoint.url });
  const ids: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    ids.push(await topic.publishMessage({ json: { n }, attributes: { n: String(n) } }));
  }
  await endpoint.received(20);
  child.kill("SIGKILL");
  await once(child, "exit");
  await endpoint.close();

  const after = await receiver();
  const again = await startPubSub({ dataDir, mintIdToken, report: () => undefined });
  closers.push(() => again.close());
  await client(again.address).subscription("events").modifyPushConfig({ pushEndpoint: after.url });
  const pushes = await after.received(19);
  expect(new Set(pushes.map(({ message }) => message.messageId))).toEqual(new Set(ids.slice(1)));
});

it("killed: settings, failures, waits and what was pulled are as they were", async () => {
  const { address, child } = await startProcess();
  const before = client(address);
  const [events] = await before.createTopic("events");
  const [dead] = await before.createTopic("dead");
  await dead.createSubscription("graves");
  const settings = {
    ackDeadlineSeconds: 60,
    messageRetentionDuration: { seconds: 86_400 },
    deadLetterPolicy: {
      deadLetterTopic: `projects/${PROJECT}/topics/dead`,
      maxDeliveryAttempts: 5,
    },
    labels: { who: "test" },
  };
  await events.createSubscription("quick", settings);
  const minute = { seconds: 60 };
  const retryPolicy = { minimumBackoff: minute, maximumBackoff: minute };
  await events.createSubscription("slow", { ...settings, retryPolicy });
  const metadataOf = async (from: PubSub, name: string) =>
    (await from.subscription(name).getMetadata())[0];
  const was = await Promise.all(["quick", "slow"].map((name) => metadataOf(before, name)));
  expect(was[1]).toMatchObject({ ackDeadlineSeconds: 60, labels: { who: "test" } });

  await events.publishMessage({ data: Buffer.from("doomed"), attributes: { kind: "task" } });
  const subscriptionOf = (name: string) => `projects/${PROJECT}/subscriptions/${name}`;
  const pull = async (api: v1.SubscriberClient, name: string) => {
    const request = { subscription: subscriptionOf(name), maxMessages: 10 };
    const [answer] = await api.pull({ ...request, returnImmediately: true });
    return answer.receivedMessages ?? [];
  };
  const refuse = async (api: v1.SubscriberClient, name: string, ackId = "") => {
    const request = { subscription: subscriptionOf(name), ackIds: [ackId] };
    await api.modifyAckDeadline({ ...request, ackDeadlineSeconds: 0 });
  };
  const earlier = subscriber(address);
  await refuse(earlier, "slow", (await pull(earlier, "slow"))[0]?.ackId ?? "");
  for (const attempt of [1, 2, 3]) {
    const [message] = await pull(earlier, "quick");
    expect(message?.deliveryAttempt).toBe(attempt);
    await refuse(earlier, "quick", message?.ackId ?? "");
  }
  const [held] = await pull(earlier, "quick");
  expect(held?.deliveryAttempt).toBe(4);
  child.kill("SIGKILL");
  await once(child, "exit");

  const again = await startPubSub({ dataDir, mintIdToken });
  closers.push(() => again.close());
  const after = client(again.address);
  expect(await Promise.all(["quick", "slow"].map((name) => metadataOf(after, name)))).toEqual(was);
  const later = subscriber(again.address);
  // Refused before, it waits its minute; pulled before, it is still who pulled it's.
  expect([await pull(later, "slow"), await pull(later, "quick")]).toEqual([[], []]);
  await refuse(later, "quick", held?.ackId ?? "");
  const [last] = await pull(later, "quick");
  expect(last?.deliveryAttempt).toBe(5);
  await refuse(later, "quick", last?.ackId ?? "");
  expect(await pull(later, "quick")).toEqual([]);
  const [buried] = await pull(later, "graves");
  expect(buried?.message?.attributes).toMatchObject({
    kind: "task",
    CloudPubSubDeadLetterSourceDeliveryCount: "5",
    CloudPubSubDeadLetterSourceSubscription: "quick",
  });
});

it("a push carries the token of its account", async () => {
  const pubsub = await startPubSub({
    dataDir,
    mintIdToken: ({ serviceAccountEmail, audience }) =>
      Promise.resolve(`${serviceAccountEmail} for ${audience}`),
  });
  closers.push(() => pubsub.close());
  const endpoint = await receiver();
  const [topic] = await client(pubsub.address).createTopic("events");
  await topic.createSubscription("events", {
    pushConfig: {
      pushEndpoint: endpoint.url,
      oidcToken: {
        serviceAccountEmail: "push@p.iam.gserviceaccount.com",
        audience: "https://media",
      },
    },
  });
  await topic.publishMessage({ json: {} });
  const [push] = await endpoint.received(1);
  expect(push?.headers.authorization).toBe(
    "Bearer push@p.iam.gserviceaccount.com for https://media",
  );
});

it("the pipeline's publisher delivers JSON, and says when a topic is missing", async () => {
  const pubsub = await startPubSub({ dataDir, mintIdToken });
  closers.push(() => pubsub.close());
  process.env["PUBSUB_EMULATOR_HOST"] = pubsub.address;
  const publisher = createPublisher({ projectId: PROJECT });
  closers.push(() => publisher.close());
  const endpoint = await receiver();
  const [topic] = await client(pubsub.address).createTopic("media");
  await topic.createSubscription("media", { pushEndpoint: endpoint.url });
  const message = { v: 1, jobId: "j", stage: "media", index: 3 };
  await Promise.all([publisher.publish("media", message), publisher.publish("media", message)]);
  for (const push of await endpoint.received(2)) {
    expect(JSON.parse(Buffer.from(push.message.data ?? "", "base64").toString("utf8"))).toEqual(
      message,
    );
  }
  await expect(publisher.publish("missing", message)).rejects.toThrow("Topic not found");
  await publisher.close();
  await expect(publisher.publish("media", message)).rejects.toThrow("closed");
});

it("a topic that asks for what is not done here is refused by its name", async () => {
  const pubsub = await startPubSub({ dataDir, mintIdToken });
  closers.push(() => pubsub.close());
  const asked = { name: "kept", messageRetentionDuration: { seconds: 3600 } };
  await expect(client(pubsub.address).createTopic(asked)).rejects.toMatchObject({
    code: 12,
    details: "Not supported here: messageRetentionDuration.",
  });
});

it("closing ends streams and pushes under way, and nothing waits", async () => {
  const pubsub = await startPubSub({ dataDir, mintIdToken });
  const endpoint = await receiver(() => "hang");
  const google = client(pubsub.address);
  const [topic] = await google.createTopic("events");
  await topic.createSubscription("push", { pushEndpoint: endpoint.url });
  const [pulled] = await topic.createSubscription("pull");
  const gotten = once(pulled, "message");
  pulled.on("error", () => undefined);
  await topic.publishMessage({ json: {} });
  await Promise.all([endpoint.received(1), gotten]);
  await pubsub.close();
  await pulled.close();
  // The folder is free again.
  const again = await startPubSub({ dataDir, mintIdToken });
  await expect(again.close()).resolves.toBeUndefined();
});

it("takes what is published though it pushes no more, and pushes it when it is started again", async () => {
  const pubsub = await startPubSub({ dataDir, mintIdToken });
  const endpoint = await receiver(() => 204);
  const [topic] = await client(pubsub.address).createTopic("events");
  await topic.createSubscription("push", { pushEndpoint: endpoint.url });
  pubsub.stopPushing();
  await topic.publishMessage({ json: { at: "the end" } });
  await topic.createSubscription("late", { pushEndpoint: endpoint.url });
  await topic.publishMessage({ json: { at: "the end" } });
  await pubsub.close();
  expect(endpoint.pushes).toEqual([]);

  const again = await startPubSub({ dataDir, mintIdToken });
  closers.push(() => again.close());
  await expect(endpoint.received(3)).resolves.toHaveLength(3);
});

it("gives large messages out few at a time, as many as one answer can carry, by Pull and StreamingPull", async () => {
  const { topic, name, subscriptions } = await startedHere("large");
  for (let i = 0; i < 4; i++) await topic.publishMessage({ data: Buffer.alloc(9_000_000, i) });
  const [{ receivedMessages }] = await subscriptions.pull({ subscription: name, maxMessages: 2 });
  expect(receivedMessages).toHaveLength(1);
  const stream = subscriptions.streamingPull();
  stream.write({ subscription: name, streamAckDeadlineSeconds: 10 });
  let received = 0;
  for await (const answer of stream as AsyncIterable<{ receivedMessages: unknown[] }>) {
    received += answer.receivedMessages.length;
    if (received === 3) break;
  }
});

it("tells a stream why it ends: the subscription is deleted, or what it asks for is wrong", async () => {
  const { name, subscriptions } = await startedHere("ended");
  const endOf = async (request: object, meanwhile?: () => Promise<unknown>): Promise<unknown> => {
    const stream = subscriptions.streamingPull();
    const ended = once(stream, "error") as Promise<[{ code: number }]>;
    stream.write({ subscription: name, streamAckDeadlineSeconds: 10, ...request });
    await meanwhile?.();
    const [{ code }] = await ended;
    return code;
  };
  expect(await endOf({ streamAckDeadlineSeconds: 5 })).toBe(status.INVALID_ARGUMENT);
  expect(await endOf({ modifyDeadlineAckIds: ["1-1"] })).toBe(status.INVALID_ARGUMENT);
  expect(await endOf({ subscription: `${name}-none` })).toBe(status.NOT_FOUND);
  const deleted = () => subscriptions.deleteSubscription({ subscription: name });
  expect(await endOf({}, deleted)).toBe(status.NOT_FOUND);
});
