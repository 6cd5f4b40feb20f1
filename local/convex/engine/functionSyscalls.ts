// The system calls by which functions reach other functions: now, later, or by a handle.
import { type JSONValue, convexToJson, getConvexSize, jsonToConvex } from "convex/values";
import type { Catalog } from "./catalog.ts";
import { checkedId } from "./databaseSyscalls.ts";
import type { Execution } from "./execution.ts";
import { type FunctionPath, handleOf, resolveAddress } from "./functions.ts";
import type { Scheduler } from "./scheduler.ts";
import {
  type Arguments,
  OK,
  type SyscallTable,
  textOf,
  transactionOf,
  writableOf,
} from "./syscallTable.ts";
import type { Transaction, Transactions } from "./transaction.ts";
import type { Metric } from "./usage.ts";

/** `snapshotQuery`: a query that sees what was committed before the mutation that calls it. */
export type CallKind = "query" | "snapshotQuery" | "mutation" | "action";

/** As Convex counts five years. */
const MAX_DELAY_MS = 5 * 366 * 24 * 3600 * 1000;

export interface FunctionDeps {
  /** Milliseconds since 1970. */
  clock: () => number;
  catalog: Catalog;
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

/**
 * @param seconds  since 1970; null where the function gave `NaN`, or a date that is none
 * @throws {Error} for no time, or one so far off that it was meant otherwise
 */
const dueMsOf = (seconds: JSONValue | undefined, nowMs: number): number => {
  if (typeof seconds !== "number") throw new Error("A function is scheduled at a time.");
  const dueMs = seconds * 1000;
  if (Math.abs(dueMs - nowMs) > MAX_DELAY_MS)
    throw new Error(
      `InvalidScheduledFunctionDelay: ${dueMs} is more than 5 years in the ${dueMs > nowMs ? "future" : "past"}.`,
    );
  return dueMs;
};

/** A query or mutation would wait for itself: what an action calls waits for its turn. */
const mustBeAction = ({ transaction }: Execution): void => {
  if (transaction) throw new Error("This system call is for actions.");
};

export const functionSyscalls = (deps: FunctionDeps): SyscallTable => {
  const { catalog, scheduler } = deps;

  const schedule = (execution: Execution, args: Arguments, transaction: Transaction): string => {
    const target = resolveAddress(args, execution.component);
    const functionArgs = args["args"] ?? {};
    transaction.usage.add("functionsScheduled", 1);
    transaction.usage.add("scheduledFunctionArgsBytes", getConvexSize(jsonToConvex(functionArgs)));
    const dueMs = dueMsOf(args["ts"], deps.clock());
    return JSON.stringify(
      scheduler.add(transaction, execution.component, { target, args: functionArgs, dueMs }),
    );
  };

  /** A transaction of its own, for an action. */
  const inTransaction = (
    execution: Execution,
    work: (transaction: Transaction) => string,
  ): Promise<string> => {
    mustBeAction(execution);
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

  const fromAction =
    (kind: CallKind) =>
    (execution: Execution, args: Arguments): Promise<string> => {
      mustBeAction(execution);
      return nested(kind, execution, args);
    };

  const cancel = (transaction: Transaction, execution: Execution, args: Arguments): string => {
    scheduler.cancel(transaction, checkedId(catalog, execution, args["id"]));
    return OK;
  };

  return {
    sync: {
      "1.0/getSnapshotTs": () => JSON.stringify(convexToJson(deps.transactions.latestTs())),
    },
    async: {
      "1.0/runUdf": (execution, args) => {
        const kind = args["udfType"];
        if (kind !== "query" && kind !== "snapshotQuery" && kind !== "mutation")
          throw new Error(`The local Convex does not run a "${textOf(args, "udfType")}".`);
        return nested(kind, execution, args);
      },
      "1.0/actions/query": fromAction("query"),
      "1.0/actions/mutation": fromAction("mutation"),
      "1.0/actions/action": fromAction("action"),
      "1.0/createFunctionHandle": (execution, args) =>
        JSON.stringify(handleOf(resolveAddress(args, execution.component))),
      "1.0/schedule": (execution, args) =>
        schedule(execution, args, writableOf(execution, "scheduler")),
      "1.0/cancel_job": (execution, args) =>
        cancel(writableOf(execution, "scheduler"), execution, args),
      "1.0/actions/schedule": (execution, args) =>
        inTransaction(execution, (transaction) => schedule(execution, args, transaction)),
      "1.0/actions/cancel_job": (execution, args) =>
        inTransaction(execution, (transaction) => cancel(transaction, execution, args)),
      "1.0/getUserIdentity": ({ identity }) => JSON.stringify(identity),
      "1.0/getTransactionMetrics": (execution) =>
        JSON.stringify(transactionOf(execution, "getTransactionMetrics").usage.metrics()),
      "1.0/getFunctionMetadata": ({ path, component }) =>
        JSON.stringify({ name: path, componentPath: component }),
    },
  };
};
