// A runtime of the local Convex in a thread of its own, with so many rows, measured where it is: no
// server and no connection. The engine and convex-test both put themselves in one global place.
import { parentPort, workerData } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { openDatabase } from "#local/convex/engine/format.ts";
import { createEngineRuntime } from "#local/convex/engineRuntime.ts";
import { findModules, loadSchema } from "#local/convex/modules.ts";
import type { Commit, ConvexRuntime, FunctionCall, LiveOutcome } from "#local/convex/runtime.ts";
import { createConvexTestRuntime } from "#local/convex/convexTestRuntime.ts";
import { anyPlace, placeOf } from "./convexPlaces.ts";

export interface ConvexWorkerOptions {
  runtime: "engine" | "convex-test";
  rows: number;
  /** Of the engine. */
  dataDir?: string;
}

export type Call = "edit" | "swap" | "inGroup";

export type Request =
  | { kind: "times"; name: Call; count: number }
  /** A mutation under so many live queries, and what it takes to have them up to date again. */
  | { kind: "live"; queries: number; count: number; isRunningAll: boolean };

/** Milliseconds, of each call. */
export interface Answer {
  times: number[];
  /** Queries that were run again. */
  runs: number;
}

const SEEDED_AT_ONCE = 1_000;
const TEXT = "x".repeat(100);
const { runtime: kind, rows, dataDir } = workerData as ConvexWorkerOptions;

const modules = await findModules(fileURLToPath(new URL("convexRows", import.meta.url)));
const functions = { modules, schema: (await loadSchema(modules))! };
const db = kind === "engine" ? openDatabase(dataDir) : undefined;
const runtime: ConvexRuntime = db
  ? createEngineRuntime({ db, ...functions })
  : createConvexTestRuntime(functions);

const mutate = async (call: FunctionCall): Promise<void> => {
  const { outcome } = await runtime.runMutation(call, null);
  if (!outcome.ok) throw new Error(outcome.message);
};
const query = async (calls: FunctionCall[]): Promise<LiveOutcome[]> => {
  const { results } = await runtime.runQueries(() => calls, null);
  for (const { outcome } of results) if (!outcome.ok) throw new Error(outcome.message);
  return results;
};

const textCall = (i: number): FunctionCall => ({ path: "rows:text", args: { ...placeOf(i) } });
let edits = 0;
const editArgs = () => ({ ...anyPlace(rows), text: `${TEXT} ${(edits += 1)}` });

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
};

const call = (name: Call): Promise<unknown> => {
  const path = `rows:${name}`;
  return name === "inGroup"
    ? query([{ path, args: { group: anyPlace(rows).group } }])
    : mutate({ path, args: editArgs() });
};

const measureLive = async ({
  queries,
  count,
  isRunningAll,
}: Extract<Request, { kind: "live" }>): Promise<Answer> => {
  const calls = Array.from({ length: queries }, (_, i) => textCall(i));
  const live = await query(calls);
  const answer: Answer = { times: [], runs: 0 };
  let commit: Commit | undefined;
  const stop = runtime.onCommit((one) => (commit = one));
  for (let i = 0; i < count; i++) {
    const { args } = calls[Math.floor(Math.random() * queries)]!;
    const text = `live ${(edits += 1)}`;
    const took = await timed(async () => {
      await mutate({ path: "rows:edit", args: { ...(args as object), text } });
      const affected = calls.flatMap((_, at) =>
        isRunningAll || live[at]!.isAffectedBy(commit!) ? [at] : [],
      );
      const again = await query(affected.map((at) => calls[at]!));
      for (const [k, at] of affected.entries()) live[at] = again[k]!;
      answer.runs += affected.length;
    });
    answer.times.push(took);
  }
  stop();
  return answer;
};

/** Rows are put there by the functions, with the file set for speed, and then as it was. */
const seed = async (): Promise<void> => {
  const FAST = { synchronous: "OFF", wal_autocheckpoint: 100_000, cache_size: -500_000 };
  const set = (settings: object): void => {
    for (const [name, value] of Object.entries(settings)) db?.exec(`PRAGMA ${name} = ${value}`);
  };
  const were = Object.keys(FAST).map((name) => db?.prepare(`PRAGMA ${name}`).get());
  set(FAST);
  for (let from = 0; from < rows; from += SEEDED_AT_ONCE) {
    const to = Math.min(rows, from + SEEDED_AT_ONCE);
    await mutate({ path: "rows:seed", args: { from, to, text: TEXT } });
  }
  for (const settings of were) set(settings ?? {});
  db?.exec("PRAGMA wal_checkpoint(TRUNCATE)");
};

await seed();
const port = parentPort!;
port.on("message", (request: Request) => {
  const answer = async (): Promise<Answer> => {
    if (request.kind === "live") return await measureLive(request);
    const times: number[] = [];
    for (let i = 0; i < request.count; i++) times.push(await timed(() => call(request.name)));
    return { times, runs: 0 };
  };
  void answer().then((one) => port.postMessage(one));
});
port.postMessage({ times: [], runs: 0 } satisfies Answer);
