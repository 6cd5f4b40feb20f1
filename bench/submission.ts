// What `POST /v1/analysis` takes at 100 requests a second, from many owners: key, checks, the job in
// the ledger, its first message. Beside the same requests, through the same front, to a function that
// answers at once. No stage runs meanwhile: what a worker does has its own machine.
import { randomUUID } from "node:crypto";
import { ConvexHttpClient } from "convex/browser";
import { api } from "#convex/_generated/api.js";
import { CATALOG, functionSpec } from "#functions/catalog.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { startFront } from "#local/front/server.ts";
import { FRAMEWORK, folderInProject, writeBareFunction } from "./bareFunction.ts";
import { applyLoad, type Load } from "./load.ts";
import { type Bench, median, quantile } from "./row.ts";
import { scratchFolder } from "./scratch.ts";

const PER_SEC = 100;
const OWNERS = 40;
const ROUNDS = 3;
/** With which the front starts its own. */
const PRELOAD = new URL("../local/front/preload.ts", import.meta.url).href;

/** Messages to stages are published and pushed, and then find no instance. */
const WITHOUT_WORKERS = CATALOG.map((spec) =>
  spec.trigger.kind === "topic" ? { ...spec, maxInstances: 0 } : spec,
);

const issueKeys = async (cloud: LocalCloud): Promise<string[]> => {
  const convex = new ConvexHttpClient(cloud.convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: await cloud.serviceToken(),
  });
  return Promise.all(
    Array.from({ length: OWNERS }, async (_, i) => {
      const { key } = await convex.action(api.apiKeys.issue, {
        ownerId: `owner-${i}`,
        name: "bench",
      });
      return key;
    }),
  );
};

const startBareFront = (source: string) =>
  startFront({
    catalog: [
      {
        ...functionSpec("submit"),
        name: "bare",
        trigger: { kind: "http", routes: [{ method: "POST", path: "/v1/analysis" }] },
      },
    ],
    command: [process.execPath, "--import", PRELOAD, FRAMEWORK, `--source=${source}`],
    environment: () => ({ PATH: process.env["PATH"] ?? "", NODE_ENV: "production" }),
    verifyIdToken: () => Promise.reject(new Error("Nothing is private here.")),
    invokers: [],
  });

export const run: Bench = async function* ({ full }) {
  using folder = folderInProject();
  using data = scratchFolder();
  await using stack = new AsyncDisposableStack();
  const cloud = await startCloud({ dataDir: data.path, catalog: WITHOUT_WORKERS });
  stack.defer(() => cloud.close());
  const bare = await startBareFront(writeBareFunction(folder.path));
  stack.defer(() => bare.close());

  const keys = await issueKeys(cloud);
  const load = (origin: string, count: number, status: number): Load => ({
    url: `${origin}/v1/analysis`,
    requests: Array.from({ length: count }, (_, i) => ({
      headers: { authorization: `Bearer ${keys[i % OWNERS]}`, "content-type": "application/json" },
      body: JSON.stringify({ url: `https://media.example/${randomUUID()}.mp4` }),
    })),
    perSec: PER_SEC,
    status,
  });
  const sides = {
    ours: { origin: cloud.origin, status: 202 },
    peer: { origin: bare.origin, status: 200 },
  };
  // The instances are up and have seen every key.
  for (const { origin, status } of Object.values(sides))
    await applyLoad({ ...load(origin, OWNERS, status), perSec: 10 });

  const count = PER_SEC * (full ? 10 : 2);
  const p50 = { ours: [] as number[], peer: [] as number[] };
  const p99 = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of ["peer", "ours"] as const) {
      const took = await applyLoad(load(sides[side].origin, count, sides[side].status));
      p50[side].push(median(took));
      p99[side].push(quantile(took, 0.99));
    }
  }
  const row = (name: string, { ours, peer }: typeof p50) => ({
    name: `POST /v1/analysis at ${PER_SEC} requests a second, ${name}`,
    ours: median(ours),
    peer: median(peer),
    unit: "ms",
    ratio: median(ours.map((value, i) => value / (peer[i] ?? Number.NaN))),
  });
  yield {
    ...row("p99", p99),
    goal: "≤ 5",
    note: `peer: a function that answers at once, behind the same front; ${ROUNDS} rounds of ${count}, medians`,
  };
  yield row("median", p50);
};
