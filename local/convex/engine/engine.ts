// Convex's functions over one SQLite file: finds them, checks what goes in and comes out, and runs them
// in transactions. Who asks (HTTP, WebSocket, a test) and in what words is not known here.
import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { UserIdentity } from "convex/server";
import { type JSONValue, type Value, convexToJson, jsonToConvex } from "convex/values";
import type { MountedComponent } from "../components.ts";
import type { ModuleMap } from "../modules.ts";
import type { FunctionKind } from "../runtime.ts";
import { type Catalog, type Schema, openCatalog } from "./catalog.ts";
import { type Execution, type Journal, runAs } from "./execution.ts";
import {
  type FunctionPath,
  type RegisteredFunction,
  argumentsJson,
  createFinder,
} from "./functions.ts";
import { type Scheduler, createScheduler } from "./scheduler.ts";
import { type Range, type Writes, createStore } from "./store.ts";
import { createSyscalls, withCommitTs } from "./syscalls.ts";
import { type Transaction, createTransactions } from "./transaction.ts";
import { MAX_NESTED_CALLS } from "./usage.ts";
import { validate } from "./validate.ts";

export interface EngineOptions {
  /** Open, with the tables that `format.ts` makes. */
  db: DatabaseSync;
  /** From `./dir/file.ts` to its import. */
  modules: ModuleMap;
  schema?: Schema | undefined;
  components?: readonly MountedComponent[] | undefined;
  /** Milliseconds since 1970; default `Date.now`. */
  clock?: (() => number) | undefined;
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

/** What a call comes with. */
export interface Call {
  target: FunctionPath;
  args: JSONValue;
  identity: UserIdentity | null;
}

export interface Engine {
  catalog: Catalog;
  scheduler: Scheduler;
  find(target: FunctionPath): Promise<RegisteredFunction | undefined>;
  /** Runs `work` at one snapshot, whose timestamp it is given. */
  atSnapshot<T>(work: (read: SnapshotReader, ts: bigint) => Promise<T>): Promise<T>;
  /** @returns JSON of its value. @throws what the function threw; then nothing was written */
  mutate(
    call: Call,
    /** Called in the transaction, before it commits. */
    atEnd?: (answer: { value: string; ts: bigint }) => void,
  ): Promise<{ value: string; ts: bigint }>;
  act(call: Call): Promise<string>;
  /** Runs any function value, as tests do, where a function of the app's would run. */
  run(
    registered: RegisteredFunction,
    call: Omit<Call, "target"> & { component?: string | undefined },
  ): Promise<string>;
  latestTs(): bigint;
  onCommit(listener: (commit: EngineCommit) => void): () => void;
  /** Ends after what runs; the file is not closed. */
  close(): void;
}

/** @param journal where the page of an earlier run ended */
export type SnapshotReader = (call: Call, journal: string | null) => Promise<QueryAnswer>;

/** A query or mutation only computes; one that takes so long waits for something that never comes. */
const MAX_RUN_MS = 30_000;
// Taken before tests put their own clock in place.
const { setTimeout: realTimeout, clearTimeout: clearRealTimeout } = globalThis;

/** A function's error as Convex hands it on: the data of a `ConvexError` is plain again. */
const restored = (thrown: unknown): unknown => {
  if (typeof thrown !== "object" || thrown === null || !(Symbol.for("ConvexError") in thrown))
    return thrown;
  const error = thrown as { data: unknown };
  if (typeof error.data === "string") error.data = jsonToConvex(JSON.parse(error.data));
  return error;
};

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
  const store = createStore(db, catalog, clock);
  const listeners = new Set<(commit: EngineCommit) => void>();
  const transactions = createTransactions({
    db,
    clock,
    onCommit({ ts, writes, hasScheduled }) {
      if (hasScheduled) scheduler.arm();
      if (writes.size > 0) for (const listener of listeners) listener({ ts, writes });
    },
    onRollback: () => catalog.reload(),
  });

