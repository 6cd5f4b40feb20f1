// The other runtime, which only tests ask for (CONVEX_RUNTIME=convex-test): the project's functions on
// convex-test, so that what they do on the engine is compared with what somebody else took Convex for.
// It scans every table, keeps everything in memory, and forgets it at the end of the process.
//
// convex-test tells nobody what was written. Functions reach it only through the global
// `Convex`, so its system calls are watched there: writes say which tables a commit touched,
// reads say which commits concern a query.
import { AsyncLocalStorage } from "node:async_hooks";
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import type { GenericSchema, SchemaDefinition, UserIdentity } from "convex/server";
import { convexToJson, jsonToConvex } from "convex/values";
import type { JSONValue, Value } from "convex/values";
import type { MountedComponent } from "./components.ts";
import type { Syscalls } from "./engine/execution.ts";
import type { ModuleMap } from "./modules.ts";
import { type MutationAnswer, createMutationMemory } from "./mutationMemory.ts";
import { type Registered, kindOf } from "./registered.ts";
import { canonicalPath, failureOf } from "./runtime.ts";
import type { Commit, ConvexRuntime, FunctionCall, LiveOutcome, Outcome } from "./runtime.ts";

/** What one query did, as far as following it needs. */
interface Trace {
  tables: Set<string>;
  journal: { given: string | null; made: string | null };
}

/** convex-test has the validators written out at every call; they are always the same. */
const writeOutOnce = (found: Registered): void => {
  for (const name of ["exportArgs", "exportReturns"] as const) {
    const written = found[name]();
    found[name] = () => written;
  }
};

const READS = new Set(["1.0/get", "1.0/count"]);
const WRITES = new Set(["1.0/insert", "1.0/shallowMerge", "1.0/replace", "1.0/remove"]);

/** Finished scheduled functions stay as rows, and every row slows every scan: kept this many. */
const KEEP_SCHEDULED = 200;

