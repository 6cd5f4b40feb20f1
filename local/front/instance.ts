// One instance of a function: a child process that listens on a port of its own. It leads its own
// process group, so that what it started (ffmpeg) ends with it, as in a container.
import { spawn } from "node:child_process";
import type { StdioOptions } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

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
  readonly port: number;
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

const POLL_MS = 15;

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** @throws {Error} where the command cannot be started at all */
export const startInstance = async (options: InstanceOptions): Promise<Instance> => {
  const port = await freePort();
  const scratch = options.scratchRoot && (await mkdtemp(join(options.scratchRoot, "instance-")));
  const [program = process.execPath, ...args] = options.command;
  // The channel tells the child when this process is gone, however it ended.
  const stdio: StdioOptions = ["ignore", options.output, options.output, "ipc"];
  const child = spawn(program, args, {
    env: { ...options.env, PORT: String(port), ...(scratch ? { TMPDIR: scratch } : {}) },
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
    port,
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
    const deadline = performance.now() + options.startTimeoutMs;
    while (!(await accepts(port))) {
      if (instance.isOver) throw new Error(`The instance ${await ended}.`);
      if (performance.now() > deadline) {
        killGroup("SIGKILL");
        throw new Error(`The instance did not listen within ${options.startTimeoutMs} ms.`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const ready = listens();
  ready.catch(() => {}); // Whoever waits for it hears of it; it need not be anyone.
  return Object.assign(instance, { ready });
};
