// `npm run migrate`: runs migration 001 at a Convex deployment, or at the local cloud that is up.
import "#local/dotEnv.ts";
import { parseArgs } from "node:util";
import { findRunningCloud } from "#local/running.ts";
import { LOCAL_PERSON, loadPeople } from "#local/people.ts";
import { MigrationFailure } from "#shared/cloud/migrationFailure.ts";
import {
  type MigrationOptions,
  type MigrationResult,
  runMigration,
} from "#shared/cloud/runMigration.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
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

Exit status: 0 all done, 1 some rows could not be or a check failed, 2 wrong use or not
reached, 130 stopped.

Examples:
  npm run migrate -- --url https://your-deployment.convex.cloud --dry-run
  npm run migrate -- --url https://your-deployment.convex.cloud
  npm run migrate -- --url https://your-deployment.convex.cloud --verify
  npm run -s migrate -- --json > migration.json
`;

const EXIT = { done: 0, rowsLeft: 1, unusable: 2, stopped: 130 } as const;

class UsageError extends Error {}

const parse = (argv: string[]) => {
  try {
    return parseArgs({
      args: argv,
      options: {
        url: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        verify: { type: "boolean", default: false },
        batch: { type: "string" },
        json: { type: "boolean", default: false },
        data: { type: "string", default: ".klipstream" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
type Values = ReturnType<typeof parse>;

/** @throws {UsageError} */
const optionsOf = (values: Values): Pick<MigrationOptions, "dryRun" | "verify" | "batchSize"> => {
  const { batch, verify, "dry-run": dryRun } = values;
  if (verify && dryRun) throw new UsageError("--dry-run and --verify are two different things.");
  if (batch === undefined) return { dryRun, verify };
  const batchSize = Number(batch);
  if (!/^\d+$/.test(batch) || batchSize < 1 || batchSize > 200) {
    throw new UsageError(`--batch ${batch}: a number from 1 to 200`);
  }
  return { dryRun, verify, batchSize };
};

/** Where to, and as whom. @throws {UsageError} */
const targetOf = async ({
  url,
  data,
}: Values): Promise<{ url: string; token?: () => Promise<string> }> => {
  if (url !== undefined && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))) {
    throw new UsageError(`--url ${url}: an address such as https://your-deployment.convex.cloud`);
  }
  const local = await findRunningCloud(data);
  if (url !== undefined && url.replace(/\/+$/, "") !== local?.convexUrl.replace(/\/+$/, "")) {
    return { url };
  }
  if (!local) throw new UsageError("Name a deployment with --url, or start the local cloud first.");
  const people = await loadPeople(data);
  const audience = process.env["OIDC_AUDIENCE"] || SERVICE_AUDIENCE;
  const token = () => people.token({ name: LOCAL_PERSON, role: "admin", audience });
  return { url: local.convexUrl, token };
};

const exitStatusOf = ({ state, errors, verification }: MigrationResult): number => {
  if (state === "canceled") return EXIT.stopped;
  const isWhole = state === "completed" && errors.length === 0 && verification?.ok !== false;
  return isWhole ? EXIT.done : EXIT.rowsLeft;
};

const run = async (values: Values): Promise<number> => {
  const options = optionsOf(values);
  const target = await targetOf(values);
  const stop = new AbortController();
  const { signal } = stop;
  const line = createProgressLine(process.stderr);
  const interrupt = (): void => {
    // Who asks twice does not want to wait for the deployment.
    if (signal.aborted) process.exit(EXIT.stopped);
    line.say("Stopping…");
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    line.say(`Migration 001 at ${target.url}`);
    const result = await runMigration(target.url, {
      ...options,
      ...(target.token ? { token: target.token } : {}),
      signal,
      onStart: (how) => {
        if (how === "resumed") line.say("Going on with the run that was stopped.");
        if (how === "joined") line.say("A run is under way already; following it.");
      },
      onProgress: line.show,
    });
    line.end();
    process.stdout.write(
      values.json ? `${JSON.stringify(result, null, 2)}\n` : formatResult(result),
    );
    return exitStatusOf(result);
  } catch (error) {
    line.end();
    if (!signal.aborted || error instanceof MigrationFailure) throw error;
    return EXIT.stopped;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
};

/** @param argv what follows the command's name */
export const main = async (argv: string[]): Promise<number> => {
  try {
    const values = parse(argv);
    if (!values.help) return await run(values);
    process.stdout.write(HELP);
    return EXIT.done;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${HELP.split("\n")[0]}\nMore with --help.\n`);
    } else if (error instanceof MigrationFailure) {
      process.stderr.write(`${error.message}\n`);
    } else throw error;
    return EXIT.unusable;
  }
};

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