export const createConvexTestRuntime = (options: {
  modules: ModuleMap;
  schema?: SchemaDefinition<GenericSchema, boolean>;
  components?: readonly MountedComponent[];
  /** Milliseconds since 1970; default `Date.now`. */
  clock?: () => number;
}): ConvexRuntime => {
  const clock = options.clock ?? Date.now;
  const test = convexTest(options.schema, {
    ...options.modules,
    // convex-test finds the root of the functions by this folder.
    "./_generated/api.js": () => Promise.resolve({}),
  });
  for (const { path, schema, modules } of options.components ?? []) {
    test.registerComponent(path, schema, modules);
  }
  const mutations = createMutationMemory();
  const traces = new AsyncLocalStorage<Trace>();
  const listeners = new Set<(commit: Commit) => void>();
  /** Leaves the context of the function that is running: in it, there are no timers, for one. */
  const outside = AsyncLocalStorage.snapshot();
  let ts = BigInt(clock()) * 1_000_000n;
  let written = new Set<string>();
  let flushing = false;
  let scheduledSincePrune = 0;

  const advance = (): void => {
    const now = BigInt(clock()) * 1_000_000n;
    ts = now > ts ? now : ts + 1n;
    const commit: Commit = { ts, writes: written };
    written = new Set();
    outside(() => {
      for (const listener of listeners) listener(commit);
    });
  };
  /** Announces what was written by transactions that are over. */
  const settle = (): void => {
    if (written.size > 0) advance();
  };
  /** An empty transaction waits for the one that wrote; then its writes are committed. */
  const flushSoon = (): void => {
    if (flushing) return;
    flushing = true;
    outside(() => {
      queueMicrotask(() => {
        void test
          .query(() => Promise.resolve(settle()))
          .finally(() => {
            flushing = false;
            if (written.size > 0) flushSoon();
          });
      });
    });
  };

  const inner = (globalThis as unknown as { Convex: Syscalls }).Convex;
  const tableOf = (args: { table?: string; id?: string }): string | undefined =>
    args.table ?? args.id?.replace(/^\d+/, "");
  const note = (op: string, json: string): void => {
    if (READS.has(op)) {
      const table = tableOf(JSON.parse(json) as { table?: string; id?: string });
      if (table !== undefined) traces.getStore()?.tables.add(table);
    } else if (op === "1.0/queryStream" || op === "1.0/queryPage") {
      const { query } = JSON.parse(json) as {
        query: { source: { tableName?: string; indexName?: string } };
      };
      const table = query.source.tableName ?? query.source.indexName?.split(".")[0];
      if (table !== undefined) traces.getStore()?.tables.add(table);
    } else if (WRITES.has(op)) {
      const table = tableOf(JSON.parse(json) as { table?: string; id?: string });
      if (table !== undefined) written.add(table);
      flushSoon();
    } else if (op === "1.0/schedule" || op === "1.0/cancel_job") {
      written.add("_scheduled_functions");
      scheduledSincePrune++;
      flushSoon();
    }
  };
  const watched: Syscalls = {
    syscall(op, json) {
      note(op, json);
      return inner.syscall(op, json);
    },
    async asyncSyscall(op, json) {
      note(op, json);
      const trace = traces.getStore();
      if (op !== "1.0/queryPage" || !trace) return await inner.asyncSyscall(op, json);
      const args = JSON.parse(json) as { endCursor?: string | null };
      if (trace.journal.given !== null) args.endCursor ??= trace.journal.given;
      const answer = await inner.asyncSyscall(op, JSON.stringify(args));
      trace.journal.made = (JSON.parse(answer) as { continueCursor: string }).continueCursor;
      return answer;
    },
    jsSyscall: (op, args) => inner.jsSyscall(op, args),
  };
  (globalThis as unknown as { Convex: Syscalls }).Convex = watched;

  const as = (identity: UserIdentity | null) =>
    identity === null ? test : test.withIdentity(identity);

  const prune = async (): Promise<void> => {
    scheduledSincePrune = 0;
    await test.run(async (ctx) => {
      const jobs = await ctx.db.system.query("_scheduled_functions").collect();
      const over = jobs.filter((job) => !["pending", "inProgress"].includes(job.state.kind));
      // System tables are read-only by their type only.
      const { db } = ctx as unknown as { db: { delete(id: string): Promise<void> } };
      for (const job of over.slice(0, -KEEP_SCHEDULED)) await db.delete(job._id);
    });
  };

  const known = new WeakSet<Registered>();
  const findExport = async (path: string): Promise<Registered | undefined> => {
    const [file = "", name = ""] = canonicalPath(path).split(":");
    const load = options.modules[`./${file}.ts`] ?? options.modules[`./${file}.js`];
    if (!load || file.startsWith("_generated/")) return undefined;
    const exports = (await load()) as Record<string, Registered | undefined>;
    const found = Object.hasOwn(exports, name) ? exports[name] : undefined;
    if (typeof found !== "function" || !kindOf(found)) return undefined;
    if (!known.has(found)) {
      known.add(found);
      writeOutOnce(found);
    }
    return found;
  };

  return {
    async find(path, access) {
      const found = await findExport(path);
      if (!found || (access === "public" && found.isPublic !== true)) return undefined;
      return kindOf(found);
    },
    async runQueries(ask, identity) {
      const results: LiveOutcome[] = [];
      let at = ts;
      // All in one transaction, so that they see one state.
      await as(identity).query(async (ctx) => {
        settle();
        at = ts;
        for (const { path, args, journal } of ask()) {
          const trace: Trace = {
            tables: new Set(),
            journal: { given: journal ?? null, made: null },
          };
          const reference = makeFunctionReference<"query">(canonicalPath(path));
          const outcome = await traces.run(trace, () =>
            outcomeOf(() => ctx.runQuery(reference, objectOf(args))),
          );
          results.push({
            outcome,
            journal: trace.journal.made,
            isAffectedBy: ({ writes }) =>
              [...trace.tables].some((table) => (writes as Set<string>).has(table)),
          });
        }
        return null;
      });
      return { ts: at, results };
    },
    runMutation(call, identity, request) {
      const run = async (): Promise<MutationAnswer> => {
        const outcome = await outcomeOf(() =>
          as(identity).mutation(
            makeFunctionReference<"mutation">(canonicalPath(call.path)),
            objectOf(call.args),
          ),
        );
        // Every success has a timestamp of its own, also one that wrote nothing.
        if (outcome.ok) advance();
        if (scheduledSincePrune > 2 * KEEP_SCHEDULED) await prune();
        return { outcome, ts };
      };
      return request ? mutations.once(request, run) : run();
    },
    runAction: (call: FunctionCall, identity) =>
      outcomeOf(() =>
        as(identity).action(
          makeFunctionReference<"action">(canonicalPath(call.path)),
          objectOf(call.args),
        ),
      ),
    latestTs: () => ts,
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: () => Promise.resolve(),
    close: () => undefined,
  };
};

const objectOf = (args: JSONValue): Record<string, Value> =>
  jsonToConvex(args) as Record<string, Value>;

const outcomeOf = async (run: () => Promise<unknown>): Promise<Outcome> => {
  try {
    const value = (await run()) as Value | undefined;
    return { ok: true, value: convexToJson(value ?? null) };
  } catch (error) {
    return failureOf(error);
  }
};
