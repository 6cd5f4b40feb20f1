// A stage hop: from a task's commit to the claim of the task it made due, by the times the ledger
// itself notes. In between are the commit's transaction, publishing, the push with its token, the
// front and an instance. Beside a bare publish and push: the same Pub/Sub, a plain server.
import { wav } from "#shared/speech/wav.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { PubSub } from "@google-cloud/pubsub";
import { ConvexHttpClient } from "convex/browser";
import { api } from "#convex/_generated/api.js";
import type { JobEvent } from "#shared/contract/ledger.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { createApiClient } from "#local/cli/api.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { LOCAL_PERSON, localOwnerId } from "#local/people.ts";
import { startFileServer } from "#local/twitch/fileServer.ts";
import { type Bench, median } from "./row.ts";
import { scratchFolder } from "./scratch.ts";

const BARE_PER_JOB = 4;
const WARM_UP_JOBS = 2;
const RATE_HZ = 16_000;

/** Two seconds of a tone. */
const tinyWav = (): Buffer => {
  const samples = Buffer.alloc(RATE_HZ * 2 * 2);
  for (let i = 0; i < samples.length / 2; i += 1)
    samples.writeInt16LE(Math.round(8000 * Math.sin(i / 6)), i * 2);
  return wav(samples, RATE_HZ);
};

/** Publishes to a topic whose subscription pushes to a server that only answers. */
const startBare = async (cloud: LocalCloud) => {
  let arrived: () => void = () => undefined;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
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
  return {
    /** @returns ms from publishing to the push's arrival */
    hop: async (): Promise<number> => {
      const startMs = performance.now();
      const push = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      await fast.publishMessage({ json: { hello: true } });
      await push;
      return performance.now() - startMs;
    },
    close: async () => {
      await pubsub.close();
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Between the last stage that finished and the next that started, ms, for each stage of a job. */
const hopsOf = (events: readonly JobEvent[]): number[] => {
  const hops: number[] = [];
  let finishedAt: number | undefined;
  for (const event of events) {
    if (event.type !== "stage") continue;
    if (event.state === "finished") finishedAt = event.at;
    else if (finishedAt !== undefined) hops.push(event.at - finishedAt);
  }
  return hops;
};

export const run: Bench = async function* ({ full }) {
  using data = scratchFolder();
  await using stack = new AsyncDisposableStack();
  const files = await startFileServer({ "/tone.wav": { body: tinyWav() } });
  stack.defer(() => files.close());
  const cloud = await startCloud({
    dataDir: data.path,
    hosts: { "media.example": files.address },
    maxInstancesPerFunction: 1,
  });
  stack.defer(() => cloud.close());
  const bare = await startBare(cloud);
  stack.defer(() => bare.close());
  const convex = new ConvexHttpClient(cloud.convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: await cloud.serviceToken(),
  });
  const client = createApiClient(cloud.origin, cloud.apiKey);

  /** Its events, when it has ended. */
  const runJob = async (): Promise<JobEvent[]> => {
    const { job_id: jobId } = await client.submit({
      url: "http://media.example/tone.wav",
      options: {},
    });
    for (;;) {
      const events =
        (await convex.query(api.jobs.events, {
          jobId,
          ownerId: localOwnerId(LOCAL_PERSON),
          afterSeq: 0,
          limit: 200,
        })) ?? [];
      const last = events.at(-1);
      if (last?.type === "status" && isTerminal(last.status)) {
        if (last.status !== "Completed") throw new Error(`The job ended as ${last.status}.`);
        return events;
      }
      await delay(200);
    }
  };

  const jobs = full ? 40 : 12;
  const ours: number[] = [];
  const peer: number[] = [];
  for (let i = 0; i < WARM_UP_JOBS + jobs; i += 1) {
    const bareHops: number[] = [];
    for (let k = 0; k < BARE_PER_JOB; k += 1) bareHops.push(await bare.hop());
    const hops = hopsOf(await runJob());
    // In the first ones, instances start.
    if (i < WARM_UP_JOBS) continue;
    peer.push(...bareHops);
    ours.push(...hops);
  }
  yield {
    name: "a stage hop, from a commit to the claim of the next task",
    ours: median(ours),
    peer: median(peer),
    unit: "ms",
    ratio: median(ours) / median(peer),
    goal: "≤ 5",
    note: `medians of ${ours.length} hops of ${jobs} jobs and ${peer.length} bare publishes and pushes; instances warm`,
  };
};
