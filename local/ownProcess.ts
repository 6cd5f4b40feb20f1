// A child process as a container would be: it leads its own process group, so that what it started
// (ffmpeg) ends with it, and has its own folder for temporary files, which goes when it ends.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

export interface ProcessOptions {
  command: readonly string[];
  env: Record<string, string>;
  /** Where its output goes: a file descriptor, or as `spawn` has it. */
  output: "inherit" | "ignore" | number;
  /**
   * Where its own folder for temporary files is made, which goes when it ends, however that was.
   * Default: it shares this process's.
   */
  scratchRoot?: string;
}

export interface OwnProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves, with a sentence, when the process is gone. */
  readonly ended: Promise<string>;
  isOver: boolean;
  /** To it and all that it started. */
  killGroup(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL when `graceMs` are over. */
  stop(graceMs: number): Promise<void>;
}

/** @throws {Error} where the command cannot be started at all */
export const startProcess = async (options: ProcessOptions): Promise<OwnProcess> => {
  const scratch = options.scratchRoot && (await mkdtemp(join(options.scratchRoot, "instance-")));
  const [program = process.execPath, ...args] = options.command;
  // The channel tells the child when this process is gone, however it ended.
  const stdio: StdioOptions = ["ignore", options.output, options.output, "ipc"];
  const child = spawn(program, args, {
    env: { ...options.env, ...(scratch ? { TMPDIR: scratch } : {}) },
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
  const own: OwnProcess = {
    pid,
    child,
    ended,
    isOver: false,
    killGroup,
    async stop(graceMs) {
      if (!own.isOver) child.kill("SIGTERM");
      const timer = setTimeout(() => killGroup("SIGKILL"), graceMs);
      await cleared;
      clearTimeout(timer);
    },
  };
  const cleared = ended.then(async () => {
    own.isOver = true;
    killGroup("SIGKILL");
    // What it started may be writing its last.
    if (scratch) await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  });
  cleared.catch((error: unknown) => console.error(`process ${pid}:`, error));
  return own;
};