  const find = async (target: FunctionPath, kind: FunctionKind): Promise<RegisteredFunction> => {
    const found = await finder.find(target);
    if (found?.kind === kind) return found;
    const where = target.component === "" ? "" : ` in component ${target.component}`;
    throw new Error(
      found
        ? `${target.path}${where} is a ${found.kind}, not a ${kind}.`
        : `Could not find public function for '${target.path}'${where}.`,
    );
  };

  /** Checks the arguments, runs, checks what comes back. @returns JSON of the value */
  const invoke = async (
    registered: RegisteredFunction,
    call: Call,
    within: {
      transaction?: Transaction;
      depth?: number;
      journal?: Journal;
      readsSnapshot?: boolean;
    },
  ): Promise<string> => {
    const { component, path } = call.target;
    const isIdOf = catalog.isIdOf(component);
    validateWith(`ArgumentValidationError: ${path}`, () =>
      validate(registered.args, jsonToConvex(call.args), isIdOf),
    );
    const execution: Execution = {
      kind: registered.kind,
      component,
      path,
      identity: call.identity,
      depth: within.depth ?? 0,
      transaction: within.transaction,
      readsSnapshot: within.readsSnapshot ?? false,
      streams: new Map(),
      paginated: 0,
      journal: within.journal ?? { given: null, made: null },
      isOver: false,
      last: Promise.resolve(),
    };
    let json: string;
    try {
      const running = runAs(execution, syscalls, () => registered.invoke(argumentsJson(call.args)));
      json = await (registered.kind === "action" ? running : inTime(running, path));
      // What was written without being waited for counts as far as it got.
      await execution.last;
    } catch (error) {
      throw restored(error);
    } finally {
      execution.isOver = true;
      for (const stream of execution.streams.values()) stream.return?.();
    }
    if (within.transaction && json.includes('"$commitTs"'))
      json = JSON.stringify(withCommitTs(JSON.parse(json) as JSONValue, within.transaction.ts));
    const { returns } = registered;
    if (returns !== null && returns.type !== "any")
      validateWith(`ReturnsValidationError: ${path}`, () =>
        validate(returns, jsonToConvex(JSON.parse(json) as JSONValue), isIdOf),
      );
    return json;
  };

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
    async runMutation({ target, args }, transaction) {
      const [argument = {}] = JSON.parse(args) as JSONValue[];
      await transactions.nest(transaction, undefined, (own) =>
        mutationIn({ target, args: argument, identity: null }, own),
      );
    },
    async runAction({ target, args }) {
      const [argument = {}] = JSON.parse(args) as JSONValue[];
      await engine.act({ target, args: argument, identity: null });
    },
  });

  const syscalls = createSyscalls({
    db,
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
    catalog,
    scheduler,
    find: (target) => finder.find(target),
    atSnapshot: (work) =>
      transactions.run(false, (transaction) =>
        work(async (call, given) => {
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
    mutate: async (call, atEnd) => {
      const registered = await find(call.target, "mutation");
      let ts = transactions.latestTs();
      const value = await transactions.run(true, async (transaction) => {
        const answer = await mutationIn(call, transaction, registered);
        ts = transaction.writes.size > 0 ? transaction.ts : transactions.latestTs();
        atEnd?.({ value: answer, ts });
        return answer;
      });
      return { value, ts };
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
    close: () => scheduler.stop(),
  };
  return engine;
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

const validateWith = (what: string, check: () => void): void => {
  try {
    check();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
};

const inTime = async <T>(running: Promise<T>, path: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realTimeout(
      () => reject(new Error(`${path} did not end within ${MAX_RUN_MS / 1000} s.`)),
      MAX_RUN_MS,
    );
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearRealTimeout(timer);
  }
};

/** An error crosses from one function to another as its text, and the data of a `ConvexError`. */
const forCaller = (error: unknown): Error => {
  if (typeof error === "object" && error !== null && Symbol.for("ConvexError") in error) {
    const { message, data } = error as unknown as { message: string; data: Value };
    return Object.assign(new Error(message), { data: convexToJson(data) });
  }
  return error instanceof Error ? error : new Error(String(error));
};
