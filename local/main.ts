// `npm start`: the whole service on this machine, until Ctrl-C.
import "./dotEnv.ts";
import { parseArgs } from "node:util";
import { describeError } from "./cli/describeError.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";
import type { Env } from "./cloud/environment.ts";

const HELP = `Usage: npm start [-- --data DIR] [--port N] [--public-url URL]

Brings up KlipStream on this machine: functions, Pub/Sub, Cloud Storage and Convex.

  --data DIR   where its state is kept (default .klipstream)
  --port N     port of the HTTP API (default 8080)
  --public-url URL
               where callers reach it, for links in answers, where something of yours stands
               before it (default its own address, whatever PUBLIC_URL says of another)
  --help

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
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
};

/** @returns undefined where it cannot start, having said why */
const start = async (
  dataDir: string,
  port: number,
  publicUrl: string | undefined,
): Promise<LocalCloud | undefined> => {
  const env: Env = publicUrl === undefined ? {} : { PUBLIC_URL: publicUrl };
  try {
    return await startCloud({ dataDir, port, env });
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

/** Runs until it is told to stop. */
const run = async (dataDir: string, port: number, publicUrl: string | undefined): Promise<void> => {
  const cloud = await start(dataDir, port, publicUrl);
  if (!cloud) return;
  const data = dataDir === DEFAULT_DATA ? "" : ` --data ${dataDir}`;
  process.stdout.write(`KlipStream runs (process ${process.pid}).

  API       ${cloud.origin}   (described at ${cloud.origin}/openapi.json)
  API key   ${cloud.apiKey}
  Convex    ${cloud.convexUrl}
  state in  ${dataDir}

Try it from another terminal:

  npm run analyze -- VIDEO${data}
  npm run call -- --help
  curl -H 'Authorization: Bearer ${cloud.apiKey}' ${cloud.origin}/v1/analysis

Ctrl-C stops it. Then its Convex forgets jobs, library, courses and progress; outputs stay.
`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  await cloud.close();
};

const { data, port: portText, "public-url": publicUrl, help } = readArguments();
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
  await run(data, port, publicUrl);
}
