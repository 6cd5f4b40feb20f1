// The local Convex: what a mutation and an indexed query take with few rows and with many, and how soon
// one of a thousand live queries shows a change. Beside itself with fewer rows, convex-test, and SQLite
// with nothing above it.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ConvexHttpClient } from "convex/browser";
import { startConvexThread } from "#local/convex/thread.ts";
import { openBareRows } from "./bareRows.ts";
import { edit, inGroup, measureHearing, seed } from "./convexLive.ts";
import { anyPlace } from "./convexPlaces.ts";
import type { Answer, Call, ConvexWorkerOptions, Request } from "./convexWorker.ts";
import { type Bench, type BenchRow, median } from "./row.ts";
import { scratchFolder } from "./scratch.ts";

const FEW = 1_000;
const ROUNDS = 5;
const LIVE_QUERIES = 1_000;
const FOLDER = fileURLToPath(new URL("convexRows", import.meta.url));
const CALLS = ["edit", "swap", "inGroup"] as const;
const TITLES: Record<Call, string> = {
  edit: "a mutation that changes a row",
  swap: "a mutation that removes a row and adds one",
  inGroup: "a query of ten rows by an index",
};

const startWorker = async (workerData: ConvexWorkerOptions) => {
  const worker = new Worker(new URL("convexWorker.ts", import.meta.url), { workerData });
  await once(worker, "message");
  return {
    async ask(request: Request): Promise<Answer> {
      const answered = once(worker, "message") as Promise<[Answer]>;
      // oxlint-disable-next-line require-post-message-target-origin -- a thread's port has none
      worker.postMessage(request);
      const [answer] = await answered;
      return answer;
    },
    close: () => worker.terminate(),
  };
};

/** Sides take turns; medians of each round. */
const inTurn = async (
  sides: readonly (() => Promise<readonly number[]>)[],
): Promise<number[][]> => {
  const medians: number[][] = sides.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, side] of sides.entries()) {
      const took = median(await side());
      // The first round is for the compiler and the caches.
      if (round > 0) medians[i]!.push(took);
    }
  }
  return medians;
};

const compared = (ours: readonly number[], peer: readonly number[]) => ({
  ours: median(ours),
  peer: median(peer),
  unit: "ms",
  /** How many times the peer's. */
  ratio: median(ours.map((value, i) => value / (peer[i] ?? Number.NaN))),
});
const timesBetter = (ours: readonly number[], peer: readonly number[]) => {
  const row = compared(ours, peer);
  return { ...row, ratio: median(peer.map((value, i) => value / (ours[i] ?? Number.NaN))) };
};
const thousands = (rows: number): string => rows.toLocaleString("en");

/** Where it is run: no server, no connection. */
async function* inProcess(folder: string, many: number, count: number): AsyncGenerator<BenchRow> {
  await using stack = new AsyncDisposableStack();
  const start = async (options: ConvexWorkerOptions) => {
    const worker = await startWorker(options);
    stack.defer(() => void worker.close());
    return worker;
  };
  const bareFolder = join(folder, "bare");
  mkdirSync(bareFolder);
  const bare = openBareRows(bareFolder, many);
  stack.defer(() => bare.close());
  const fewRows = await start({ runtime: "engine", rows: FEW, dataDir: join(folder, "few") });
  const manyRows = await start({ runtime: "engine", rows: many, dataDir: join(folder, "many") });
  const tested = await start({ runtime: "convex-test", rows: FEW });
  const testedMore = await start({ runtime: "convex-test", rows: 10 * FEW });

  for (const name of CALLS) {
    const asked = (worker: typeof fewRows, calls: number) => async () =>
      (await worker.ask({ kind: "times", name, count: calls })).times;
    const bareTimes = async () =>
      Array.from({ length: count }, () => {
        const startedMs = performance.now();
        if (name === "inGroup") bare.inGroup();
        else bare.edit();
        return performance.now() - startedMs;
      });
    const [few, lots, test, testMore, alone] = await inTurn([
      asked(fewRows, count),
      asked(manyRows, count),
      asked(tested, Math.ceil(count / 10)),
      asked(testedMore, Math.ceil(count / 40)),
      bareTimes,
    ]);
    const title = `${TITLES[name]}, ${thousands(many)} rows`;
    yield {
      name: title,
      ...compared(lots!, few!),
      goal: "≤ 2",
      note: `peer: the same with ${thousands(FEW)} rows; ${ROUNDS} rounds of ${count}, medians`,
    };
    if (name !== "swap")
      yield {
        name: title,
        ...compared(lots!, alone!),
        note: `peer: ${name === "edit" ? "the same row read and written in a transaction" : "the same read"} in SQLite alone`,
      };
    for (const [rows, peer] of [
      [FEW, test!],
      [10 * FEW, testMore!],
    ] as const)
      yield {
        name: title,
        ...timesBetter(lots!, peer),
        note: `peer: convex-test with ${thousands(rows)} rows`,
      };
  }

  const live = (isRunningAll: boolean, calls: number) => async () => {
    const asked = { kind: "live", queries: LIVE_QUERIES, count: calls, isRunningAll } as const;
    const { times, runs } = await fewRows.ask(asked);
    if (!isRunningAll && runs !== calls)
      throw new Error(`${calls} mutations had ${runs} queries run again.`);
    return times;
  };
  const [one, all] = await inTurn([live(false, count), live(true, Math.ceil(count / 20))]);
  yield {
    name: `a mutation under ${thousands(LIVE_QUERIES)} live queries, and the one that it concerns run again`,
    ...timesBetter(one!, all!),
    note: "peer: all of them run again; that one alone was run is checked",
  };
}

