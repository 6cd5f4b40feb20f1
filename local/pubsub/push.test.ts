// Pushing, with a stand-in for the network: how many at once, with which token, after which pause.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createBroker } from "./broker.ts";
import { createFakeClock } from "./testing/fakeClock.ts";
import { type Fetch, type Pusher, pushBody, startPusher } from "./push.ts";
import { completeSubscription, type SubscriptionProto } from "./settings.ts";
import { openStore } from "./store.ts";
import { keepTokens, type MintIdToken } from "./tokens.ts";

const TOPIC = "projects/p-1/topics/events";
const SUB = "projects/p-1/subscriptions/events";
const ENDPOINT = "http://front.test/media";

let dataDir: string;
let clock: ReturnType<typeof createFakeClock>;
let store: ReturnType<typeof openStore>;
let broker: ReturnType<typeof createBroker>;
let pusher: Pusher | undefined;
let reports: string[];
let calls: { url: string; init: Parameters<Fetch>[1]; answer(status: number): void }[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "klipstream-push-"));
  clock = createFakeClock();
  store = openStore(dataDir, clock.now());
  broker = createBroker(store, clock);
  store.insertTopic(TOPIC, { name: TOPIC });
  reports = [];
  calls = [];
});
afterEach(() => {
  pusher?.close();
  pusher = undefined;
  broker.close();
  store.close();
  rmSync(dataDir, { recursive: true });
});

const fetch: Fetch = (url, init) =>
  new Promise((resolve, reject) => {
    init.signal.addEventListener("abort", () => reject(init.signal.reason as Error));
    calls.push({ url, init, answer: (status) => resolve({ status, body: null }) });
  });

const start = (
  config: Partial<SubscriptionProto> = {},
  options: { maxOutstanding?: number; mintIdToken?: MintIdToken; fetch?: Fetch } = {},
): void => {
  const proto = { pushConfig: { pushEndpoint: ENDPOINT }, ...config, name: SUB, topic: TOPIC };
  store.insertSubscription(completeSubscription(proto));
  pusher = startPusher(SUB, {
    broker,
    clock,
    fetch,
    mintIdToken: () => Promise.reject(new Error("not asked for")),
    maxOutstanding: 3,
    report: (sentence) => reports.push(sentence),
    ...options,
  });
};
const publish = (count: number): void => {
  const message = { data: Buffer.from("x"), attributes: {}, orderingKey: "" };
  broker.publish(
    TOPIC,
    Array.from({ length: count }, () => message),
  );
};
const backlog = (): number => store.backlog(1);

it("no more pushes at once than the bound; the next goes when one is answered", async () => {
  start();
  publish(5);
  await clock.advance(0);
  expect(calls).toHaveLength(3);
  calls[0]?.answer(204);
  await clock.advance(0);
  expect(calls).toHaveLength(4);
  expect(backlog()).toBe(4);
});

it.each([102, 200, 201, 202, 204])("%i acknowledges", async (status) => {
  start();
  publish(1);
  await clock.advance(0);
  calls[0]?.answer(status);
  await clock.advance(0);
  expect(backlog()).toBe(0);
});

it.each([203, 206, 301, 400, 404, 429, 500, 503])("%i refuses", async (status) => {
  start();
  publish(1);
  await clock.advance(0);
  calls[0]?.answer(status);
  await clock.advance(99);
  expect(backlog()).toBe(1);
  expect(calls).toHaveLength(1);
  await clock.advance(1);
  expect(calls).toHaveLength(2);
});

it("refusals in a row pause the whole subscription ever longer; a success ends that", async () => {
  start({}, { maxOutstanding: 1 });
  publish(1);
  await clock.advance(0);
  for (const pauseMs of [100, 200, 400]) {
    const made = calls.length;
    calls.at(-1)?.answer(500);
    publish(1);
    await clock.advance(pauseMs - 1);
    expect(calls).toHaveLength(made);
    await clock.advance(1);
    expect(calls).toHaveLength(made + 1);
  }
  calls.at(-1)?.answer(200);
  await clock.advance(0);
  expect(calls).toHaveLength(5);
});

it("pushes that fail together pause it once", async () => {
  start();
  publish(3);
  await clock.advance(0);
  for (const call of calls) call.answer(500);
  await clock.advance(99);
  expect(calls).toHaveLength(3);
  await clock.advance(1);
  expect(calls).toHaveLength(6);
});

it("with a retry policy only the refused message waits", async () => {
  const wait = { seconds: 60, nanos: 0 };
  start({ retryPolicy: { minimumBackoff: wait, maximumBackoff: wait } }, { maxOutstanding: 1 });
  publish(2);
  await clock.advance(0);
  calls[0]?.answer(500);
  await clock.advance(0);
  expect(calls).toHaveLength(2);
  expect(JSON.parse(calls[1]?.init.body ?? "")).toMatchObject({ message: { messageId: "2" } });
});

