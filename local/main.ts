// `npm start`: the whole service on this machine, until Ctrl-C.
import "./dotEnv.ts";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeError } from "./cli/describeError.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";
import type { Census } from "./convex/census.ts";
import type { Env } from "./cloud/environment.ts";

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
`;

const DEFAULT_PORT = 8080;
const DEFAULT_DATA = ".klipstream";

const readArguments = () => {
  try {
    return parseArgs({
      options: {
        data: { type: "string", default: DEFAULT_DATA },
        port: { type: "string", default: String(DEFAULT_PORT) },
        "public-url": { type: "string" },
        dev: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
};

interface Settings {
  dataDir: string;
  port: number;
  publicUrl: string | undefined;
  dev: boolean;
}

/** @returns undefined where it cannot start, having said why */
const start = async (settings: Settings): Promise<LocalCloud | undefined> => {
  const { dataDir, port, publicUrl, dev } = settings;
  const env: Env = publicUrl === undefined ? {} : { PUBLIC_URL: publicUrl };
  try {
    return await startCloud({ dataDir, port, env, isReloaded: dev });
  } catch (error) {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const sentence = inUse
      ? `Port ${port} is in use; choose another with --port.`
      : describeError(error);
    process.stderr.write(`${sentence}\n`);
    process.exitCode = 1;
    return undefined;
  }
};

const describeFound = (found: Census | undefined): string => {
  if (!found || found.videos + found.jobs === 0) return "";
  const { videos, unfinished } = found;
  const jobs = unfinished === 1 ? "1 job goes on" : `${unfinished} jobs go on`;
  return `, with ${videos} ${videos === 1 ? "video" : "videos"}${unfinished > 0 ? `; ${jobs}` : ""}`;
};

/** Runs until it is told to stop. */
const run = async (settings: Settings): Promise<void> => {
  const { dataDir, dev } = settings;
  const cloud = await start(settings);
  if (!cloud) return;
  const data = dataDir === DEFAULT_DATA ? "" : ` --data ${dataDir}`;
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
};

const watchSources = async (cloud: LocalCloud) => {
  // Its compiler is no part of what a plain start needs.
  const { startDev } = await import("./dev.ts");
  const root = fileURLToPath(new URL("..", import.meta.url));
  const report = (sentence: string) => process.stdout.write(`${sentence}\n`);
  report("Changes in functions/, shared/ and convex/ take effect as they are saved.");
  return startDev({ root, cloud, report });
};

const { data, port: portText, "public-url": publicUrl, dev, help } = readArguments();
const port = Number(portText);
if (help) {
  process.stdout.write(HELP);
} else if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write(`--port ${portText}: a port is a number from 0 to 65535\n`);
  process.exitCode = 2;
} else if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? "")) {
  process.stderr.write(`--public-url ${publicUrl}: it begins with http:// or https://\n`);
  process.exitCode = 2;
} else {
  await run({ dataDir: data, port, publicUrl, dev });
}
