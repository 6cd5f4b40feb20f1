// `npm run migrate`: runs migration 001 at a Convex deployment, or at the local cloud that is up.
import "../dotEnv.ts";
import { MigrationFailure } from "#shared/cloud/migrationFailure.ts";
import {
  type MigrationOptions,
  type MigrationResult,
  runMigration,
} from "#shared/cloud/runMigration.ts";
import { LOCAL_PERSON } from "../people.ts";
import { findRunningCloud } from "../running.ts";
import { personToken, runningCloud } from "./cloud.ts";
import {
  COMMON_OPTIONS,
  EXIT,
  UsageError,
  interruption,
  parseCommandLine,
  runCommand,
} from "./command.ts";
import { describeError } from "./describeError.ts";
import { createProgressLine, formatResult } from "./migrationReport.ts";

const HELP = `Usage: npm run migrate -- [--url URL] [--dry-run | --verify] [options]

Migration 001: gives legacy scenes and sessions their assets, references and defaults.
The deployment does the work; this starts and follows it. It may be run again at any time.

  --url URL    the Convex deployment (default: the local cloud, while npm start runs)
  --dry-run    change nothing; go over all rows and tell what a run would do
  --verify     change nothing; check what a run has done
  --batch N    rows in one transaction, 1 to 200 (default 50)
  --json       the result as JSON on standard output (with npm run -s)
  --data DIR   state of the local cloud (default .klipstream)
  --help

CONVEX_API_KEY signs in at --url; the local cloud needs nothing. Ctrl-C stops the run at the
deployment too; the next call goes on where it was.

Exit status: 0 all done, 1 not reached, stopped, rows that could not be or a check that
failed, 2 wrong use.

Examples:
  npm run migrate -- --url https://your-deployment.convex.cloud --dry-run
  npm run migrate -- --url https://your-deployment.convex.cloud
  npm run migrate -- --url https://your-deployment.convex.cloud --verify
  npm run -s migrate -- --json > migration.json
`;

interface Arguments {
  url: string | undefined;
  data: string;
  json: boolean;
  options: Pick<MigrationOptions, "dryRun" | "verify" | "batchSize">;
}

/** @throws {UsageError} */
const parseBatch = (text: string): number => {
  const rows = Number(text);
  if (!/^\d+$/.test(text) || rows < 1 || rows > 200)
    throw new UsageError(`--batch ${text}: a number from 1 to 200`);
  return rows;
};

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (argv: string[]): Arguments | null => {
  const { values } = parseCommandLine({
    args: argv,
    options: {
      url: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      verify: { type: "boolean", default: false },
      batch: { type: "string" },
      json: { type: "boolean", default: false },
      ...COMMON_OPTIONS,
    },
  });
  if (values.help) return null;
  const { url, data, json, batch, verify, "dry-run": dryRun } = values;
  if (verify && dryRun) throw new UsageError("--dry-run and --verify are two different things.");
  if (url !== undefined && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
    throw new UsageError(`--url ${url}: an address such as https://your-deployment.convex.cloud`);
  const batchSize = batch === undefined ? {} : { batchSize: parseBatch(batch) };
  return { url, data, json, options: { dryRun, verify, ...batchSize } };
};

const isSame = (url: string, other: string | undefined): boolean =>
  url.replace(/\/+$/, "") === other?.replace(/\/+$/, "");

/** Where to, and as whom. @throws {Error} where none is named and none runs */
const targetOf = async ({
  url,
  data,
}: Arguments): Promise<{ url: string; token?: () => Promise<string> }> => {
  if (url !== undefined && !isSame(url, (await findRunningCloud(data))?.convexUrl)) return { url };
  const { convexUrl } = await runningCloud(data);
  return { url: convexUrl, token: () => personToken(data, { name: LOCAL_PERSON }) };
};

const exitStatusOf = ({ state, errors, verification }: MigrationResult): number =>
  state === "completed" && errors.length === 0 && verification?.ok !== false
    ? EXIT.done
    : EXIT.failed;

const run = async (args: Arguments): Promise<number> => {
  const target = await targetOf(args);
  using interrupted = interruption();
  const { signal } = interrupted;
  const line = createProgressLine(process.stderr);
  signal.addEventListener("abort", () => line.say("Stopping…"));
  try {
    line.say(`Migration 001 at ${target.url}`);
    const result = await runMigration(target.url, {
      ...args.options,
      ...(target.token ? { token: target.token } : {}),
      signal,
      onStart: (how) => {
        if (how === "resumed") line.say("Going on with the run that was stopped.");
        if (how === "joined") line.say("A run is under way already; following it.");
      },
      onProgress: line.show,
    });
    line.end();
    process.stdout.write(args.json ? `${JSON.stringify(result, null, 2)}\n` : formatResult(result));
    return exitStatusOf(result);
  } catch (error) {
    line.end();
    if (!signal.aborted || error instanceof MigrationFailure) throw error;
    return EXIT.failed;
  }
};

/** A failure of the migration's says its cause itself. */
const describe = (error: unknown): string =>
  error instanceof MigrationFailure ? error.message : describeError(error);

/** @param argv what follows the command's name */
export const main = (argv: string[]): Promise<number> =>
  runCommand({ help: HELP, read: () => readArguments(argv), run, describe });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