/** As users have it. */
async function* byTheWire(folder: string, many: number, count: number): AsyncGenerator<BenchRow> {
  await using stack = new AsyncDisposableStack();
  const start = async (options: { dataDir: string } | { runtime: "convex-test" }) => {
    const convex = await startConvexThread({ folder: FOLDER, env: {}, ...options });
    stack.defer(() => convex.close());
    return convex.url;
  };
  const fewUrl = await start({ dataDir: join(folder, "few") });
  const manyUrl = await start({ dataDir: join(folder, "many") });
  const timesOf = async (call: () => Promise<unknown>): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const startedMs = performance.now();
      await call();
      times.push(performance.now() - startedMs);
    }
    return times;
  };
  for (const name of ["edit", "inGroup"] as const) {
    const side = (url: string, rows: number) => {
      const http = new ConvexHttpClient(url, { logger: false });
      return () =>
        timesOf(() => {
          const { group, rank } = anyPlace(rows);
          return name === "edit"
            ? http.mutation(edit, { group, rank, text: String(Math.random()) })
            : http.query(inGroup, { group });
        });
    };
    const [few, lots] = await inTurn([side(fewUrl, FEW), side(manyUrl, many)]);
    yield {
      name: `${TITLES[name]}, ${thousands(many)} rows, by ConvexHttpClient`,
      ...compared(lots!, few!),
      goal: "≤ 2",
      note: `peer: the same with ${thousands(FEW)} rows`,
    };
  }

  const hearing = (queries: number, clients: number) => async () => {
    const { times, runs } = await measureHearing(fewUrl, { queries, clients, count });
    if (runs !== 1) throw new Error(`A mutation had ${runs} queries run again.`);
    return times;
  };
  const [alone, ofOne, ofMany] = await inTurn([
    hearing(1, 1),
    hearing(LIVE_QUERIES, 1),
    hearing(LIVE_QUERIES, LIVE_QUERIES),
  ]);
  const title = `until a client shows what a mutation changed, with ${thousands(LIVE_QUERIES)} live queries`;
  const note = "peer: with that query alone; that no other was run again is checked";
  yield { name: `${title} of its own`, ...compared(ofOne!, alone!), note };
  yield { name: `${title} of as many clients`, ...compared(ofMany!, alone!), note };

  const testUrl = await start({ runtime: "convex-test" });
  const http = new ConvexHttpClient(testUrl, { logger: false });
  await http.mutation(seed, { from: 0, to: FEW, text: "" });
  const tested = await measureHearing(testUrl, { queries: LIVE_QUERIES, clients: 1, count: 3 });
  yield {
    name: `${title} of its own`,
    ...timesBetter([median(ofOne!)], [median(tested.times)]),
    note: `peer: convex-test with ${thousands(FEW)} rows, which runs ${tested.runs.toFixed(0)} of them again; 3 mutations`,
  };
}

export const run: Bench = async function* ({ full }) {
  using folder = scratchFolder();
  const many = full ? 1_000_000 : 100_000;
  const count = full ? 400 : 200;
  yield* inProcess(folder.path, many, count);
  yield* byTheWire(folder.path, many, count);
};
