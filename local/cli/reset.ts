// `npm run reset`: deletes the state of the local cloud, after showing what that is. Only what the local
// cloud makes is deleted, and only in a folder that has its mark: a name that was mistyped costs nothing.
import "../dotEnv.ts";
import { once } from "node:events";
import { lstatSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { WrongFolder, isOurs, kindOf } from "../cloud/dataFolder.ts";
import { lockFolder } from "../cloud/lock.ts";
import { takeCensus } from "../convex/census.ts";
import { COMMON_OPTIONS, EXIT, UsageError, parseCommandLine, runCommand } from "./command.ts";
import { inUnits } from "./units.ts";

const HELP = `Usage: npm run reset -- [--yes] [--data DIR]

Deletes the state of the local cloud: jobs, library, courses, keys, outputs and all. Shows first
what is there, and asks. The service must not be running.

  --yes        do not ask
  --data DIR   state of the local cloud (default .klipstream)
  --help

Exit status: 0 deleted, or nothing there, 1 not deleted, 2 wrong use.
`;

interface Arguments {
  yes: boolean;
  data: string;
}

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (argv: string[]): Arguments | null => {
  const { values } = parseCommandLine({
    args: argv,
    options: { yes: { type: "boolean", default: false }, ...COMMON_OPTIONS },
  });
  return values.help ? null : { yes: values.yes, data: values.data };
};

const sizeOf = (path: string): number => {
  const status = lstatSync(path);
  if (!status.isDirectory()) return status.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
};

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** @param dataDir  locked by this process */
const contentsOf = (dataDir: string): string => {
  const bytes = readdirSync(dataDir)
    .filter(isOurs)
    .reduce((sum, name) => sum + sizeOf(join(dataDir, name)), 0);
  const census = takeCensus(dataDir);
  if (!census) return inUnits(bytes);
  const { videos, jobs, unfinished } = census;
  const open = unfinished > 0 ? ` (${unfinished} not ended)` : "";
  return `${inUnits(bytes)}, ${counted(videos, "video")}, ${counted(jobs, "job")}${open}`;
};

/** By these it is known as ours, so that a reset that was cut off can be made again. */
const MARKS = /^(?:version|lock)\./;

/** @returns what is in the folder besides, and stays */
const deleteState = (dataDir: string): string[] => {
  const names = readdirSync(dataDir);
  const ours = names.filter(isOurs);
  for (const name of [
    ...ours.filter((one) => !MARKS.test(one)),
    ...ours.filter((one) => MARKS.test(one)),
  ])
    rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  return names.filter((name) => !isOurs(name));
};

/** By a link to it, as the working folder, or where a disk is mounted, an empty folder cannot be deleted. */
const STAYS = ["ENOTDIR", "EINVAL", "EBUSY"];

const deleteEmpty = (dataDir: string): void => {
  try {
    rmdirSync(dataDir);
  } catch (error) {
    if (!STAYS.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
};

const isAgreed = async (): Promise<boolean> => {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = prompt.question("Delete all of it? [y/N] ");
    // Where no terminal shows the question, the end of the input is no answer at all.
    const ended = once(prompt, "close").then(() => "");
    return /^y(?:es)?$/i.test((await Promise.race([answer, ended])).trim());
  } catch (error) {
    // Ctrl-C, or Ctrl-D.
    if (!(error instanceof Error) || error.name !== "AbortError") throw error;
    process.stderr.write("\n");
    return false;
  } finally {
    prompt.close();
  }
};

/** @returns the exit status */
const reset = async ({ yes, data }: Arguments): Promise<number> => {
  const kind = kindOf(data);
  if (kind === "other")
    throw new WrongFolder(`${data} is no data folder of KlipStream; nothing was deleted.`);
  if (kind === "new") {
    process.stdout.write(`There is no state in ${data}.\n`);
    return EXIT.done;
  }
  const lock = lockFolder(data);
  try {
    process.stderr.write(`${data}: ${contentsOf(data)}\n`);
    if (!yes && !process.stdin.isTTY)
      throw new UsageError("Nobody can be asked here; with --yes nobody is.");
    if (!yes && !(await isAgreed())) {
      process.stderr.write("Nothing was deleted.\n");
      return EXIT.failed;
    }
    const rest = deleteState(data);
    if (rest.length === 0) deleteEmpty(data);
    const left = rest.length === 0 ? "" : ` What is not ours stays: ${rest.join(", ")}.`;
    process.stdout.write(`Deleted.${left}\n`);
    return EXIT.done;
  } finally {
    lock.release();
  }
};

/** @param argv what follows the command's name */
export const main = (argv: string[]): Promise<number> =>
  runCommand({ help: HELP, read: () => readArguments(argv), run: reset });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
