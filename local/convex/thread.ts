// Starts the local Convex in a thread: its functions get an environment and globals of their own, and
// a long transaction does not hold up the other servers.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
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
  /** Default the engine. */
  runtime?: "engine" | "convex-test";
}

/** What the thread answers once: where it listens, or why not. */
export type ThreadAnswer = { kind: "listening"; url: string } | { kind: "failed"; error: string };

/**
 * @throws {Error} where a function file cannot be loaded, or the port is taken
 */
export const startConvexThread = async (options: ConvexThreadOptions): Promise<LocalConvex> => {
  const { env, ...workerData } = options;
  const worker = new Worker(new URL("threadMain.ts", import.meta.url), {
    workerData,
    env,
    execArgv: [],
    name: "convex",
    stdout: true,
  });
  // What functions log is no output of whoever runs them.
  worker.stdout.pipe(process.stderr, { end: false });
  const answers = once(worker, "message") as Promise<[ThreadAnswer]>;
  const ended = once(worker, "exit").then(([code]): never => {
    throw new Error(`The Convex thread ended with code ${code}.`);
  });
  let answer: ThreadAnswer;
  try {
    [answer] = await Promise.race([answers, ended]);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  if (answer.kind === "failed") {
    await worker.terminate();
    throw new Error(`Convex did not start: ${answer.error}`);
  }
  let isClosing = false;
  // Without its database the local cloud is worth nothing; say so at once.
  worker.on("error", (error) => console.error("convex:", error));
  ended.catch((error: unknown) => {
    if (!isClosing) console.error("convex:", error);
  });
  return {
    url: answer.url,
    close: async () => {
      isClosing = true;
      await worker.terminate();
    },
  };
};
