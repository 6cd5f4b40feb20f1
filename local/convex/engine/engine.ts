// Convex's functions over one SQLite file: finds them, checks what goes in and comes out, and runs them
// in transactions. Who asks (HTTP, WebSocket, a test) and in what words is not known here.
import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { JSONValue } from "convex/values";
import type { MountedComponent } from "../components.ts";
import type { ModuleMap } from "../modules.ts";
import type { FunctionKind, SessionRequest } from "../runtime.ts";
import { breathe } from "./breath.ts";
import { openCatalog } from "./catalog.ts";
import type { Schema } from "./declared.ts";
import type { Journal } from "./execution.ts";
import { type FunctionPath, type RegisteredFunction, createFinder } from "./functions.ts";
import { type Call, type EnterCall, createInvoke, forCaller } from "./invoke.ts";
import type { Job } from "./schedule.ts";
import { type Scheduler, createScheduler } from "./scheduler.ts";
import { createSearch } from "./search.ts";
import { createSessions } from "./sessions.ts";
import { type Range, type Writes, createStore } from "./store.ts";
import { createSyscalls } from "./syscalls.ts";
import { NS_PER_MS, type Transaction, createTransactions } from "./transaction.ts";
import { MAX_NESTED_CALLS } from "./usage.ts";

export interface EngineOptions {
  /** Open, with the tables that `format.ts` makes. */
  db: DatabaseSync;
  /** From `./dir/file.ts` to its import. */
  modules: ModuleMap;
  schema?: Schema | undefined;
  components?: readonly MountedComponent[] | undefined;
  /** Milliseconds since 1970; default `Date.now`. */
  clock?: (() => number) | undefined;
  /** How long a query or mutation may take; default 30 s. */
  maxTransactionMs?: number | undefined;
  enterCall?: EnterCall | undefined;
}

export interface EngineCommit {
  ts: bigint;
  writes: Writes;
}

export interface QueryAnswer {
  /** JSON of its value. */
  value: string;
  reads: readonly Range[];
  journal: string | null;
}

export interface Engine {
  scheduler: Scheduler;
  /** Of any kind, public or not. @returns undefined where there is none */
  find(target: FunctionPath): Promise<RegisteredFunction | undefined>;
  /** Runs `work` at one snapshot, whose timestamp it is given. */
  atSnapshot<T>(work: (read: SnapshotReader, ts: bigint) => Promise<T>): Promise<T>;
  /**
   * @param request  one that was answered before is answered the same, and nothing is run
   * @returns JSON of its value, and the commit that every later snapshot includes
   * @throws what the function threw; then nothing was written
   */
  mutate(call: Call, request?: SessionRequest): Promise<{ value: string; ts: bigint }>;
  /** @returns JSON of its value. @throws what the function threw; what it wrote before stays */
  act(call: Call): Promise<string>;
  /** Runs any function value, as tests do, where a function of the app's would run. @returns JSON of its value */
  run(
    registered: RegisteredFunction,
    call: Omit<Call, "target"> & { component?: string | undefined },
  ): Promise<string>;
  latestTs(): bigint;
  onCommit(listener: (commit: EngineCommit) => void): () => void;
  /** Goes on with what was scheduled, and with the crons that are declared. */
  start(): Promise<void>;
  /** Ends after what runs; the file is not closed. */
  close(): void;
}

/** @param journal where the page of an earlier run ended */
export type SnapshotReader = (call: Call, journal: string | null) => Promise<QueryAnswer>;

