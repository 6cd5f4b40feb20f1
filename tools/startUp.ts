// One start of an instance: a process, and the request that it answers first.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { FunctionSpec } from "#functions/catalog.ts";

/** A request that a function answers by itself, with nothing around it. */
export interface FirstRequest {
  method: "GET" | "POST";
  path: string;
  /** What it is answered. */
  status: number;
}

/**
 * What asks most of a function and still reaches nothing: what a push holds that is none, and who calls
 * without a key. Those behind a schedule would go to the database at once, so that of them only the
 * framework answers, once their code is registered.
 */
export const firstRequest = ({ name, trigger }: FunctionSpec): FirstRequest => {
  switch (trigger.kind) {
    case "http":
      return name === "status"
        ? { method: "GET", path: "/health", status: 200 }
        : { method: "POST", path: "/v1/analysis", status: 401 };
    case "topic":
      return { method: "POST", path: "/", status: 204 };
    case "schedule":
      return { method: "GET", path: "/favicon.ico", status: 404 };
  }
};

/** What an instance must have to start. */
const ENVIRONMENT = {
  NODE_ENV: "production",
  GOOGLE_CLOUD_PROJECT: "project",
  BUCKET: "bucket",
  CONVEX_URL: "http://127.0.0.1:1",
};

export interface Start {
  command: readonly string[];
  env: Record<string, string>;
  request: FirstRequest;
  /** Default SIGKILL; SIGTERM lets the process write down what it compiled. */
  endWith?: NodeJS.Signals;
}

export interface StartTimes {
  /** From the start of the process to the end of its first answer. */
  tookMs: number;
  /** Of all its threads in this time; undefined where the system does not tell. */
  processorMs: number | undefined;
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** Linux counts in nanoseconds for each thread, time on a processor first. */
const processorMs = async (pid: number | undefined): Promise<number | undefined> => {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const lines = await Promise.allSettled(
      threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")),
    );
    // One that has ended since is not there any more.
    const times = lines.flatMap((line) =>
      line.status === "fulfilled" ? [Number(line.value.split(" ")[0]) / 1e6] : [],
    );
    return times.reduce((sum, ms) => sum + ms, 0);
  } catch {
    return undefined; // not a Linux, or one that keeps no count
  }
};

/** @throws {Error} where it ends before it answers, or answers otherwise than it should */
export const timeStart = async ({
  command,
  env,
  request,
  endWith = "SIGKILL",
}: Start): Promise<StartTimes> => {
  const port = await freePort();
  const [program = process.execPath, ...args] = command;
  const startMs = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env["PATH"], ...ENVIRONMENT, ...env, PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const exited = once(child, "exit").finally(() => process.off("exit", end));
  const answer = () =>
    fetch(`http://127.0.0.1:${port}${request.path}`, { method: request.method }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => undefined,
    );
  let status: number | undefined;
  while ((status = await answer()) === undefined) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${command.join(" ")} ended with ${child.exitCode ?? child.signalCode}.`);
    // Asking without pause would take the processor from whom it waits for.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const tookMs = performance.now() - startMs;
  const times = { tookMs, processorMs: await processorMs(child.pid) };
  child.kill(endWith);
  await exited;
  if (status !== request.status)
    throw new Error(`${command.join(" ")} answered ${status}, not ${request.status}.`);
  return times;
};
