// How deploy, destroy and smoke are called, and how they say what is wrong.
import { parseArgs } from "node:util";
import { z } from "zod";
import { NotAllDone } from "./apply.ts";
import { quotaAdvice } from "./sizes.ts";
import { BadSettings, type Variables } from "./settings.ts";
import { CommandFailed } from "./tools.ts";

const EXIT = { done: 0, failed: 1, wrongUse: 2 } as const;

export class WrongUse extends Error {
  override name = "WrongUse";
}

/** What Node's parser answers, whatever the command's own flags are. */
const Values = z
  .object({
    help: z.boolean().optional(),
    only: z.array(z.string()).optional(),
    project: z.string().optional(),
    region: z.string().optional(),
  })
  .catchall(z.unknown());

/** What runs is not what was deployed, or not right. */
export class NotAsExpected extends Error {
  override name = "NotAsExpected";
}

/** What was found before anything was done. */
export class NotReady extends Error {
  override name = "NotReady";
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

export interface Options {
  help: boolean;
  /** Empty for everything. */
  only: readonly string[];
  switches: ReadonlySet<string>;
  /** Of the command's own flags with a value, those that were given. */
  values: Readonly<Record<string, string>>;
  /** Of the environment's variables, what flags say. */
  variables: Variables;
}

/**
 * @param switches names of the command's own flags without a value
 * @param texts names of those with one
 * @throws {WrongUse}
 */
export const readOptions = (
  argv: string[],
  switches: readonly string[],
  texts: readonly string[] = [],
): Options => {
  let read;
  try {
    read = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        ...Object.fromEntries(switches.map((name) => [name, { type: "boolean" } as const])),
        ...Object.fromEntries(
          [...texts, "project", "region"].map((name) => [name, { type: "string" } as const]),
        ),
        help: { type: "boolean", short: "h" },
        only: { type: "string", multiple: true },
      },
    });
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const given = Values.parse(read.values);
  const { only = [], project, region } = given;
  // `--only media chat`: what follows the first name are names as well.
  if (only.length === 0 && read.positionals.length > 0) {
    throw new WrongUse(`"${read.positionals.join(" ")}" is not understood.`);
  }
  return {
    help: given.help === true,
    only: [...only, ...read.positionals].flatMap((names) => names.split(",")).filter(Boolean),
    switches: new Set(switches.filter((name) => given[name] === true)),
    values: Object.fromEntries(
      texts.flatMap((name) => {
        const value = given[name];
        return typeof value === "string" ? [[name, value]] : [];
      }),
    ),
    variables: {
      ...(project === undefined ? {} : { GOOGLE_CLOUD_PROJECT: project }),
      ...(region === undefined ? {} : { REGION: region }),
    },
  };
};

/** @returns the exit status */
export const runCommand = async (
  help: string,
  work: () => Promise<void>,
  say: (text: string) => void = (text) => void process.stderr.write(text),
): Promise<number> => {
  try {
    await work();
    return EXIT.done;
  } catch (error) {
    if (error instanceof WrongUse) {
      say(`${error.message}\n\n${help.split("\n")[0]}\nMore with --help.\n`);
      return EXIT.wrongUse;
    }
    if (error instanceof BadSettings || error instanceof NotReady) {
      const lines = error.message.split("\n").map((line) => `  ${line}\n`);
      say(`Nothing was done. What is missing:\n${lines.join("")}`);
      return EXIT.failed;
    }
    if (error instanceof NotAsExpected) {
      say(`Not as it should be: ${error.message}\n`);
      return EXIT.failed;
    }
    if (error instanceof NotAllDone || error instanceof CommandFailed) {
      const advice = quotaAdvice(error.message);
      const lines = advice === undefined ? "" : `${advice}\n`;
      say(`${error.message}\n\n${lines}Run it again to go on from here.\n`);
      return EXIT.failed;
    }
    throw error;
  }
};
