// What the pipeline relies on in Pub/Sub, shown through the official client; it holds for ours and
// for Google's emulator.
import { once } from "node:events";
import type { Message } from "@google-cloud/pubsub";
import { type Bench, PROJECT } from "./contender.ts";

/** Declares them; the longer ones are first, since few run at once. */
export const contractTests = ({
  it,
  countsAttempts,
  pubsub,
  topic,
  fresh,
  receiver,
  subscriberClient,
}: Bench): void => {
  it("after five refusals a message goes to the dead-letter topic, said where from", async ({
    expect,
  }) => {
    const endpoint = await receiver(() => 500);
    const [events, dead] = [await topic(), await topic()];
    const [graveyard] = await dead.createSubscription(fresh("pull"));
    const [subscription] = await events.createSubscription(fresh("push"), {
      pushEndpoint: endpoint.url,
      deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 },
      retryPolicy: { minimumBackoff: { nanos: 1e8 }, maximumBackoff: { nanos: 2e8 } },
    });
    await events.publishMessage({ data: Buffer.from("doomed"), attributes: { kind: "task" } });
    const [buried] = (await once(graveyard, "message")) as [Message];
    buried.ack();
    await graveyard.close();
    expect(endpoint.pushes).toHaveLength(5);
    expect(buried.data.toString("utf8")).toBe("doomed");
    expect(buried.attributes).toMatchObject({
      kind: "task",
      CloudPubSubDeadLetterSourceDeliveryCount: "5",
      CloudPubSubDeadLetterSourceSubscription: subscription.name.split("/").at(-1),
      CloudPubSubDeadLetterSourceSubscriptionProject: PROJECT,
    });
    if (countsAttempts) {
      expect(endpoint.pushes.map((push) => push.deliveryAttempt)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it("a push that is not answered within the ack deadline comes again", async ({ expect }) => {
    const endpoint = await receiver((_, nth) => (nth === 0 ? "hang" : 204));
    const events = await topic();
    await events.createSubscription(fresh("push"), {
      pushEndpoint: endpoint.url,
      ackDeadlineSeconds: 10,
      retryPolicy: { minimumBackoff: { nanos: 1e8 }, maximumBackoff: { seconds: 1 } },
    });
    await events.publishMessage({ data: Buffer.from("slow") });
    const [first, second] = await endpoint.received(2);
    expect(second?.message.messageId).toBe(first?.message.messageId);
    expect((second?.receivedMs ?? 0) - (first?.receivedMs ?? 0)).toBeGreaterThan(9000);
  });

  it("what is pulled and refused five times goes to the dead-letter topic as well", async ({
    expect,
  }) => {
    const client = subscriberClient();
    const [events, dead] = [await topic(), await topic()];
    const [{ name: graves }] = await dead.createSubscription(fresh("pull"));
    const [{ name: subscription }] = await events.createSubscription(fresh("pull"), {
      deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 },
    });
    const pullOne = async (from: string) => {
      const request = { subscription: from, maxMessages: 1, returnImmediately: true };
      return (await client.pull(request))[0].receivedMessages?.[0];
    };
    await events.publishMessage({ data: Buffer.from("doomed") });
    const attempts: unknown[] = [];
    let buried: Awaited<ReturnType<typeof pullOne>>;
    // The emulator buries it when it is asked for once more.
    while (!buried) {
      const received = await pullOne(subscription);
      if (received) {
        attempts.push(received.deliveryAttempt);
        const ackIds = [received.ackId ?? ""];
        await client.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 0 });
      }
      buried = await pullOne(graves);
    }
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(buried.message?.attributes).toMatchObject({
      CloudPubSubDeadLetterSourceDeliveryCount: "5",
    });
  });

  it("what is published while nobody listens is kept, and handed on in parts", async ({
    expect,
  }) => {
    const client = subscriberClient();
    const events = await topic();
    const [{ name: subscription }] = await events.createSubscription(fresh("pull"));
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, n) => events.publishMessage({ json: { n } })),
    );
    const seen: string[] = [];
    while (seen.length < ids.length) {
      const [answer] = await client.pull({ subscription, maxMessages: 7 });
      const received = answer.receivedMessages ?? [];
      expect(received.length).toBeLessThanOrEqual(7);
      seen.push(...received.map(({ message }) => message?.messageId ?? ""));
      const ackIds = received.map(({ ackId }) => ackId ?? "");
      if (ackIds.length > 0) await client.acknowledge({ subscription, ackIds });
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  it("a published message is pushed with its data, attributes, id and time", async ({ expect }) => {
    const endpoint = await receiver();
    const events = await topic();
    const [subscription] = await events.createSubscription(fresh("push"), {
      pushEndpoint: endpoint.url,
    });
    const messageId = await events.publishMessage({
      json: { v: 1, jobId: "job", stage: "media", index: 3 },
      attributes: { kind: "task" },
    });
    const [push] = await endpoint.received(1);
    expect(push?.subscription).toBe(subscription.name);
    expect(push?.message.attributes).toEqual({ kind: "task" });
    expect(push?.message.messageId).toBe(messageId);
    expect(push?.message.message_id).toBe(messageId);
    expect(Date.parse(push?.message.publishTime ?? "")).toBeGreaterThan(Date.now() - 60_000);
    expect(push?.message.publish_time).toBe(push?.message.publishTime);
    expect(JSON.parse(Buffer.from(push?.message.data ?? "", "base64").toString("utf8"))).toEqual({
      v: 1,
      jobId: "job",
      stage: "media",
      index: 3,
    });
    expect(push?.headers["content-type"]).toMatch(/^application\/json/);
    expect(push?.deliveryAttempt).toBeUndefined();
  });

  it("every subscription of a topic gets the message", async ({ expect }) => {
    const endpoints = [await receiver(), await receiver()];
    const events = await topic();
    for (const { url } of endpoints) {
      await events.createSubscription(fresh("push"), { pushEndpoint: url });
    }
    const messageId = await events.publishMessage({ data: Buffer.from("both") });
    for (const endpoint of endpoints) {
      const [push] = await endpoint.received(1);
      expect(push?.message.messageId).toBe(messageId);
    }
  });

  it("a refused push comes again, each time after a longer wait", async ({ expect }) => {
    const endpoint = await receiver((_, nth) => (nth < 2 ? 503 : 200));
    const events = await topic();
    await events.createSubscription(fresh("push"), {
      pushEndpoint: endpoint.url,
      retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 10 } },
    });
    await events.publishMessage({ data: Buffer.from("again") });
    const [first, second, third] = await endpoint.received(3);
    expect(second?.message.messageId).toBe(first?.message.messageId);
    const gaps = [
      (second?.receivedMs ?? 0) - (first?.receivedMs ?? 0),
      (third?.receivedMs ?? 0) - (second?.receivedMs ?? 0),
    ];
    expect(gaps[0]).toBeGreaterThanOrEqual(900);
    expect(gaps[1]).toBeGreaterThan(gaps[0] ?? 0);
  });

  it("a streaming pull gets messages, again after nack, never after ack", async ({ expect }) => {
    const events = await topic();
    const [subscription] = await events.createSubscription(fresh("pull"));
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    subscription.on("message", (message: Message) => {
      const text = message.data.toString("utf8");
      if (seen.includes(text)) {
        message.ack();
        done.resolve();
      } else {
        seen.push(text);
        message.nack();
      }
    });
    await events.publishMessage({ data: Buffer.from("stream") });
    await done.promise;
    await subscription.close();
    const [left] = await subscriberClient().pull({
      subscription: subscription.name,
      maxMessages: 10,
      returnImmediately: true,
    });
    expect(left.receivedMessages).toEqual([]);
  });

  it("a pull takes messages, waits for the first, and acknowledges by id", async ({ expect }) => {
    const client = subscriberClient();
    const events = await topic();
    const [{ name }] = await events.createSubscription(fresh("pull"));
    const waiting = client.pull({ subscription: name, maxMessages: 1 });
    await events.publishMessage({ data: Buffer.from("pulled"), attributes: { n: "1" } });
    const received = (await waiting)[0].receivedMessages?.[0];
    expect(Buffer.from((received?.message?.data ?? "") as Uint8Array).toString("utf8")).toBe(
      "pulled",
    );
    expect(received?.message?.attributes).toEqual({ n: "1" });
    // A deadline of zero is a refusal: the message is there again at once.
    const ackIds = [received?.ackId ?? ""];
    await client.modifyAckDeadline({ subscription: name, ackIds, ackDeadlineSeconds: 0 });
    const again = (await client.pull({ subscription: name, maxMessages: 1 }))[0]
      .receivedMessages?.[0];
    expect(again?.message?.messageId).toBe(received?.message?.messageId);
    await client.acknowledge({ subscription: name, ackIds: [again?.ackId ?? ""] });
    const [left] = await client.pull({
      subscription: name,
      maxMessages: 1,
      returnImmediately: true,
    });
    expect(left.receivedMessages).toEqual([]);
  });

  it("a subscription that is changed to another endpoint pushes there", async ({ expect }) => {
    const [first, second] = [await receiver(), await receiver()];
    const events = await topic();
    const [subscription] = await events.createSubscription(fresh("push"), {
      pushEndpoint: first.url,
    });
    await events.publishMessage({ data: Buffer.from("one") });
    await first.received(1);
    await subscription.modifyPushConfig({ pushEndpoint: second.url });
    await events.publishMessage({ data: Buffer.from("two") });
    const [push] = await second.received(1);
    expect(Buffer.from(push?.message.data ?? "", "base64").toString("utf8")).toBe("two");
  });

  it("a subscription's settings can be changed all at once", async ({ expect }) => {
    const [first, second] = [await receiver(), await receiver()];
    const [events, dead] = [await topic(), await topic()];
    const id = fresh("push");
    const [subscription] = await events.createSubscription(id, { pushEndpoint: first.url });
    const settings = {
      ackDeadlineSeconds: 60,
      retryPolicy: { minimumBackoff: { seconds: 2 }, maximumBackoff: { seconds: 20 } },
      deadLetterPolicy: { deadLetterTopic: dead.name, maxDeliveryAttempts: 9 },
      pushConfig: { pushEndpoint: second.url },
    };
    await subscription.setMetadata(settings);
    const [metadata] = await subscription.getMetadata();
    expect(metadata).toMatchObject({
      ackDeadlineSeconds: 60,
      deadLetterPolicy: settings.deadLetterPolicy,
      pushConfig: settings.pushConfig,
    });
    expect(Number(metadata.retryPolicy?.maximumBackoff?.seconds)).toBe(20);
    await events.publishMessage({ data: Buffer.from("moved") });
    await second.received(1);
  });

  it("topics and subscriptions are listed, found, and gone when deleted", async ({ expect }) => {
    const events = await topic();
    const id = fresh("push");
    const [subscription] = await events.createSubscription(id, {
      pushEndpoint: "http://127.0.0.1:9/",
    });
    const [metadata] = await subscription.getMetadata();
    expect(metadata.topic).toBe(events.name);
    expect(metadata.pushConfig?.pushEndpoint).toBe("http://127.0.0.1:9/");
    expect(metadata.ackDeadlineSeconds).toBe(10);
    const names = (await events.getSubscriptions())[0].map(({ name }) => name);
    expect(names).toEqual([subscription.name]);
    expect((await pubsub().getTopics())[0].map(({ name }) => name)).toContain(events.name);
    expect((await pubsub().getSubscriptions())[0].map(({ name }) => name)).toContain(
      subscription.name,
    );
    await subscription.delete();
    expect(await subscription.exists()).toEqual([false]);
    await events.delete();
    expect(await events.exists()).toEqual([false]);
  });

  it("a subscription outlives its topic, and says so", async ({ expect }) => {
    const client = subscriberClient();
    const events = await topic();
    const [subscription] = await events.createSubscription(fresh("pull"));
    await events.publishMessage({ data: Buffer.from("last") });
    await events.delete();
    expect((await subscription.getMetadata())[0].topic).toBe("_deleted-topic_");
    const [left] = await client.pull({ subscription: subscription.name, maxMessages: 1 });
    expect(left.receivedMessages).toHaveLength(1);
  });

  it("values out of bounds are refused", async ({ expect }) => {
    const events = await topic();
    await expect(events.publishMessage({ data: Buffer.alloc(0) })).rejects.toMatchObject({
      code: 3,
    });
    const deadLetterTopic = events.name;
    const [short, long] = [{ seconds: 10 }, { seconds: 20 }];
    for (const [options, code] of [
      [{ ackDeadlineSeconds: 601 }, 3],
      [{ retryPolicy: { maximumBackoff: { seconds: 601 } } }, 3],
      [{ retryPolicy: { minimumBackoff: long, maximumBackoff: short } }, 3],
      [{ messageRetentionDuration: { seconds: 599 } }, 3],
      [{ messageRetentionDuration: { seconds: 32 * 86_400 } }, 3],
      [{ deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 4 } }, 11],
      [{ deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 101 } }, 11],
    ] as const) {
      await expect(
        events.createSubscription(fresh("pull"), options),
        JSON.stringify(options),
      ).rejects.toMatchObject({ code });
    }
  });

  it("what is missing or there already is said with gRPC's codes", async ({ expect }) => {
    const events = await topic();
    await expect(pubsub().createTopic(events.name)).rejects.toMatchObject({ code: 6 });
    await expect(
      pubsub()
        .topic("nothing-here")
        .publishMessage({ data: Buffer.from("x") }),
    ).rejects.toMatchObject({ code: 5 });
    await expect(
      pubsub().topic("nothing-here").createSubscription(fresh("push")),
    ).rejects.toMatchObject({ code: 5 });
  });
};
