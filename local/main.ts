// `npm start`: the whole service on this machine, until Ctrl-C.
import "./dotEnv.ts";
import { fileURLToPath } from "node:url";
import { COMMON_OPTIONS, EXIT, UsageError, parseCommandLine, runCommand } from "./cli/command.ts";
import { describeError } from "./cli/describeError.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";
import type { Env } from "./cloud/environment.ts";
import type { Census } from "./convex/census.ts";

const HELP = `Usage: npm start [-- --data DIR] [--port N] [--public-url URL]
       npm run dev [-- the same]

Brings up KlipStream on this machine: functions, Pub/Sub, Cloud Storage and Convex.

  --data DIR   where its state is kept (default .klipstream)
  --port N     port of the HTTP API (default 8080)
  --public-url URL
               where callers reach it, for links in answers, where something of yours stands
               before it (default its own address, whatever PUBLIC_URL says of another)
  --dev        take up what changes in functions/, shared/ and convex/ while it runs, as
               npm run dev does
  --help

What is in DIR is gone on with, jobs that were cut off included; npm run reset deletes it.
Settings come from the environment, or from a file .env here (copy .env.example, which has
them all). Ctrl-C stops it.

Exit status: 0 stopped, 1 not started, 2 wrong use.
`;

const DEFAULT_PORT = "8080";

interface Settings {
  dataDir: string;
  port: number;
  publicUrl: string | undefined;
  dev: boolean;
}

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (): Settings | null => {
  const { values } = parseCommandLine({
    options: {
      port: { type: "string", default: DEFAULT_PORT },
      "public-url": { type: "string" },
      dev: { type: "boolean", default: false },
      ...COMMON_OPTIONS,
    },
  });
  if (values.help) return null;
  const { data: dataDir, "public-url": publicUrl, dev } = values;
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new UsageError(`--port ${values.port || "''"}: a port is a number from 0 to 65535`);
  if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? ""))
    throw new UsageError(`--public-url ${publicUrl}: it begins with http:// or https://`);
  return { dataDir, port, publicUrl, dev };
};

const describe = (error: unknown): string => {
  const { code, port } = error as { code?: unknown; port?: unknown };
  return code === "EADDRINUSE"
    ? `Port ${String(port)} is in use; choose another with --port.`
    : describeError(error);
};

const describeFound = (found: Census | undefined): string => {
  if (!found || found.videos + found.jobs === 0) return "";
  const { videos, unfinished } = found;
  const jobs = unfinished === 1 ? "1 job goes on" : `${unfinished} jobs go on`;
  return `, with ${videos} ${videos === 1 ? "video" : "videos"}${unfinished > 0 ? `; ${jobs}` : ""}`;
};

/** Runs until it is told to stop. @returns the exit status */
const run = async ({ dataDir, port, publicUrl, dev }: Settings): Promise<number> => {
  const env: Env = publicUrl === undefined ? {} : { PUBLIC_URL: publicUrl };
  const cloud = await startCloud({ dataDir, port, env, isReloaded: dev });
  const data = dataDir === COMMON_OPTIONS.data.default ? "" : ` --data ${dataDir}`;
  process.stdout.write(`KlipStream runs (process ${process.pid}).

  API       ${cloud.origin}   (described at ${cloud.origin}/openapi.json)
  API key   ${cloud.apiKey}
  Convex    ${cloud.convexUrl}
  state in  ${dataDir}${describeFound(cloud.found)}

Try it from another terminal:

  npm run analyze -- VIDEO${data}
  npm run call -- --help
  curl -H 'Authorization: Bearer ${cloud.apiKey}' ${cloud.origin}/v1/analysis

Ctrl-C stops it; the next start in this folder goes on with what is there.
`);
  const watching = dev ? await watchSources(cloud) : undefined;
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  await watching?.close();
  await cloud.close();
  return EXIT.done;
};

const watchSources = async (cloud: LocalCloud) => {
  // Its compiler is no part of what a plain start needs.
  const { startDev } = await import("./dev.ts");
  const root = fileURLToPath(new URL("..", import.meta.url));
  const report = (sentence: string) => process.stdout.write(`${sentence}\n`);
  report("Changes in functions/, shared/ and convex/ take effect as they are saved.");
  return startDev({ root, cloud, report });
};

process.exitCode = await runCommand({ help: HELP, read: readArguments, run, describe });
