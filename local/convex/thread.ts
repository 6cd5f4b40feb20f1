// Starts the local Convex in a thread: its functions get an environment and globals of their own, and
// a long transaction does not hold up the other servers. A thread with newer code can take its place, and
// another one does where it ended by itself or a function in it computes for ever: what it had told
// anybody is in the database.
import { once } from "node:events";
import { url as debuggerUrl } from "node:inspector";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type CallMark, createCallMark, createLosses } from "./fatalCalls.ts";
import { type RuntimeName, runtimeNamedIn } from "./runtime.ts";
import type { LocalConvex } from "./server.ts";

export interface ConvexThreadOptions {
  /** The folder of the functions. */
  folder: string;
  /** All that the functions read from `process.env`; nothing of ours is passed on. */
  env: Record<string, string>;
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
  /**
   * How long a function may compute without waiting for anything: nothing else is answered meanwhile.
   * After it the thread is given up for another, and what ran in it is undone. Default 30 s.
   */
  maxComputingMs?: number;
  /** How long the modules may take to load. Default 30 s. */
  maxLoadingMs?: number;
}

export interface ThreadData extends Omit<
  ConvexThreadOptions,
  "env" | "maxComputingMs" | "maxLoadingMs"
> {
  /** One number, which the thread counts up while it is not computing. */
  beats: Int32Array;
  beatMs: number;
  callMark: CallMark;
  fatalCalls: readonly string[];
}
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

/** A function that only computes lets go of nothing by itself. */
const MAX_REST_MS = 2_500;
/** Real deployments allow a second of it; here it is ended only where all else is held up. */
const MAX_COMPUTING_MS = 30_000;
/** A module that computes for ever where it is loaded would else keep what is changed later waiting. */
const MAX_LOADING_MS = 30_000;
const BEATS_IN_COMPUTING = 10;
/** Before the next try, where a thread in place of one that ended could not be started. */
const RESTART_MS = 1_000;

/**
 * It counts the looks, not the time between: a machine that slept wakes both sides at once. Under a
 * debugger, where a function may stand still, it does nothing.
 */
const watchBeats = (beats: Int32Array, beatMs: number, onStill: () => void): NodeJS.Timeout => {
  let heard = Atomics.load(beats, 0);
  let missed = 0;
  return setInterval(() => {
    const now = Atomics.load(beats, 0);
    missed = now === heard && debuggerUrl() === undefined ? missed + 1 : 0;
    heard = now;
    if (missed === BEATS_IN_COMPUTING) onStill();
  }, beatMs).unref();
};

/**
 * @param fatalCalls  that are not to be run
 * @param onLost  called where it ends without being told to, as by a function that fills the memory
 * @throws {Error} where a file cannot be loaded
 */
