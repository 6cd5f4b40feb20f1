// `npm start`: the whole service on this machine, until Ctrl-C.
import "./dotEnv.ts";
import { parseArgs } from "node:util";
import { describeError } from "./cli/describeError.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";

const HELP = `Usage: npm start [-- --data DIR] [--port N]

Brings up KlipStream on this machine: functions, Pub/Sub, Cloud Storage and Convex.

  --data DIR   where its state is kept (default .klipstream)
  --port N     port of the HTTP API (default 8080)
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
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
};

/** @returns undefined where it cannot start, having said why */
const start = async (dataDir: string, port: number): Promise<LocalCloud | undefined> => {
  try {
    return await startCloud({ dataDir, port });
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
const run = async (dataDir: string, port: number): Promise<void> => {
  const cloud = await start(dataDir, port);
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

const { data, port: portText, help } = readArguments();
const port = Number(portText);
if (help) {
  process.stdout.write(HELP);
} else if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write(`--port ${portText}: a port is a number from 0 to 65535\n`);
  process.exitCode = 2;
} else {
  await run(data, port);
}
