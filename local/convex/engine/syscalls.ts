// The system calls of Convex that functions make, as far as this project's and its components' do: all
// of them under `1.0/`, with JSON in and out. What is not answered says so by name.
import { type JSONValue, convexToJson, getConvexSize, jsonToConvex } from "convex/values";
import type { Catalog } from "./catalog.ts";
import { type Document, isObject } from "./document.ts";
import { type Execution, type SyscallsOf, isAlive } from "./execution.ts";
import { type FunctionPath, handleOf, resolveAddress } from "./functions.ts";
import { tableNumberOf } from "./ids.ts";
import { type PageRequest, type QueryContext, type SerializedQuery, pageQuery } from "./query.ts";
import { streamQuery } from "./query.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Search } from "./search.ts";
import { readSnapshot } from "./snapshot.ts";
import { type Reader, type Store, type StoredDocument, rangeOfId } from "./store.ts";
import type { Transaction, Transactions } from "./transaction.ts";
import type { Metric } from "./usage.ts";

/** `snapshotQuery`: a query that sees what was committed before the mutation that calls it. */
export type CallKind = "query" | "snapshotQuery" | "mutation" | "action";

export interface SyscallDeps {
  search: Search;
  catalog: Catalog;
  store: Store;
  scheduler: Scheduler;
  transactions: Transactions;
  /** Runs a function for another one. @returns JSON of its value */
  call(
    kind: CallKind,
    target: FunctionPath,
    args: JSONValue,
    caller: Execution,
    limits?: Partial<Record<Metric, number>>,
  ): Promise<string>;
}

type Arguments = Record<string, JSONValue>;
type Answer = string | Promise<string>;

const OK = "{}";

/** The timestamp of a commit is known before it: nothing else commits meanwhile. */
export const withCommitTs = (value: JSONValue, ts: bigint): JSONValue => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withCommitTs(item, ts));
  if ("$commitTs" in value) return convexToJson(ts);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withCommitTs(item ?? null, ts)]),
  );
};

const parse = ({ transaction }: Execution, json: string): Arguments => {
  const args = JSON.parse(json) as Arguments;
  return transaction && json.includes('"$commitTs"')
    ? (withCommitTs(args, transaction.ts) as Arguments)
    : args;
};

const text = (args: Arguments, name: string): string => {
  const value = args[name];
  if (typeof value !== "string") throw new Error(`${name} is a string.`);
  return value;
};

const isUndefined = (value: JSONValue): boolean =>
  typeof value === "object" && value !== null && "$undefined" in value;

const transactionOf = (execution: Execution, op: string): Transaction => {
  if (!execution.transaction) throw new Error(`${op} is not for actions.`);
  return execution.transaction;
};

const writable = (execution: Execution, op: string): Transaction => {
  const transaction = transactionOf(execution, op);
  if (execution.kind !== "mutation") throw new Error(`${op} is for mutations; this is a query.`);
  return transaction;
};

