// Who answers the contract of Pub/Sub (contract.ts, contractSlow.ts), ours or Google's emulator, and what
// its tests share. They run at once, because some of them are waiting for deadlines of ten seconds.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PubSub, type Topic, v1 } from "@google-cloud/pubsub";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, it as test, type TestContext } from "vitest";
import { emulatorInstalled, startEmulator } from "./emulator.ts";
import { startPushReceiver } from "./pushReceiver.ts";
import { startPubSub } from "../server.ts";

export const PROJECT = "contract";
process.env["METADATA_SERVER_DETECTION"] = "none";

interface Target {
  address: string;
  stop(): Promise<void>;
}

interface Contender {
  /** Begins every test's name. */
  name: string;
  /** False where it is not on this machine. */
  present: boolean;
  /** Called once for all tests. */
  start: (dataDir: string) => Promise<Target>;
  /** Whether pushes carry `deliveryAttempt`, which Google's emulator leaves out. */
  countsAttempts: boolean;
}

export const GOOGLE: Contender = {
  name: "Google's emulator (needs gcloud with pubsub-emulator)",
  present: emulatorInstalled,
  start: (dataDir) => startEmulator(PROJECT, dataDir),
  countsAttempts: false,
};

export const OURS: Contender = {
  name: "ours",
  present: true,
  async start(dataDir) {
    const mintIdToken = () => Promise.reject(new Error("No push here carries a token."));
    const server = await startPubSub({ dataDir, mintIdToken, report: () => {} });
    return { address: server.address, stop: () => server.close() };
  },
  countsAttempts: true,
};

/** What the tests of one contender are made of. */
export interface Bench {
  it(behaviour: string, run: (context: TestContext) => Promise<void>): void;
  countsAttempts: boolean;
  /** Only inside a test. */
  pubsub(): PubSub;
  /** A new one. */
  topic(): Promise<Topic>;
  /** `prefix-N`, which nobody else has. */
  fresh(prefix: string): string;
  receiver: typeof startPushReceiver;
  /** The client below `PubSub`'s, which says what it does. */
  subscriberClient(): v1.SubscriberClient;
}

/** Declares tests of one contender. */
export const contend = (contender: Contender, declare: (bench: Bench) => void): void => {
  const { present, countsAttempts } = contender;
  let dataDir: string;
  let target: Target;
  let pubsub: PubSub;
  let serial = 0;
  const closers: (() => Promise<void>)[] = [];
  const fresh = (prefix: string): string => `${prefix}-${(serial += 1)}`;

  beforeAll(async () => {
    if (!present) return;
    dataDir = await mkdtemp(join(tmpdir(), "klipstream-pubsub-"));
    target = await contender.start(dataDir);
    pubsub = new PubSub({ projectId: PROJECT, apiEndpoint: target.address, emulatorMode: true });
  });
  afterAll(async () => {
    if (!present) return;
    for (const close of closers) await close();
    await pubsub?.close();
    await target?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  declare({
    it(behaviour, run) {
      // oxlint-disable-next-line vitest/expect-expect -- what it runs expects
      test.skipIf(!present)(`${contender.name}: ${behaviour}`, { concurrent: true }, run);
    },
    countsAttempts,
    pubsub: () => pubsub,
    topic: async () => (await pubsub.createTopic(fresh("topic")))[0],
    fresh,
    async receiver(...args) {
      const made = await startPushReceiver(...args);
      closers.push(() => made.close());
      return made;
    },
    subscriberClient() {
      const [host = "", port = ""] = target.address.split(":");
      const client = new v1.SubscriberClient({
        projectId: PROJECT,
        servicePath: host,
        port: Number(port),
        sslCreds: credentials.createInsecure(),
      });
      closers.push(() => client.close());
      return client;
    },
  });
};
