// More of what holds for ours and for Google's emulator, for the tests that may take longer.
import type { Bench } from "./contender.ts";

export const slowContractTests = ({
  it,
  topic,
  fresh,
  receiver,
  subscriberClient,
}: Bench): void => {
  it("a message that is not acknowledged in time comes again; one whose deadline is extended does not", async ({
    expect,
  }) => {
    const client = subscriberClient();
    const events = await topic();
    const [{ name: subscription }] = await events.createSubscription(fresh("pull"), {
      ackDeadlineSeconds: 10,
    });
    const pull = async (maxMessages: number) =>
      (await client.pull({ subscription, maxMessages }))[0].receivedMessages ?? [];
    const textOf = (data: unknown) => Buffer.from((data ?? "") as Uint8Array).toString("utf8");
    for (const text of ["late", "extended"]) {
      await events.publishMessage({ data: Buffer.from(text) });
    }
    const held: Awaited<ReturnType<typeof pull>> = [];
    while (held.length < 2) held.push(...(await pull(2)));
    const startedMs = Date.now();
    const extended = held.find(({ message }) => textOf(message?.data) === "extended");
    const ackIds = [extended?.ackId ?? ""];
    await client.modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds: 60 });
    // A pull may answer that there is nothing; then it is asked again.
    let again: typeof held = [];
    while (again.length === 0) again = await pull(2);
    expect(Date.now() - startedMs).toBeGreaterThan(8_000);
    expect(again.map(({ message }) => textOf(message?.data))).toEqual(["late"]);
    await client.acknowledge({ subscription, ackIds: [...ackIds, again[0]?.ackId ?? ""] });
    const request = { subscription, maxMessages: 2, returnImmediately: true };
    expect((await client.pull(request))[0].receivedMessages).toEqual([]);
  });

  it("while one message waits to be tried again, others pass", async ({ expect }) => {
    const endpoint = await receiver((_, nth) => (nth === 0 ? 500 : 204));
    const events = await topic();
    await events.createSubscription(fresh("push"), {
      pushEndpoint: endpoint.url,
      retryPolicy: { minimumBackoff: { seconds: 3 }, maximumBackoff: { seconds: 3 } },
    });
    const refused = await events.publishMessage({ data: Buffer.from("refused") });
    await endpoint.received(1);
    const passing = await events.publishMessage({ data: Buffer.from("passing") });
    const pushes = await endpoint.received(3);
    expect(pushes.map(({ message }) => message.messageId)).toEqual([refused, passing, refused]);
  });
};
