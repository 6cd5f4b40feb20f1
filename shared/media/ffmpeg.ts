// Runs ffmpeg as a child process inside limits: argument lists only, nothing of it survives the
// call, and how it ended is told apart (its input was bad, it ran out of something, we stopped it).
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StageError } from "../contract/errors.ts";

const MIB = 1024 * 1024;
const STDERR_BYTES = 8 * 1024;

export interface Ffmpeg {
  path: string;
  /** As ffmpeg says it, such as `7.0`; part of a recipe. */
  version: string;
  /** Where a call does not say: instead of the defaults of `RunOptions`. */
  limits?: { timeoutMs: number; memoryBytes: number };
  /** Called at every start with the arguments: counts work in tests. */
  onStart?: (args: readonly string[]) => void;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** Wall clock; also bounds the CPU seconds. Default 9 minutes. */
  timeoutMs?: number;
  /** Address space of the child, in bytes. Default 2 GiB; decoding sound needs 0.4. */
  memoryBytes?: number;
  /** Largest file the child may write, in bytes. Default 4 GiB. */
  outputBytes?: number;
  /** Whether `stdin` is written by the caller. Default: it is closed. */
  input?: boolean;
  /** Further pipes that ffmpeg writes to, from file descriptor 3 on. Default 0. */
  extraOutputs?: number;
}

export interface FfmpegExit {
  /** Null where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last 8 KiB. */
  stderr: string;
}

export interface FfmpegProcess {
  stdin: Writable;
  stdout: Readable;
  /** `pipe:3` and so on. */
  extra: Readable[];
  /**
   * How it ended, whatever that was. Rejects only where we ended it.
   * @throws {StageError} `stage_timeout`, or the reason of the abort
   */
  exited: Promise<FfmpegExit>;
  /** Ends it at once; `exited` then fulfils with `signal: "SIGKILL"`. */
  stop(): void;
}

const versionOf = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(path, ["-hide_banner", "-version"], { timeout: 15_000 }, (error, stdout) => {
      const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1];
      if (version !== undefined) return resolve(version);
      const cause = error ?? new Error("it does not answer -version");
      reject(new StageError("internal", `FFmpeg cannot be run: ${path}.`, { cause }));
    });
  });

const bundled = (): string | undefined => {
  const require = createRequire(import.meta.url);
  try {
    return require.resolve(`@ffmpeg-binary/${process.platform}-${process.arch}/ffmpeg`);
  } catch {
    return undefined; // npm did not bring one for this platform
  }
};

/**
 * The ffmpeg to use: `FFMPEG_PATH`, else the one on `PATH`, else the one that npm brought.
 * @throws {StageError} `internal` where there is none, or it does not run
 */
export const findFfmpeg = async (env: NodeJS.ProcessEnv = process.env): Promise<Ffmpeg> => {
  const onPath = (env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "ffmpeg"))
    .find((path) => existsSync(path));
  const path = env["FFMPEG_PATH"] || onPath || bundled();
  if (path === undefined)
    throw new StageError("internal", "FFmpeg is missing: set FFMPEG_PATH or install ffmpeg.");
  return { path, version: await versionOf(path) };
};

// A killed parent takes its children along, also where it exits without unwinding.
const running = new Set<ChildProcess>();
const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it is gone already
  }
};
process.on("exit", () => {
  for (const child of running) killGroup(child);
});

// `ulimit` is in every POSIX shell, where `prlimit` is not; a limit that a platform does not know
// (address space on macOS) is left out. Where `setpriv` can, the kernel ends ffmpeg when we are
// killed ourselves. Where `chrt` can, ffmpeg's threads are scheduled in batches: they hand each other
// one small frame of sound at a time, and waking up for each takes as long as decoding it. The
// arguments pass through untouched.
const LIMITED = `
ulimit -c 0 2>/dev/null; ulimit -v "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; ulimit -t "$3" 2>/dev/null
shift 3
if chrt --batch 0 true 2>/dev/null; then set -- chrt --batch 0 "$@"; fi
if setpriv --pdeathsig KILL true 2>/dev/null; then exec setpriv --pdeathsig KILL "$@"; fi
exec "$@"`;

