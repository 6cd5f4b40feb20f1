// What the system calls share: how they are listed, and what they take from those who call.
import type { JSONValue } from "convex/values";
import type { Execution } from "./execution.ts";
import type { Transaction } from "./transaction.ts";

export type Arguments = Record<string, JSONValue>;
export type Answer = string | Promise<string>;

/** By the call's name; each answers JSON. */
export interface SyscallTable {
  sync: Readonly<Record<string, (execution: Execution, args: Arguments) => string>>;
  async: Readonly<Record<string, (execution: Execution, args: Arguments) => Answer>>;
}

/** What a call answers that has nothing to say. */
export const OK = "{}";

export const textOf = (args: Arguments, name: string): string => {
  const value = args[name];
  if (typeof value !== "string") throw new Error(`${name} is a string.`);
  return value;
};

/** @throws {Error} in an action */
export const transactionOf = (execution: Execution, op: string): Transaction => {
  if (!execution.transaction) throw new Error(`${op} is not for actions.`);
  return execution.transaction;
};

/** @throws {Error} in an action or a query */
export const writableOf = (execution: Execution, op: string): Transaction => {
  const transaction = transactionOf(execution, op);
  if (execution.kind !== "mutation") throw new Error(`${op} is for mutations; this is a query.`);
  return transaction;
};