export const createSyscalls = (deps: SyscallDeps): SyscallsOf => {
  const { search, catalog, store, scheduler } = deps;
  let streams = 0;

  const readerOf = ({ readsSnapshot }: Execution, transaction: Transaction): Reader =>
    readsSnapshot ? readSnapshot(store, transaction) : store;

  const contextOf = (execution: Execution, op: string): QueryContext => {
    const transaction = transactionOf(execution, op);
    return {
      search,
      catalog,
      store: readerOf(execution, transaction),
      component: execution.component,
      usage: transaction.usage,
      onRead: (range) => transaction.reads.push(range),
    };
  };

  /** @throws {Error} for what is no id of this component, or of another table than is said */
  const checkId = (
    { component }: Execution,
    id: JSONValue | undefined,
    table?: JSONValue,
  ): string => {
    if (typeof id !== "string") throw new Error("An ID is a string.");
    const number = tableNumberOf(id);
    const found = number === undefined ? undefined : catalog.byNumber(number);
    if (!found || found.component !== component) throw new Error(`"${id}" is not an ID.`);
    if (typeof table === "string" && found.name !== table)
      throw new Error(`"${id}" is an ID of table "${found.name}", not of "${table}".`);
    return id;
  };

  const read = (
    execution: Execution,
    transaction: Transaction,
    id: string,
  ): StoredDocument | undefined => {
    transaction.usage.add("databaseQueries", 1);
    const range = rangeOfId(catalog, id);
    if (range) transaction.reads.push(range);
    const found = readerOf(execution, transaction).get(id);
    if (found) {
      transaction.usage.add("documentsRead", 1);
      transaction.usage.add("bytesRead", found.sizeBytes);
    }
    return found;
  };

  const wrote = ({ usage }: Transaction, sizeBytes: number): void => {
    usage.add("documentsWritten", 1);
    usage.add("bytesWritten", sizeBytes);
  };

  const documentOf = (value: JSONValue): Document => {
    const document = jsonToConvex(value);
    if (!isObject(document)) throw new Error("A document is an object.");
    return document;
  };

  const schedule = (execution: Execution, args: Arguments, transaction: Transaction): string => {
    const target = resolveAddress(args, execution.component);
    const functionArgs = args["args"] ?? {};
    transaction.usage.add("functionsScheduled", 1);
    transaction.usage.add("scheduledFunctionArgsBytes", getConvexSize(jsonToConvex(functionArgs)));
    const dueMs = Number(args["ts"]) * 1000;
    return JSON.stringify(
      scheduler.add(transaction, execution.component, { target, args: functionArgs, dueMs }),
    );
  };

  /** A transaction of its own, for an action. */
  const inTransaction = (
    execution: Execution,
    work: (transaction: Transaction) => string,
  ): Promise<string> => {
    if (execution.transaction) throw new Error("This system call is for actions.");
    return deps.transactions.run(true, (transaction) => Promise.resolve(work(transaction)));
  };

  const nested = (kind: CallKind, execution: Execution, args: Arguments): Promise<string> =>
    deps.call(
      kind,
      resolveAddress(args, execution.component),
      args["args"] ?? {},
      execution,
      args["transactionLimits"] as Partial<Record<Metric, number>> | undefined,
    );

  const cancel = (transaction: Transaction, execution: Execution, args: Arguments): string => {
    scheduler.cancel(transaction, checkId(execution, args["id"]));
    return OK;
  };

  const SYNC: Record<string, (execution: Execution, args: Arguments) => string> = {
    "1.0/queryStream": (execution, args) => {
      const query = args["query"] as unknown as SerializedQuery;
      const queryId = (streams += 1);
      execution.streams.set(queryId, streamQuery(query, contextOf(execution, "db.query")));
      return JSON.stringify({ queryId });
    },
    "1.0/queryCleanup": (execution, args) => {
      execution.streams.get(Number(args["queryId"]))?.return?.();
      execution.streams.delete(Number(args["queryId"]));
      return OK;
    },
    "1.0/db/normalizeId": (execution, args) => {
      const id = text(args, "idString");
      const isOne = catalog.isIdOf(execution.component)(text(args, "table"), id);
      return JSON.stringify({ id: isOne ? id : null });
    },
    "1.0/getSnapshotTs": () => JSON.stringify(convexToJson(deps.transactions.latestTs())),
  };

  const ASYNC: Record<string, (execution: Execution, args: Arguments) => Answer> = {
    "1.0/get": (execution, args) => {
      const transaction = transactionOf(execution, "db.get");
      return (
        read(execution, transaction, checkId(execution, args["id"], args["table"]))?.json ?? "null"
      );
    },
    "1.0/queryStreamNext": (execution, args) => {
      const stream = execution.streams.get(Number(args["queryId"]));
      if (!stream) throw new Error("The query is closed.");
      const next = stream.next();
      return next.done === true
        ? '{"value":null,"done":true}'
        : `{"value":${next.value},"done":false}`;
    },
    "1.0/queryPage": (execution, args) => {
      execution.paginated += 1;
      if (execution.paginated > 1)
        throw new Error("A function runs one paginated query at most, as Convex allows no more.");
      const request = args as unknown as PageRequest;
      const { journal } = execution;
      const endCursor = request.endCursor ?? journal.given;
      const made = pageQuery({ ...request, endCursor }, contextOf(execution, "db.query"));
      journal.made = made.continueCursor;
      const { page, ...rest } = made;
      return `{"page":[${page.join(",")}],${JSON.stringify(rest).slice(1)}`;
    },
    "1.0/count": (execution, args) => {
      const transaction = transactionOf(execution, "db.count");
      const { usage, reads } = transaction;
      const table = catalog.table(execution.component, text(args, "table"));
      usage.add("databaseQueries", 1);
      const index = table.indexes.get("by_creation_time")!;
      reads.push({ index: index.number, from: Buffer.alloc(0), to: undefined });
      return JSON.stringify(readerOf(execution, transaction).count(table));
    },
    "1.0/insert": (execution, args) => {
      const transaction = writable(execution, "db.insert");
      const table = catalog.table(execution.component, text(args, "table"));
      const document = documentOf(args["value"] ?? null);
      const { id, sizeBytes } = store.insert(table, document, transaction);
      wrote(transaction, sizeBytes);
      return JSON.stringify({ _id: id });
    },
    "1.0/shallowMerge": (execution, args) => {
      const transaction = writable(execution, "db.patch");
      const id = checkId(execution, args["id"], args["table"]);
      const found = read(execution, transaction, id);
      if (!found) throw new Error(`Update on nonexistent document ID "${id}".`);
      const merged = JSON.parse(found.json) as Arguments;
      const changes = args["value"] as Arguments;
      for (const [name, value] of Object.entries(changes)) {
        if (isUndefined(value)) delete merged[name];
        else merged[name] = value;
      }
      wrote(transaction, store.put(id, jsonToConvex(merged) as Document, transaction));
      return OK;
    },
    "1.0/replace": (execution, args) => {
      const transaction = writable(execution, "db.replace");
      const id = checkId(execution, args["id"], args["table"]);
      if (!read(execution, transaction, id))
        throw new Error(`Replace on nonexistent document ID "${id}".`);
      const document = documentOf(args["value"] ?? null);
      wrote(transaction, store.put(id, document, transaction));
      return OK;
    },
    "1.0/remove": (execution, args) => {
      const transaction = writable(execution, "db.delete");
      const id = checkId(execution, args["id"], args["table"]);
      if (!read(execution, transaction, id))
        throw new Error(`Delete on nonexistent document ID "${id}".`);
      store.remove(id, transaction);
      wrote(transaction, 0);
      return OK;
    },
    "1.0/runUdf": (execution, args) => {
      const kind = args["udfType"];
      if (kind !== "query" && kind !== "snapshotQuery" && kind !== "mutation")
        throw new Error(`The local Convex does not run a "${text(args, "udfType")}".`);
      return nested(kind, execution, args);
    },
    "1.0/actions/query": (execution, args) => nested("query", execution, args),
    "1.0/actions/mutation": (execution, args) => nested("mutation", execution, args),
    "1.0/actions/action": (execution, args) => nested("action", execution, args),
    "1.0/createFunctionHandle": (execution, args) =>
      JSON.stringify(handleOf(resolveAddress(args, execution.component))),
    "1.0/schedule": (execution, args) =>
      schedule(execution, args, writable(execution, "scheduler")),
    "1.0/cancel_job": (execution, args) =>
      cancel(writable(execution, "scheduler"), execution, args),
    "1.0/actions/schedule": (execution, args) =>
      inTransaction(execution, (transaction) => schedule(execution, args, transaction)),
    "1.0/actions/cancel_job": (execution, args) =>
      inTransaction(execution, (transaction) => cancel(transaction, execution, args)),
    "1.0/getUserIdentity": ({ identity }) => JSON.stringify(identity),
    "1.0/getTransactionMetrics": (execution) =>
      JSON.stringify(transactionOf(execution, "getTransactionMetrics").usage.metrics()),
    "1.0/getFunctionMetadata": ({ path, component }) =>
      JSON.stringify({ name: path, componentPath: component }),
  };

  const unknown = (op: string): never => {
    throw new Error(`The local Convex does not answer the system call "${op}".`);
  };
  const alive = (execution: Execution): void => {
    if (!isAlive(execution))
      throw new Error(`${execution.path} has ended; it did not wait for all that it began.`);
  };

  return {
    syscall(execution, op, json) {
      alive(execution);
      const answer = SYNC[op];
      return answer ? answer(execution, parse(execution, json)) : unknown(op);
    },
    asyncSyscall(execution, op, json) {
      const answer = ASYNC[op];
      const run = (): Answer => {
        alive(execution);
        return deps.transactions.step(execution.transaction, () =>
          answer ? answer(execution, parse(execution, json)) : unknown(op),
        );
      };
      // What an action calls may go on side by side.
      if (execution.kind === "action") return Promise.resolve().then(run);
      const done = execution.last.then(run);
      execution.last = done.catch(() => undefined);
      return done;
    },
  };
};
