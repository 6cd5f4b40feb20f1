// The system calls of Convex that functions make, as far as this project's and its components' do: all
// of them under `1.0/`, with JSON in and out. What is not answered says so by name: of Convex's own,
// that is file storage (`ctx.storage`) and vector search, which nothing here uses; http actions are
// not served either.
import { type JSONValue, convexToJson } from "convex/values";
import { type DatabaseDeps, databaseSyscalls } from "./databaseSyscalls.ts";
import { type Execution, type SyscallsOf, isAlive } from "./execution.ts";
import { type FunctionDeps, functionSyscalls } from "./functionSyscalls.ts";
import type { Answer, Arguments } from "./syscallTable.ts";

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

export const createSyscalls = (deps: DatabaseDeps & FunctionDeps): SyscallsOf => {
  const tables = [databaseSyscalls(deps), functionSyscalls(deps)];
  const sync = new Map(tables.flatMap((table) => Object.entries(table.sync)));
  const async = new Map(tables.flatMap((table) => Object.entries(table.async)));

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
      const answer = sync.get(op);
      return answer ? answer(execution, parse(execution, json)) : unknown(op);
    },
    asyncSyscall(execution, op, json) {
      const answer = async.get(op);
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
