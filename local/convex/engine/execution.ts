// One function at work: what its system calls belong to. They find it by the asynchronous context, since
// functions reach their runtime only through one global.
import { AsyncLocalStorage } from "node:async_hooks";
import type { UserIdentity } from "convex/server";
import type { FunctionKind } from "../runtime.ts";
import { guardGlobals } from "./guards.ts";
import type { Transaction } from "./transaction.ts";

export interface Execution {
  kind: FunctionKind;
  component: string;
  path: string;
  identity: UserIdentity | null;
  depth: number;
  /** Undefined in an action, whose calls are transactions of their own. */
  transaction: Transaction | undefined;
  /** For a query that shall not see what the transaction it runs in has written. */
  readsSnapshot: boolean;
  /** Queries that are being read. */
  streams: Map<number, Iterator<string>>;
  paginated: number;
  journal: Journal;
  /** Set at the end: what a function did not wait for does nothing any more. */
  isOver: boolean;
  /** The calls of a query or mutation run one after another, a nested one as a whole. */
  last: Promise<unknown>;
}

/** Where a page ends, so that a live query keeps its pages without gaps. */
export interface Journal {
  given: string | null;
  made: string | null;
}

export interface Syscalls {
  syscall(op: string, args: string): string;
  asyncSyscall(op: string, args: string): Promise<string>;
  jsSyscall(op: string, args: Record<string, unknown>): unknown;
}

export interface SyscallsOf {
  syscall(execution: Execution, op: string, args: string): string;
  asyncSyscall(execution: Execution, op: string, args: string): Promise<string>;
}

interface Running {
  execution: Execution;
  syscalls: SyscallsOf;
}

const running = new AsyncLocalStorage<Running>();
const holder = globalThis as unknown as { Convex?: Syscalls };

/** Stands before whatever was there, which answers what is not ours. */
const install = (): void => {
  const before = holder.Convex;
  const none = (op: string): never => {
    throw new Error(`${op} is for functions that run in Convex.`);
  };
  holder.Convex = {
    syscall(op, args) {
      const here = running.getStore();
      if (here) return here.syscalls.syscall(here.execution, op, args);
      return before ? before.syscall(op, args) : none(op);
    },
    async asyncSyscall(op, args) {
      const here = running.getStore();
      if (here) return here.syscalls.asyncSyscall(here.execution, op, args);
      return before ? before.asyncSyscall(op, args) : none(op);
    },
    jsSyscall(op, args) {
      if (!running.getStore() && before) return before.jsSyscall(op, args);
      throw new Error(`The local Convex does not answer the system call "${op}".`);
    },
  };
};
let isInstalled = false;

/** Runs a function so that its system calls reach `syscalls` with `execution`. */
export const runAs = <T>(execution: Execution, syscalls: SyscallsOf, run: () => T): T => {
  if (!isInstalled) {
    isInstalled = true;
    install();
    guardGlobals(() => running.getStore()?.execution.kind);
  }
  return running.run({ execution, syscalls }, run);
};

/** False for what a function began and did not wait for. */
export const isAlive = ({ isOver, transaction }: Execution): boolean =>
  !isOver && transaction?.whole.isOver !== true;