const loadThread = async (
  options: ConvexThreadOptions,
  fatalCalls: readonly string[],
  onLost: (lost: Thread, callMark: CallMark) => void,
): Promise<Thread> => {
  const {
    env,
    maxComputingMs = MAX_COMPUTING_MS,
    maxLoadingMs = MAX_LOADING_MS,
    ...data
  } = options;
  const callMark = createCallMark();
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const beatMs = maxComputingMs / BEATS_IN_COMPUTING;
  const worker = new Worker(new URL("threadMain.ts", import.meta.url), {
    workerData: {
      runtime: runtimeNamedIn(process.env),
      ...data,
      beats,
      beatMs,
      callMark,
      fatalCalls,
    } satisfies ThreadData,
    env,
    execArgv: [],
    name: "convex",
    stdout: true,
  });
  // What functions log is no output of whoever runs them.
  worker.stdout.pipe(process.stderr, { end: false });
  let isEnding = false;
  let isLoaded = false;
  let watching: NodeJS.Timeout | undefined;
  const end = async (): Promise<void> => {
    isEnding = true;
    clearInterval(watching);
    await worker.terminate();
  };
  const ended = once(worker, "exit").then(([code]): never => {
    throw new Error(`The Convex thread ended with code ${code}.`);
  });
  type Answer<Kind> = Extract<ThreadAnswer, { kind: Kind }>;
  const answer = async <Kind extends ThreadAnswer["kind"]>(kind: Kind): Promise<Answer<Kind>> => {
    const answers = once(worker, "message") as Promise<[ThreadAnswer]>;
    const [told] = await Promise.race([answers, ended]);
    if (told.kind === "failed") throw new Error(told.error);
    if (told.kind !== kind) throw new Error(`Convex's thread is ${told.kind}, not ${kind}.`);
    return told as Answer<Kind>;
  };
  const ask = <Kind extends ThreadAnswer["kind"]>(
    command: ThreadCommand,
    kind: Kind,
  ): Promise<Answer<Kind>> => {
    const told = answer(kind);
    // oxlint-disable-next-line require-post-message-target-origin -- a thread's port has none
    worker.postMessage(command);
    return told;
  };
  worker.on("error", (error) => console.error("convex:", error));
  ended.catch((error: unknown) => {
    clearInterval(watching);
    if (isEnding || !isLoaded) return;
    console.error("convex:", error);
    onLost(thread, callMark);
  });
  /** While it serves; to open a large database it may compute for long. */
  const watch = () =>
    watchBeats(beats, beatMs, () => {
      console.error(`convex: a function has computed for ${maxComputingMs / 1000} s; it is ended.`);
      void worker.terminate();
    });
  const thread: Thread = {
    async serve(port) {
      const { url } = await ask({ kind: "serve", port }, "serving");
      watching = watch();
      return url;
    },
    async rest() {
      clearInterval(watching);
      await ask({ kind: "rest" }, "resting");
    },
    end,
  };
  let isLate = false;
  const loading = setTimeout(() => {
    isLate = true;
    void worker.terminate();
  }, maxLoadingMs);
  try {
    await answer("loaded");
    isLoaded = true;
  } catch (error) {
    await end();
    if (!isLate) throw error;
    throw new Error(
      `The functions were not loaded after ${maxLoadingMs / 1000} s: does a module compute for ever?`,
      { cause: error },
    );
  } finally {
    clearTimeout(loading);
  }
  return thread;
};

/**
 * @throws {Error} where a function file cannot be loaded, documents do not fit the schema, or the port
 *   is taken
 */
export const startConvexThread = async (options: ConvexThreadOptions): Promise<ConvexThread> => {
  let current: Thread;
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();
  const losses = createLosses();
  const load = (fatalCalls: readonly string[] = []): Promise<Thread> =>
    loadThread(options, fatalCalls, (lost, callMark) => {
      losses.note(callMark);
      last = last.then(() => restart(lost));
    });

  const restart = async (lost: Thread): Promise<void> => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- closing modifies it
    while (!isClosed && current === lost) {
      let next: Thread | undefined;
      try {
        next = await load(losses.fatal());
        await next.serve(port);
        current = next;
      } catch (error) {
        console.error("convex: could not be started again:", error);
        await next?.end();
        await delay(RESTART_MS);
      }
    }
  };

  let port = options.port ?? 0;
  let url: string;
  let thread: Thread | undefined;
  try {
    thread = await load();
    url = await thread.serve(port);
  } catch (error) {
    await thread?.end();
    throw new Error("Convex did not start.", { cause: error });
  }
  current = thread;
  port = Number(new URL(url).port);

  const reload = async (): Promise<void> => {
    const next = await load();
    const before = current;
    // The database is one thread's at a time.
    const isResting = await Promise.race([
      before.rest().then(
        () => true,
        () => false,
      ),
      delay(MAX_REST_MS, false, { ref: false }),
    ]);
    if (!isResting) await before.end();
    try {
      await next.serve(port);
    } catch (error) {
      await next.end();
      if (isResting) await before.serve(port);
      throw error;
    }
    current = next;
    losses.forget();
    await before.end();
  };

  return {
    url,
    reload() {
      const turn = last.then(reload);
      last = turn.catch(() => undefined);
      return turn;
    },
    close: async () => {
      isClosed = true;
      await last;
      await current.end();
    },
  };
};