export const createEngine = (options: EngineOptions): Engine => {
  const { db, components = [] } = options;
  // Asked anew each time: tests put another `Date` in place.
  const clock = options.clock ?? (() => Date.now());
  const finder = createFinder(
    new Map([
      ["", options.modules],
      ...components.map(({ path, modules }) => [path, modules] as const),
    ]),
  );
  const catalog = openCatalog(
    db,
    new Map([
      ["", options.schema],
      ...components.map(({ path, schema }) => [path, schema] as const),
    ]),
  );
  const search = createSearch(db);
  const sessions = createSessions(db);
  const listeners = new Set<(commit: EngineCommit) => void>();
  const transactions = createTransactions({
    db,
    clock,
    onCommit({ ts, writes, hasScheduled }) {
      if (hasScheduled) scheduler.arm();
      if (writes.size > 0) for (const listener of listeners) tell(listener, { ts, writes });
    },
    onRollback: () => catalog.reload(),
  });

  const lastCreatedMs = Number(transactions.latestTs() / NS_PER_MS) + 1;
  const store = createStore({ db, catalog, search, clock, lastCreatedMs });

  const find = async (target: FunctionPath, kind: FunctionKind): Promise<RegisteredFunction> => {
    const found = await finder.find(target);
    if (found?.kind === kind) return found;
    const where = target.component === "" ? "" : ` in component ${target.component}`;
    throw new Error(
      found
        ? `${target.path}${where} is ${named(found.kind)}, not ${named(kind)}.`
        : `Could not find public function for '${target.path}'${where}.`,
    );
  };

  const invoke = createInvoke(catalog, () => syscalls, options.maxTransactionMs, options.enterCall);

  const mutationIn = async (
    call: Call,
    transaction: Transaction,
    registered?: RegisteredFunction,
  ): Promise<string> =>
    await invoke(registered ?? (await find(call.target, "mutation")), call, { transaction });

  const scheduler = createScheduler({
    db,
    catalog,
    store,
    transactions,
    clock,
    isAction: async (target) => (await finder.find(target))?.kind === "action",
    async runMutation(job, transaction) {
      await transactions.nest(transaction, undefined, (own) => mutationIn(callOf(job), own));
    },
    async runAction(job) {
      await engine.act(callOf(job));
    },
  });

  const syscalls = createSyscalls({
    clock,
    search,
    catalog,
    store,
    scheduler,
    transactions,
    async call(called, target, args, caller, limits) {
      const readsSnapshot = called === "snapshotQuery" || caller.readsSnapshot;
      const kind = called === "snapshotQuery" ? "query" : called;
      const registered = await find(target, kind);
      // Who is signed in is known to the app, and to none of its components.
      const identity = target.component === caller.component ? caller.identity : null;
      const call: Call = { target, args, identity };
      const depth = caller.depth + 1;
      if (depth > MAX_NESTED_CALLS) throw new Error(`Calls nest ${MAX_NESTED_CALLS} deep at most.`);
      try {
        if (kind === "action") return await invoke(registered, call, { depth });
        const { transaction } = caller;
        if (!transaction)
          return await transactions.run(kind === "mutation", (own) =>
            invoke(registered, call, { transaction: own, depth }),
          );
        if (kind === "mutation" && caller.kind === "query")
          throw new Error("A query cannot run a mutation.");
        return await transactions.nest(transaction, limits, (own) =>
          invoke(registered, call, { transaction: own, depth, readsSnapshot }),
        );
      } catch (error) {
        throw forCaller(error);
      }
    },
  });

  const engine: Engine = {
    scheduler,
    find: (target) => finder.find(target),
    atSnapshot: (work) =>
      transactions.run(false, (transaction) =>
        work(async (call, given) => {
          await breathe();
          const journal: Journal = { given, made: null };
          const own: Transaction = { ...transaction, reads: [], usage: transaction.usage.child() };
          try {
            const registered = await find(call.target, "query");
            const value = await invoke(registered, call, { transaction: own, journal });
            return { value, reads: own.reads, journal: journal.made };
          } catch (error) {
            // What it read until it failed is what it depends on.
            throw new QueryFailure(error, own.reads, journal.made);
          }
        }, transactions.latestTs()),
      ),
    mutate: async (call, request) => {
      const registered = await find(call.target, "mutation");
      return await transactions.run(true, async (transaction) => {
        // Asked in the transaction: the first of two that came at once is answered by now.
        const known = request && sessions.find(request);
        if (known) return known;
        const value = await mutationIn(call, transaction, registered);
        const ts = transaction.writes.size > 0 ? transaction.ts : transactions.latestTs();
        if (request) sessions.add(request, { value, ts });
        return { value, ts };
      });
    },
    act: async (call) => await invoke(await find(call.target, "action"), call, {}),
    run(registered, { args, identity, component = "" }) {
      const call: Call = { target: { component, path: `inline:${randomUUID()}` }, args, identity };
      return registered.kind === "action"
        ? invoke(registered, call, {})
        : transactions.run(registered.kind === "mutation", (transaction) =>
            invoke(registered, call, { transaction }),
          );
    },
    latestTs: () => transactions.latestTs(),
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: async () => scheduler.start(await finder.crons()),
    close: () => scheduler.stop(),
  };
  return engine;
};

/** Nobody is signed in any more when it is due. */
const callOf = ({ target, args }: Job): Call => {
  const [argument = {}] = JSON.parse(args) as JSONValue[];
  return { target, args: argument, identity: null };
};

const named = (kind: FunctionKind): string => (kind === "action" ? "an action" : `a ${kind}`);

/** What a listener cannot do must not look as if the commit had failed. */
const tell = (listener: (commit: EngineCommit) => void, commit: EngineCommit): void => {
  try {
    listener(commit);
  } catch (error) {
    console.error("convex: after a commit:", error);
  }
};

/** What a query threw, with what it had read. */
export class QueryFailure extends Error {
  readonly thrown: unknown;
  readonly reads: readonly Range[];
  readonly journal: string | null;
  constructor(thrown: unknown, reads: readonly Range[], journal: string | null) {
    super("The query failed.");
    this.thrown = thrown;
    this.reads = reads;
    this.journal = journal;
  }
}