it("a push is ended at the ack deadline and comes again", async () => {
  start({ ackDeadlineSeconds: 30 });
  publish(1);
  await clock.advance(29_999);
  expect(calls[0]?.init.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(calls[0]?.init.signal.aborted).toBe(true);
  await clock.advance(100);
  expect(calls).toHaveLength(2);
  expect(reports).toEqual(["Message 1 could not be pushed."]);
});

const oidcToken = {
  serviceAccountEmail: "push@p-1.iam.gserviceaccount.com",
  audience: "https://media",
};
const tokenUntil = (sec: number, name: string) =>
  `${name}.${Buffer.from(JSON.stringify({ exp: sec })).toString("base64url")}.signature`;

it("carries the ID token of its account and audience", async () => {
  const asked: unknown[] = [];
  start(
    { pushConfig: { pushEndpoint: ENDPOINT, oidcToken } },
    {
      mintIdToken: (request) => {
        asked.push(request);
        return Promise.resolve("token");
      },
    },
  );
  publish(1);
  await clock.advance(0);
  expect(asked).toEqual([oidcToken]);
  expect(calls[0]?.init.headers["authorization"]).toBe("Bearer token");
});

it("where there is no token, nothing is sent, and it is said", async () => {
  start(
    { pushConfig: { pushEndpoint: ENDPOINT, oidcToken } },
    { mintIdToken: () => Promise.reject(new Error("no key")) },
  );
  publish(1);
  await clock.advance(0);
  expect(calls).toHaveLength(0);
  expect(reports).toEqual(["Message 1 could not be pushed."]);
  expect(backlog()).toBe(1);
});

it("closing ends pushes under way and leaves their messages due", async () => {
  start();
  publish(2);
  await clock.advance(0);
  pusher?.close();
  await clock.advance(0);
  expect(calls.every(({ init }) => init.signal.aborted)).toBe(true);
  expect(reports).toEqual([]);
  expect(backlog()).toBe(2);
});

it("a token is kept until ten minutes before it expires", async () => {
  let minted = 0;
  const startSec = clock.now() / 1000;
  const mint = keepTokens(
    () => Promise.resolve(tokenUntil(startSec + 3600, String((minted += 1)))),
    () => clock.now(),
  );
  await mint(oidcToken);
  await clock.advance(2_999_000);
  await mint(oidcToken);
  expect(minted).toBe(1);
  await mint({ ...oidcToken, audience: "https://other" });
  expect(minted).toBe(2);
  await clock.advance(1000);
  await mint(oidcToken);
  expect(minted).toBe(3);
});

it("the body leaves out what is empty, as Pub/Sub does", () => {
  const publishTimeMs = Date.UTC(2026, 10, 20);
  const message = {
    id: 7,
    data: new Uint8Array(),
    attributes: { a: "b" },
    orderingKey: "",
    publishTimeMs,
  };
  expect(JSON.parse(pushBody(SUB, { message, ackId: "", deliveryAttempt: undefined }))).toEqual({
    message: {
      attributes: { a: "b" },
      messageId: "7",
      message_id: "7",
      publishTime: "2026-11-20T00:00:00.000Z",
      publish_time: "2026-11-20T00:00:00.000Z",
    },
    subscription: SUB,
  });
});

it("on a full disk nothing is lost, done twice or thrown, and all goes on when there is room", async () => {
  let isFull = false;
  const whole = store;
  const writes = ["lease", "acknowledge", "postpone", "dropOlderThan"] as const;
  const limited = Object.fromEntries(
    writes.map((name) => [
      name,
      (...args: never[]) => {
        if (!isFull) return (whole[name] as (...given: never[]) => unknown)(...args);
        const told = { code: "ERR_SQLITE_ERROR", errcode: 13 };
        throw Object.assign(new Error("database or disk is full"), told);
      },
    ]),
  );
  broker.close();
  store = { ...whole, ...limited };
  broker = createBroker(store, clock);
  start({ ackDeadlineSeconds: 600 });
  publish(2);
  await clock.advance(0);
  isFull = true;
  calls[0]?.answer(204);
  calls[1]?.answer(500);
  await clock.advance(60_000);
  publish(1);
  await clock.advance(60_000);
  expect(calls).toHaveLength(2);
  isFull = false;
  await clock.advance(2_000);
  expect(
    calls
      .slice(2)
      .map(({ init }) => init.body)
      .sort(),
  ).toEqual([
    expect.stringContaining('"messageId":"2"'),
    expect.stringContaining('"messageId":"3"'),
  ]);
  for (const call of calls) call.answer(204);
  await clock.advance(0);
  expect(backlog()).toBe(0);
  expect(reports).toEqual([]);
});
