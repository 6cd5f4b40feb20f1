// Topics and subscriptions that are taken as they are: what lacks is said, and nothing is changed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PubSub } from "@google-cloud/pubsub";
import type { CreateSubscriptionOptions } from "@google-cloud/pubsub";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { functionSpec } from "#functions/catalog.ts";
import { freePort } from "../pubsub/testing/emulator.ts";
import { startPubSub } from "../pubsub/server.ts";
import { TopicsMissing } from "./givenTopics.ts";
import { type CatalogPubSub, pubSubProblems, startCatalogPubSub } from "./pubsub.ts";

const PROJECT = "klipstream-local";
const catalog = ["media", "dead-letter", "sweep", "status"].map(functionSpec);

const stack: (() => unknown)[] = [];
let pubsub: PubSub;
let address = "";
let port = 0;
let folder = "";
beforeEach(async () => {
  vi.stubEnv("METADATA_SERVER_DETECTION", "none");
  folder = mkdtempSync(join(tmpdir(), "given-"));
  stack.push(() => rmSync(folder, { recursive: true }));
  // As an emulator: it pushes with no token that anybody here would take.
  const emulator = await startPubSub({ dataDir: folder, mintIdToken: async () => "none" });
  stack.push(() => emulator.close());
  ({ address } = emulator);
  pubsub = new PubSub({ projectId: PROJECT, apiEndpoint: address, emulatorMode: true });
  stack.push(() => pubsub.close());
  port = await freePort();
});
afterEach(async () => {
  for (const close of stack.splice(0).toReversed()) await close();
  vi.unstubAllEnvs();
});

const endpoint = (name: string): string => `http://127.0.0.1:${port}/_functions/${name}`;
const pushTo = (url: string, audience = url): CreateSubscriptionOptions => ({
  pushConfig: {
    pushEndpoint: url,
    oidcToken: { serviceAccountEmail: "push@example.iam.gserviceaccount.com", audience },
  },
});

const make = async (topic: string, name: string, options: CreateSubscriptionOptions) => {
  const [made] = await pubsub.createTopic(topic);
  await made.createSubscription(name, options);
};

const start = async (): Promise<CatalogPubSub> => {
  const started = await startCatalogPubSub({
    dataDir: folder,
    projectId: PROJECT,
    catalog,
    front: {
      origin: "http://127.0.0.1:9",
      urlOf: (name) => `http://127.0.0.1:9/_functions/${name}`,
    },
    mintIdToken: async () => "token",
    pusherEmail: "pusher@example.com",
    env: { PUBSUB_EMULATOR_HOST: address, PUBSUB_PUSH_PORT: String(port) },
  });
  stack.push(() => started.close());
  return started;
};

const everything = async (): Promise<unknown> => {
  const [[topics], [subscriptions]] = await Promise.all([
    pubsub.getTopics(),
    pubsub.getSubscriptions(),
  ]);
  return [...topics, ...subscriptions].map(({ metadata }) => metadata);
};

describe("with PUBSUB_PUSH_PORT", () => {
  it("are taken under any name, and stay as they are", async () => {
    await make("media", "to-media", { ...pushTo(endpoint("media")), ackDeadlineSeconds: 33 });
    await make("dead-letter", "to-the-last", pushTo(endpoint("dead-letter")));
    const before = await everything();
    expect((await start()).address).toBe(address);
    expect(await everything()).toEqual(before);
  });

  it("what lacks is said at once", async () => {
    await make("media", "media-push", pushTo("http://127.0.0.1:9/_functions/media"));
    const before = await everything();
    const problems = [
      `Topic media has no subscription that pushes to ${endpoint("media")}.`,
      "There is no topic dead-letter.",
    ];
    await expect(start()).rejects.toThrow(new TopicsMissing(address, problems));
    expect(await everything()).toEqual(before);
  });

  it("so is what Cloud Run would refuse", async () => {
    await make("media", "bare", { pushConfig: { pushEndpoint: endpoint("media") } });
    await make("dead-letter", "wrong", pushTo(endpoint("dead-letter"), "https://example.com/"));
    await expect(start()).rejects.toThrow(
      /bare pushes without an ID token[^]*wrong asks for a token for https:\/\/example.com\//,
    );
  });

  it("an emulator may not be there", async () => {
    address = `127.0.0.1:${port}`;
    await expect(start()).rejects.toThrow(`Nothing answers at ${address}, which is PUBSUB_EMUL`);
  });

  it("the port may be another's", async () => {
    port = Number(address.split(":")[1]);
    await expect(start()).rejects.toThrow(`Port ${port} of PUBSUB_PUSH_PORT is in use.`);
  });
});

it.each([
  [{}, []],
  [{ PUBSUB_EMULATOR_HOST: "127.0.0.1:8085" }, []],
  [{ PUBSUB_EMULATOR_HOST: "127.0.0.1:8085", PUBSUB_PUSH_PORT: "8086" }, []],
  [{ PUBSUB_EMULATOR_HOST: "[::1]:8085" }, []],
  [{ PUBSUB_EMULATOR_HOST: "true", PUBSUB_PUSH_PORT: "8086" }, [/is at host:port/]],
  [{ PUBSUB_PUSH_PORT: "8086" }, [/^PUBSUB_PUSH_PORT: goes with PUBSUB_EMULATOR_HOST/]],
  [{ PUBSUB_EMULATOR_HOST: "h:1", PUBSUB_PUSH_PORT: "0" }, [/from 1 to 65535/]],
  [{ PUBSUB_EMULATOR_HOST: "h:1", PUBSUB_PUSH_PORT: "80a" }, [/from 1 to 65535/]],
])("problems of %j", (env, problems) => {
  expect(pubSubProblems(env)).toEqual(problems.map((one) => expect.stringMatching(one) as string));
});
