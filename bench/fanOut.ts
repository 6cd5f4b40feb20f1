// Fan-out and join of 32 ranges on a simulated clock: the ledger's real state machine, the local
// Pub/Sub's real delivery, and assumed times for everything between. Beside the ideal, in which each
// task starts the moment it may, and nothing but its own work takes time.
import { createBroker } from "#local/pubsub/broker.ts";
import { createFakeClock } from "#local/pubsub/testing/fakeClock.ts";
import { startPusher } from "#local/pubsub/push.ts";
import { completeSubscription } from "#local/pubsub/settings.ts";
import { openStore } from "#local/pubsub/store.ts";
import { World } from "../convex/model/machine/world.setup.ts";
import { randomFrom } from "../samples/random.ts";
import { type Bench, median } from "./row.ts";
import { scratchFolder } from "./scratch.ts";

const RANGES = 32;
const SEEDS = 9;
/** Of a call to the ledger, a publish and a push: more than they take within a region. */
const LEDGER_MS = 50;
const PUBLISH_MS = 30;
const PUSH_MS = 30;
const COLD_START_MS = 2_000;
/** How often a message is delivered twice, or its push refused. */
const TWICE = 0.1;
const REFUSED = 0.05;
/** As the deploy has it for its subscriptions on Google Cloud. */
const RETRY = {
  minimumBackoff: { seconds: 10, nanos: 0 },
  maximumBackoff: { seconds: 600, nanos: 0 },
};
const STAGES = ["ingest", "media", "chat", "transcribe", "analyze"] as const;

interface Simulation {
  seed: number;
  disturbed: boolean;
  folder: string;
}

/** @returns from ingest's commit to the claim of analyze, ms: as simulated, and at best */
const simulate = async ({ seed, disturbed, folder }: Simulation) => {
  const random = randomFrom(seed);
  // Ranges of one length differ in what decoding and transcribing them takes.
  const media = Array.from({ length: RANGES }, () => random.between(45_000, 90_000));
  const transcribe = Array.from({ length: RANGES }, () => random.between(45_000, 90_000));
  const workMs: Record<string, readonly number[]> = { media, transcribe, chat: [30_000] };

  const clock = createFakeClock();
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const world = new World({ media: RANGES, chat: 1, transcribe: RANGES, clips: 0 });
  const store = openStore(folder, clock.now());
  const broker = createBroker(store, clock);
  const topicOf = (stage: string) => `projects/bench/topics/${stage}`;
  const times: { began?: number; joined?: number } = {};

  const publish = (name: string): void => {
    const message = { data: Buffer.from(name), attributes: {}, orderingKey: "" };
    broker.publish(topicOf(name.split(" ")[0] ?? ""), [message]);
  };

  /** What a function does with a message; a status to settle it by. */
  const work = async (name: string): Promise<number> => {
    await sleep(LEDGER_MS);
    world.now = clock.now();
    const claim = world.claim(name);
    if (claim.kind !== "run") return 204;
    if (name === "analyze 0") {
      times.joined = clock.now();
      return 204;
    }
    const [stage = "", index = "0"] = name.split(" ");
    await sleep(workMs[stage]?.[Number(index)] ?? 0);
    await sleep(LEDGER_MS);
    world.now = clock.now();
    const before = world.published.length;
    world.commit(name, claim.attempt);
    if (stage === "ingest") times.began = clock.now();
    const due = world.published.slice(before);
    await sleep(PUBLISH_MS);
    for (const next of due) {
      publish(next);
      if (disturbed && random.chance(TWICE)) publish(next);
    }
    return 204;
  };

  const pushers = STAGES.map((stage) => {
    const name = `projects/bench/subscriptions/${stage}-push`;
    store.insertTopic(topicOf(stage), { name: topicOf(stage) });
    store.insertSubscription(
      completeSubscription({
        name,
        topic: topicOf(stage),
        ackDeadlineSeconds: 600,
        retryPolicy: RETRY,
        pushConfig: { pushEndpoint: "http://functions.example/" },
      }),
    );
    let idle = 0;
    return startPusher(name, {
      broker,
      clock,
      mintIdToken: () => Promise.resolve(""),
      maxOutstanding: 1000,
      report: (sentence, cause) => {
        throw new Error(sentence, { cause });
      },
      fetch: async (_url, { body }) => {
        const { message } = JSON.parse(body) as { message: { data: string } };
        await sleep(PUSH_MS);
        if (disturbed && random.chance(REFUSED)) return { status: 429, body: null };
        // One request an instance: an idle one, or a new one.
        if (idle > 0) idle -= 1;
        else await sleep(COLD_START_MS);
        const status = await work(Buffer.from(message.data, "base64").toString("utf8"));
        idle += 1;
        return { status, body: null };
      },
    });
  });

  publish("ingest 0");
  const deadlineMs = clock.now() + 24 * 3_600_000;
  while (times.joined === undefined && clock.now() < deadlineMs) await clock.advance(1_000);
  for (const pusher of pushers) pusher.close();
  broker.close();
  store.close();
  if (times.began === undefined || times.joined === undefined)
    throw new Error("The ranges were never joined.");
  const chains = media.map((ms, i) => ms + (transcribe[i] ?? 0));
  return { tookMs: times.joined - times.began, idealMs: Math.max(...chains) };
};

export const run: Bench = async function* () {
  for (const disturbed of [false, true]) {
    const runs: { tookMs: number; idealMs: number }[] = [];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      using folder = scratchFolder();
      runs.push(await simulate({ seed, disturbed, folder: folder.path }));
    }
    yield {
      name: `fan-out and join of ${RANGES} ranges, simulated clock${disturbed ? ", messages doubled and refused" : ""}`,
      ours: median(runs.map(({ tookMs }) => tookMs / 1000)),
      peer: median(runs.map(({ idealMs }) => idealMs / 1000)),
      unit: "s",
      ratio: median(runs.map(({ tookMs, idealMs }) => tookMs / idealMs)),
      ...(disturbed ? {} : { goal: "≤ 1.15" }),
      note: disturbed
        ? `${TWICE * 100} % delivered twice, ${REFUSED * 100} % refused and delivered again after 10 s or more`
        : `real state machine and delivery; assumed: cold start ${COLD_START_MS} ms each, ledger ${LEDGER_MS}, publish ${PUBLISH_MS}, push ${PUSH_MS} ms; medians of ${SEEDS} seeds`,
    };
  }
};
