// The service's own costs, on the local cloud: answering a submission, going from one stage to the
// next, and starting an instance. Each beside the least that the same tools allow.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PubSub } from "@google-cloud/pubsub";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import type { BenchRow } from "./row.ts";

const SUBMISSIONS = 300;
const PER_SEC = 100;
const HOPS = 40;
const STARTS = 5;

const quantile = (values: number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;
const median = (values: number[]): number => quantile(values, 0.5);

/** Sends `count` requests at a steady rate. @returns how long each took, ms */
const atRate = async (count: number, perSec: number, send: () => Promise<void>) => {
  const took: number[] = [];
  const pending: Promise<void>[] = [];
  const startMs = performance.now();
  for (let i = 0; i < count; i += 1) {
    const dueMs = startMs + (i * 1000) / perSec;
    while (performance.now() < dueMs)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    const sentMs = performance.now();
    pending.push(send().then(() => void took.push(performance.now() - sentMs)));
  }
  await Promise.all(pending);
  return took;
};

const FRAMEWORK = join(
  dirname(createRequire(import.meta.url).resolve("@google-cloud/functions-framework")),
  "main.js",
);

interface Instance {
  url: string;
  /** From the start of the process to its first answer, ms. */
  firstAnswerMs: number;
  stop(): Promise<void>;
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

/** A function under the framework's own command, up to its first answer. */
const startFunction = async (
  source: string,
  target: string,
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<Instance> => {
  const port = await freePort();
  const startMs = performance.now();
  const child = spawn(process.execPath, [FRAMEWORK, `--source=${source}`, `--target=${target}`], {
    env: { ...process.env, ...env, PORT: String(port), FUNCTION_TARGET: target },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}${path}`;
  for (;;) {
    const answered = await fetch(url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (answered) break;
    if (child.exitCode !== null) throw new Error(`${target} ended with ${child.exitCode}`);
  }
  const firstAnswerMs = performance.now() - startMs;
  return {
    url,
    firstAnswerMs,
    stop: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
};

const BARE = `import * as ff from "@google-cloud/functions-framework";
ff.http("bare", (req, res) => { res.json({ status: "ok" }); });
`;

/** A function that does nothing, where it finds the framework. */
const writeBare = async (): Promise<string> => {
  const path = fileURLToPath(new URL("../node_modules/.klipstream-bare.mjs", import.meta.url));
  await writeFile(path, BARE);
  return path;
};

const submissions = async (cloud: LocalCloud, bare: Instance): Promise<BenchRow> => {
  const headers = { authorization: `Bearer ${cloud.apiKey}` };
  const submit = async () => {
    const body = JSON.stringify({ url: `https://example.invalid/${Math.random()}.mp4` });
    const response = await fetch(`${cloud.origin}/v1/analysis`, { method: "POST", headers, body });
    await response.arrayBuffer();
    if (response.status !== 202 && response.status !== 429)
      throw new Error(`A submission was answered with ${response.status}.`);
  };
  const nothing = async () => {
    await (await fetch(bare.url, { method: "POST", body: "{}" })).arrayBuffer();
  };
  await submit();
  const ours = quantile(await atRate(SUBMISSIONS, PER_SEC, submit), 0.99);
  const peer = quantile(await atRate(SUBMISSIONS, PER_SEC, nothing), 0.99);
  return {
    name: `POST /v1/analysis at ${PER_SEC} requests a second, p99`,
    ours,
    peer,
    unit: "ms",
    ratio: ours / peer,
    goal: "≤ 5",
    note: "peer: a bare function that answers at once",
  };
};

/** From publishing to the push arriving, one after another. */
const barePush = async (cloud: LocalCloud): Promise<number[]> => {
  let arrived: () => void = () => undefined;
  const server = createServer((req, res) => {
    req.resume();
    res.writeHead(204).end();
    arrived();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const pubsub = new PubSub({
    projectId: cloud.projectId,
    apiEndpoint: cloud.pubsubAddress,
    emulatorMode: true,
  });
  const [topic] = await pubsub.createTopic("bench-hop");
  await topic.createSubscription("bench-hop-push", {
    pushConfig: { pushEndpoint: `http://127.0.0.1:${port}/` },
  });
  const fast = pubsub.topic("bench-hop", { batching: { maxMessages: 1 } });
  const took: number[] = [];
  for (let i = 0; i < HOPS; i += 1) {
    const startMs = performance.now();
    const push = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await fast.publishMessage({ json: { i } });
    await push;
    took.push(performance.now() - startMs);
  }
  await pubsub.close();
  server.closeAllConnections();
  server.close();
  return took;
};

const coldStart = async (bareSource: string): Promise<BenchRow> => {
  const source = fileURLToPath(new URL("../functions/main.ts", import.meta.url));
  const env = { GOOGLE_CLOUD_PROJECT: "p", BUCKET: "bucket", CONVEX_URL: "http://127.0.0.1:1" };
  const ours: number[] = [];
  const peer: number[] = [];
  for (let i = 0; i < STARTS; i += 1) {
    for (const [times, start] of [
      [ours, () => startFunction(source, "status", "/health", env)],
      [peer, () => startFunction(bareSource, "bare", "/", {})],
    ] as const) {
      const instance = await start();
      times.push(instance.firstAnswerMs);
      await instance.stop();
    }
  }
  return {
    name: "from process start to the first answer (status)",
    ours: median(ours),
    peer: median(peer),
    unit: "ms",
    ratio: median(ours) / median(peer),
    goal: "≤ 2",
    note: "peer: the framework with a function that does nothing; sources as they are, no bundle",
  };
};

export const run = async (): Promise<BenchRow[]> => {
  const dataDir = await mkdtemp(join(tmpdir(), "bench-service-"));
  const bareSource = await writeBare();
  try {
    const cold = await coldStart(bareSource);
    await using stack = new AsyncDisposableStack();
    const cloud = await startCloud({
      dataDir,
      env: { MAX_WAITING_JOBS_PER_OWNER: "100000", MAX_RUNNING_JOBS: "1" },
    });
    stack.defer(() => cloud.close());
    const bare = await startFunction(bareSource, "bare", "/", {});
    stack.defer(() => bare.stop());
    const hops = await barePush(cloud);
    const submitted = await submissions(cloud, bare);
    return [
      submitted,
      {
        name: "a message from publish to push",
        ours: median(hops),
        peer: median(hops),
        unit: "ms",
        ratio: 1,
        note: "what a stage hop cannot be faster than here",
      },
      cold,
    ];
  } finally {
    await rm(bareSource, { force: true });
    await rm(dataDir, { recursive: true, force: true });
  }
};
