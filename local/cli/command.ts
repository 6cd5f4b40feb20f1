// What is alike in all commands: how options are read, help, the exit status, what is said of wrong
// use and of failures, and how Ctrl-C is heard.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { describeError } from "./describeError.ts";

/** Wrong use of the command: said with the first line of its help. */
export class UsageError extends Error {}

/** `failed` is also what was interrupted, and what is done in part. */
export const EXIT = { done: 0, failed: 1, wrongUse: 2 } as const;

/** Options that every command has. */
export const COMMON_OPTIONS = {
  data: { type: "string", default: ".klipstream" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const parseOrRefuse = <T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> => {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/** Node's `parseArgs`. @throws {UsageError} for an option that is none, lacks its value, or names no folder */
export const parseCommandLine = <T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> => {
  const parsed = parseOrRefuse(config);
  // As of a variable of the shell that is not set.
  if ((parsed.values as { data?: unknown }).data === "")
    throw new UsageError("--data '': a folder has a name");
  return parsed;
};

export interface Command<A> {
  help: string;
  /** Null where help was asked for. @throws {UsageError} */
  read(): A | null;
  /** @returns the exit status */
  run(args: A): Promise<number>;
  /** What is said of a failure; default the error and its causes. */
  describe?: (error: unknown) => string;
}

/** @returns the exit status; nothing is thrown */
export const runCommand = async <A>({
  help,
  read,
  run,
  describe = describeError,
}: Command<A>): Promise<number> => {
  try {
    const args = read();
    if (args !== null) return await run(args);
    process.stdout.write(help);
    return EXIT.done;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${help.split("\n")[0]}\nMore with --help.\n`);
      return EXIT.wrongUse;
    }
    process.stderr.write(`${describe(error)}\n`);
    return EXIT.failed;
  }
};

/** Aborted by Ctrl-C and SIGTERM, until it is disposed; the second of them ends the process at once. */
export const interruption = (): { signal: AbortSignal } & Disposable => {
  const interrupted = new AbortController();
  const abort = () => interrupted.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, abort);
  return {
    signal: interrupted.signal,
    [Symbol.dispose]: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, abort);
    },
  };
};
