// One instance of a function: a child process that listens on a port of its own. It leads its own
// process group, so that what it started (ffmpeg) ends with it, as in a container.
import { spawn } from "node:child_process";
import type { StdioOptions } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

export interface InstanceOptions {
  /** What to run; default the local function host under this very Node. */
  command: readonly string[];
  env: Record<string, string>;
  /** Where its output goes: a file descriptor, or as `spawn` has it. */
  output: "inherit" | "ignore" | number;
  startTimeoutMs: number;
  /**
   * Where its own folder for temporary files is made, which goes when it ends, however that was.
   * Default: it shares this process's.
   */
  scratchRoot?: string;
}

export interface Instance {
  readonly pid: number;
  /** 0 until it is ready. */
  port: number;
  /** Resolves when it listens; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves, with a sentence, when the process is gone. */
  readonly ended: Promise<string>;
  isOver: boolean;
  /** Requests it works on. */
  inFlight: number;
  /** SIGTERM, then SIGKILL when `graceMs` are over. */
  stop(graceMs: number): Promise<void>;
}

const Listening = z.object({ port: z.int().positive() });

/** @throws {Error} where the command cannot be started at all */
export const startInstance = async (options: InstanceOptions): Promise<Instance> => {
  const scratch = options.scratchRoot && (await mkdtemp(join(options.scratchRoot, "instance-")));
  const [program = process.execPath, ...args] = options.command;
  // The channel tells the child when this process is gone, however it ended.
  const stdio: StdioOptions = ["ignore", options.output, options.output, "ipc"];
  const child = spawn(program, args, {
    env: { ...options.env, PORT: "0", ...(scratch ? { TMPDIR: scratch } : {}) },
    stdio,
    detached: true,
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`did not start: ${error.message}`));
    child.once("exit", (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} ${await ended}`);
  child.channel?.unref();
  child.unref();

  const killGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const instance: Instance = {
    pid,
    port: 0,
    ready: undefined as unknown as Promise<void>,
    ended,
    isOver: false,
    inFlight: 0,
    async stop(graceMs) {
      if (!instance.isOver) child.kill("SIGTERM");
      const timer = setTimeout(() => killGroup("SIGKILL"), graceMs);
      await cleared;
      clearTimeout(timer);
    },
  };
  const cleared = ended.then(async () => {
    instance.isOver = true;
    killGroup("SIGKILL");
    // What it started may be writing its last.
    if (scratch) await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  });
  cleared.catch((error: unknown) => console.error("front:", error));

  const listens = async (): Promise<void> => {
    const told = Promise.withResolvers<void>();
    child.on("message", (message: unknown) => {
      const read = Listening.safeParse(message);
      if (!read.success) return;
      instance.port = read.data.port;
      told.resolve();
    });
    const timer = setTimeout(() => {
      killGroup("SIGKILL");
      told.reject(new Error(`The instance did not listen within ${options.startTimeoutMs} ms.`));
    }, options.startTimeoutMs);
    void ended.then((how) => told.reject(new Error(`The instance ${how}.`)));
    try {
      await told.promise;
    } finally {
      clearTimeout(timer);
    }
  };
  const ready = listens();
  ready.catch(() => {}); // Whoever waits for it hears of it; it need not be anyone.
  return Object.assign(instance, { ready });
};
