// Starts the local Convex in a thread: its functions get an environment and globals of their own, and
// a long transaction does not hold up the other servers. A thread with newer code can take its place.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type RuntimeName, runtimeNamedIn } from "./runtime.ts";
import type { LocalConvex } from "./server.ts";

export interface ConvexThreadOptions {
  /** The folder of the functions. */
  folder: string;
  /** All that the functions read from `process.env`; nothing of ours is passed on. */
  env: Record<string, string>;
  host?: string;
  port?: number;
  adminKey?: string;
  /** Folder of the database; without one, it is in memory and forgotten. */
  dataDir?: string;
  /** Default what `CONVEX_RUNTIME` says in the environment of this process, or the engine. */
  runtime?: RuntimeName;
  /**
   * Loads every module at the start, in place of each when it is first called: what is wrong in one is
   * then known at once, and what changes later is not mixed in. Default false.
   */
  isWhole?: boolean;
}

export type ThreadData = Omit<ConvexThreadOptions, "env">;
export type ThreadCommand =
  | { kind: "serve"; port: number }
  /** Closes the server and the database; it may serve again. */
  | { kind: "rest" };
/** One for each command, and one when the functions are loaded. */
export type ThreadAnswer =
  | { kind: "loaded" }
  | { kind: "serving"; url: string }
  | { kind: "resting" }
  | { kind: "failed"; error: string };

export interface ConvexThread extends LocalConvex {
  /**
   * Takes up what changed in the folder, at the same address and over the same data; clients connect
   * again by themselves. Actions that run are cut off.
   * @throws {Error} where a file cannot be loaded, or documents do not fit the schema: then the code of
   *   before goes on
   */
  reload(): Promise<void>;
}

interface Thread {
  serve(port: number): Promise<string>;
  rest(): Promise<void>;
  end(): Promise<void>;
}

/** @throws {Error} where a file cannot be loaded */
const loadThread = async ({ env, ...data }: ConvexThreadOptions): Promise<Thread> => {
  const worker = new Worker(new URL("threadMain.ts", import.meta.url), {
    workerData: { runtime: runtimeNamedIn(process.env), ...data } satisfies ThreadData,
    env,
    execArgv: [],
    name: "convex",
    stdout: true,
  });
  // What functions log is no output of whoever runs them.
  worker.stdout.pipe(process.stderr, { end: false });
  let isEnding = false;
  const end = async (): Promise<void> => {
    isEnding = true;
    await worker.terminate();
  };
  const ended = once(worker, "exit").then(([code]): never => {
    throw new Error(`The Convex thread ended with code ${code}.`);
  });
  const answer = async (): Promise<ThreadAnswer> => {
    const answers = once(worker, "message") as Promise<[ThreadAnswer]>;
    const [told] = await Promise.race([answers, ended]);
    if (told.kind === "failed") throw new Error(told.error);
    return told;
  };
  const ask = (command: ThreadCommand): Promise<ThreadAnswer> => {
    const told = answer();
    // oxlint-disable-next-line require-post-message-target-origin -- a thread's port has none
    worker.postMessage(command);
    return told;
  };
  try {
    await answer();
  } catch (error) {
    await end();
    throw error;
  }
  // Without its database the local cloud is worth nothing; say so at once.
  worker.on("error", (error) => console.error("convex:", error));
  ended.catch((error: unknown) => {
    if (!isEnding) console.error("convex:", error);
  });
  return {
    serve: async (port) => {
      const told = await ask({ kind: "serve", port });
      return told.kind === "serving" ? told.url : "";
    },
    rest: async () => void (await ask({ kind: "rest" })),
    end,
  };
};

/**
 * @throws {Error} where a function file cannot be loaded, documents do not fit the schema, or the port
 *   is taken
 */
export const startConvexThread = async (options: ConvexThreadOptions): Promise<ConvexThread> => {
  let thread: Thread | undefined;
  let url: string;
  try {
    thread = await loadThread(options);
    url = await thread.serve(options.port ?? 0);
  } catch (error) {
    await thread?.end();
    throw new Error(`Convex did not start: ${(error as Error).message}`, { cause: error });
  }
  let current = thread;
  const port = Number(new URL(url).port);
  let last: Promise<unknown> = Promise.resolve();

  const reload = async (): Promise<void> => {
    const next = await loadThread(options);
    // The database is one thread's at a time.
    await current.rest();
    try {
      await next.serve(port);
    } catch (error) {
      await next.end();
      await current.serve(port);
      throw error;
    }
    await current.end();
    current = next;
  };

  return {
    url,
    reload() {
      const turn = last.then(reload);
      last = turn.catch(() => undefined);
      return turn;
    },
    close: async () => {
      await last;
      await current.end();
    },
  };
};
