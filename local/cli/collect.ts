// `npm run collect`: what the daily collector does, by hand: says what is in the bucket and why, and
// removes what nothing uses.
import "../dotEnv.ts";
import {
  type CollectReport,
  type CollectedItem,
  MIN_AGE_MS,
  collect,
} from "#shared/assets/collect.ts";
import { VERDICTS, type Verdict } from "#shared/assets/judge.ts";
import { whyThere } from "#shared/assets/why.ts";
import { createReferenceBook, whyKept } from "#shared/cloud/references.ts";
import { openTarget } from "./collector.ts";
import { inUnits } from "./units.ts";
import {
  COMMON_OPTIONS,
  EXIT,
  UsageError,
  interruption,
  parseCommandLine,
  runCommand,
} from "./command.ts";

const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = String(MIN_AGE_MS / HOUR_MS);

const HELP = `Usage: npm run collect -- [--dry-run] [options]

Removes from the bucket what nothing uses any more: objects whose video was deleted, and those
that nobody knows. Works on BUCKET and CONVEX_URL of the environment, as the deployed functions
do; without BUCKET on the local cloud.

  --dry-run            change nothing, and say what a run would do
  --min-age-hours N    objects that nobody knows stay this long (default ${DEFAULT_HOURS}); with 0, uploads
                       that no video was made of yet go too
  --why gs://B/KEY     say why one object is there and what becomes of it, and do nothing
                       else; status 1 where there is none
  --json               a line of JSON for each object that is not just kept, the report last
  --data DIR           state of the local cloud (default .klipstream)
  --help

Exit status: 0 done, 1 failed or interrupted, 2 wrong use. It may be run again at any time.
`;

interface Arguments {
  dryRun: boolean;
  minAgeMs: number;
  why: { bucket: string; key: string } | undefined;
  json: boolean;
  data: string;
}

/** @throws {UsageError} */
const parseObject = (address: string): { bucket: string; key: string } => {
  const [, bucket, key] = /^gs:\/\/([^/]+)\/(.+)$/s.exec(address) ?? [];
  if (bucket === undefined || key === undefined)
    throw new UsageError(`--why ${address}: write gs://bucket/key`);
  return { bucket, key };
};

/** @throws {UsageError} */
const parseHours = (text: string): number => {
  const hours = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(hours) || hours < 0)
    throw new UsageError(`--min-age-hours ${text}: a number of hours, 0 or more`);
  return hours;
};

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (argv: string[]): Arguments | null => {
  const { values } = parseCommandLine({
    args: argv,
    options: {
      "dry-run": { type: "boolean", default: false },
      "min-age-hours": { type: "string", default: DEFAULT_HOURS },
      why: { type: "string" },
      json: { type: "boolean", default: false },
      ...COMMON_OPTIONS,
    },
  });
  if (values.help) return null;
  return {
    dryRun: values["dry-run"],
    minAgeMs: parseHours(values["min-age-hours"]) * HOUR_MS,
    why: values.why === undefined ? undefined : parseObject(values.why),
    json: values.json,
    data: values.data,
  };
};

const itemLine = ({ verdict, key, sizeBytes }: CollectedItem): string =>
  `${verdict.padEnd(10)}${key}  ${inUnits(sizeBytes)}`;

const reportText = ({ bucket, dryRun, found, stoppedAt }: CollectReport): string => {
  const lines = (Object.keys(VERDICTS) as Verdict[]).map((verdict) => {
    const { count, bytes } = found[verdict];
    const amount = `${String(count).padStart(8)}${inUnits(bytes).padStart(12)}`;
    return `${verdict.padEnd(10)}${amount}  ${VERDICTS[verdict]}`;
  });
  const heading = `gs://${bucket}${dryRun ? ", what a run would do (nothing was changed)" : ""}:`;
  const place = stoppedAt === "" ? "before the first object" : `at ${stoppedAt}`;
  const end = stoppedAt === null ? [] : [`Interrupted ${place}; run it again for the rest.`];
  return ["", heading, ...lines, ...end, ""].join("\n");
};

/** @returns the exit status */
const run = async ({ dryRun, minAgeMs, why, json, data }: Arguments): Promise<number> => {
  using interrupted = interruption();
  await using target = await openTarget(data);
  const { bucket, convex } = target;
  const deps = { bucket, references: createReferenceBook(convex) };
  if (why) {
    const known = await whyKept(convex, why);
    const { exists, sentences } = await whyThere(deps, why, known, { now: Date.now(), minAgeMs });
    process.stdout.write(`${[`gs://${why.bucket}/${why.key}`, ...sentences].join("\n  ")}\n`);
    return exists ? EXIT.done : EXIT.failed;
  }
  const report = await collect(deps, {
    dryRun,
    minAgeMs,
    now: Date.now(),
    signal: interrupted.signal,
    onItem: (item) => process.stdout.write(`${json ? JSON.stringify(item) : itemLine(item)}\n`),
  });
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : reportText(report));
  return report.stoppedAt === null ? EXIT.done : EXIT.failed;
};

/** @param argv what follows the command's name */
export const main = (argv: string[]): Promise<number> =>
  runCommand({ help: HELP, read: () => readArguments(argv), run });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