/** Starts ffmpeg. Every stream it offers must be read, or it blocks until its time runs out. */
export const startFfmpeg = (
  ffmpeg: Ffmpeg,
  args: readonly string[],
  options: RunOptions = {},
): FfmpegProcess => {
  const { signal } = options;
  const { timeoutMs = ffmpeg.limits?.timeoutMs ?? 540_000 } = options;
  const { memoryBytes = ffmpeg.limits?.memoryBytes ?? 2048 * MIB } = options;
  const { outputBytes = 4096 * MIB, input = false, extraOutputs = 0 } = options;
  signal?.throwIfAborted();
  ffmpeg.onStart?.(args);

  const cpuSec = Math.ceil(timeoutMs / 1000) * 8;
  const limits = [memoryBytes / 1024, outputBytes / 512, cpuSec].map((n) => String(Math.ceil(n)));
  const child = spawn(
    "/bin/sh",
    // `-nostdin` also where stdin is a pipe of media: ffmpeg must not take it for keys pressed.
    [
      "-c",
      LIMITED,
      "sh",
      ...limits,
      ffmpeg.path,
      "-nostdin",
      "-hide_banner",
      "-loglevel",
      "error",
    ].concat(args),
    {
      detached: true, // a process group of its own, so that a wrapper script's children end too
      // Nothing of our environment (keys, tokens) reaches a process that reads hostile bytes.
      env: { PATH: process.env["PATH"] ?? "", MALLOC_ARENA_MAX: "2", AV_LOG_FORCE_NOCOLOR: "1" },
      stdio: [
        input ? "pipe" : "ignore",
        "pipe",
        "pipe",
        ...Array.from({ length: extraOutputs }, () => "pipe" as const),
      ],
    },
  );
  running.add(child);

  let stderr = Buffer.alloc(0);
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES);
  });

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, timeoutMs);
  const onAbort = (): void => killGroup(child);
  signal?.addEventListener("abort", onAbort, { once: true });

  const exited = new Promise<FfmpegExit>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new StageError("internal", "FFmpeg cannot be started.", { cause })),
    );
    child.once("exit", (code, bySignal) => {
      killGroup(child); // whatever a wrapper script left behind
      const finish = (): void => {
        if (signal?.aborted) return reject(signal.reason as Error);
        if (timedOut)
          return reject(new StageError("stage_timeout", "FFmpeg took longer than its limit."));
        resolve({ code, signal: bySignal, stderr: stderr.toString("utf8") });
      };
      // "close" would wait for readers of stdout; stderr alone matters here.
      if (child.stderr?.readableEnded) finish();
      else child.stderr?.once("close", finish);
    });
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    running.delete(child);
  });
  exited.catch(() => undefined); // callers await it after their streams; it is never lost

  const [, , , ...extra] = child.stdio;
  return {
    stdin: child.stdin as Writable,
    stdout: child.stdout as Readable,
    extra: extra as Readable[],
    exited,
    stop: () => killGroup(child),
  };
};

const NO_ROOM =
  /Cannot allocate memory|Resource temporarily unavailable|No space left on device|File too large|bad_alloc|Disk quota exceeded/;
// Sent by the kernel for want of memory, file size or CPU time, or by an allocator that gave up.
const NO_ROOM_SIGNALS = ["SIGKILL", "SIGXFSZ", "SIGXCPU", "SIGABRT"] as const;

const ranOut = ({ code, signal, stderr }: FfmpegExit): boolean =>
  NO_ROOM_SIGNALS.some(
    // A wrapper script reports a signal as 128 + its number.
    (name) => signal === name || code === 128 + constants.signals[name],
  ) || NO_ROOM.test(stderr);

/**
 * Turns a bad end into the error it means; a good end passes.
 * @param message what the person is told where the media is at fault
 * @throws {StageError} `invalid_media`, `resources_exhausted`
 */
export const checkExit = (exit: FfmpegExit, message?: string): void => {
  if (exit.code === 0) return;
  const how = exit.signal ?? `status ${exit.code}`;
  const cause = new Error(`ffmpeg ended with ${how}: ${exit.stderr.trim()}`);
  if (ranOut(exit)) throw new StageError("resources_exhausted", undefined, { cause });
  throw new StageError("invalid_media", message, { cause });
};

/**
 * Runs ffmpeg to its end, where it writes to files.
 * @returns how it ended, with its messages
 * @throws {StageError} `invalid_media`, `resources_exhausted`, `stage_timeout`
 */
export const runFfmpeg = async (
  ffmpeg: Ffmpeg,
  args: readonly string[],
  options: RunOptions & { failure?: string } = {},
): Promise<FfmpegExit> => {
  const child = startFfmpeg(ffmpeg, args, options);
  child.stdout.resume();
  for (const pipe of child.extra) pipe.resume();
  const exit = await child.exited;
  checkExit(exit, options.failure);
  return exit;
};

/**
 * Lets ffmpeg read a stream.
 * @returns what the stream failed with. ffmpeg ending before it has read all is no failure.
 */
export const feed = async (
  source: Readable | undefined,
  child: FfmpegProcess,
): Promise<Error | undefined> => {
  if (source === undefined) return undefined;
  const { stdin } = child;
  let failure: Error | undefined = source.errored ?? undefined;
  // Whoever closes first is at fault: ffmpeg closes its end when it has read enough or gave up.
  source.once("error", (error) => {
    if (!stdin.destroyed) failure = error;
  });
  source.once("close", () => {
    if (!stdin.destroyed && !source.readableEnded) failure ??= new StageError("source_failed");
  });
  // Either failure ends both streams; which one it was is known by the listeners above.
  await pipeline(source, stdin).catch(() => undefined);
  if (failure) child.stop();
  return failure;
};
