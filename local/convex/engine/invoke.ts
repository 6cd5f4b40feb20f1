// Runs one function: checks its arguments, gives it its runtime, and checks what comes back.
import type { UserIdentity } from "convex/server";
import { type JSONValue, convexToJson, jsonToConvex } from "convex/values";
import { isConvexError } from "../runtime.ts";
import type { Catalog } from "./catalog.ts";
import { type Execution, type Journal, type SyscallsOf, runAs } from "./execution.ts";
import { type FunctionPath, type RegisteredFunction, argumentsJson } from "./functions.ts";
import { withCommitTs } from "./syscalls.ts";
import type { Transaction } from "./transaction.ts";
import { validate } from "./validate.ts";
import { checkCallValue } from "./valueLimits.ts";

/** What a call comes with. */
export interface Call {
  target: FunctionPath;
  args: JSONValue;
  identity: UserIdentity | null;
}

/** What it is called in. */
export interface Within {
  /** Undefined for an action. */
  transaction?: Transaction;
  /** How many calls it is nested in. */
  depth?: number;
  journal?: Journal;
  readsSnapshot?: boolean;
}

/** @returns JSON of the value. @throws what the function threw, or what is wrong with its values */
export type Invoke = (
  registered: RegisteredFunction,
  call: Call,
  within: Within,
) => Promise<string>;

/**
 * Told of each query and mutation before it is run, also of those nested in another.
 * @returns what is called when it has run. @throws what is answered in place of running it
 */
export type EnterCall = (call: Call) => () => void;

/** A query or mutation only computes; one that takes so long waits for something that never comes. */
const MAX_TRANSACTION_MS = 30_000;
const MAX_ACTION_MS = 600_000;
/** As a key: in a text the quotes would have a backslash before them. */
const PROTO_KEY = '"__proto__":';
// Taken before tests put their own clock in place, and before queries are kept from it.
const { setTimeout: realTimeout, clearTimeout: clearRealTimeout } = globalThis;

/**
 * @param syscalls  asked for at the first call: what answers them calls functions itself
 * @param maxTransactionMs  how long a query or mutation may take
 */
export const createInvoke = (
  catalog: Catalog,
  syscalls: () => SyscallsOf,
  maxTransactionMs = MAX_TRANSACTION_MS,
  enterCall: EnterCall = () => () => undefined,
): Invoke => {
  const checkArguments = ({ args }: RegisteredFunction, call: Call): string => {
    const { component, path } = call.target;
    const json = argumentsJson(call.args);
    // It would become the prototype of the arguments, where no validator looks.
    if (json.includes(PROTO_KEY))
      throw new Error(`ArgumentValidationError: ${path}: Field name __proto__ is not allowed.`);
    explained(`ArgumentValidationError: ${path}`, () => {
      const value = jsonToConvex(call.args);
      checkCallValue(`Arguments for ${path} are`, value);
      validate(args, value, catalog.isIdOf(component));
    });
    return json;
  };

  const checkReturned = ({ returns }: RegisteredFunction, call: Call, json: string): void => {
    if (json === "null" && (returns === null || returns.type === "null")) return;
    const { component, path } = call.target;
    const value = jsonToConvex(JSON.parse(json) as JSONValue);
    explained(`Function ${path} return value invalid`, () =>
      checkCallValue(`Function ${path} return value is`, value),
    );
    if (returns === null || returns.type === "any") return;
    explained(`ReturnsValidationError: ${path}`, () =>
      validate(returns, value, catalog.isIdOf(component)),
    );
  };

  return async (registered, call, within) => {
    const { component, path } = call.target;
    const argsJson = checkArguments(registered, call);
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
    const run = async (): Promise<string> => {
      try {
        const json = await registered.invoke(argsJson);
        // What was written without being waited for counts as far as it got.
        await execution.last;
        return json;
      } catch (error) {
        execution.isOver = true;
        // What goes on must not write after this is rolled back.
        await execution.last;
        throw restored(error);
      }
    };
    let json: string;
    const leaveCall = within.transaction && enterCall(call);
    try {
      const maxMs = registered.kind === "action" ? MAX_ACTION_MS : maxTransactionMs;
      json = await inTime(runAs(execution, syscalls(), run), path, maxMs);
    } finally {
      leaveCall?.();
      execution.isOver = true;
      for (const stream of execution.streams.values()) stream.return?.();
    }
    if (within.transaction && json.includes('"$commitTs"'))
      json = JSON.stringify(withCommitTs(JSON.parse(json) as JSONValue, within.transaction.ts));
    checkReturned(registered, call, json);
    return json;
  };
};

/** A function's error as Convex hands it on: the data of a `ConvexError` is plain again. */
const restored = (thrown: unknown): unknown => {
  if (isConvexError(thrown) && typeof thrown.data === "string")
    thrown.data = jsonToConvex(JSON.parse(thrown.data) as JSONValue);
  return thrown;
};

/** An error crosses from one function to another as its text, and the data of a `ConvexError`. */
export const forCaller = (error: unknown): Error => {
  if (isConvexError(error))
    return Object.assign(new Error(error.message), { data: convexToJson(error.data) });
  return error instanceof Error ? error : new Error(String(error));
};

const explained = (what: string, check: () => void): void => {
  try {
    check();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
};

const inTime = async <T>(running: Promise<T>, path: string, maxMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realTimeout(
      () => reject(new Error(`${path} did not end within ${maxMs / 1000} s.`)),
      maxMs,
    );
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearRealTimeout(timer);
  }
};
