// `npm run eval -- <what> …`: how good the results are, against labels that people made.
import { evalHighlights, HIGHLIGHTS_USAGE } from "./highlights.ts";
import { UsageError } from "./usage.ts";

interface Command {
  usage: string;
  /** Returns what to print. */
  run(args: string[]): Promise<string>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  highlights: { usage: HIGHLIGHTS_USAGE, run: evalHighlights },
};

const HELP = `Usage: npm run eval -- <what>

${Object.values(COMMANDS)
  .map(({ usage }) => `  ${usage}`)
  .join("\n")}`;

const main = async ([name, ...args]: string[]): Promise<number> => {
  if (name === "--help" || name === "-h" || args.includes("--help") || args.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const problem = name === undefined ? "Say what to evaluate." : `There is no "${name}".`;
    process.stderr.write(`${problem}\n\n${HELP}`);
    return 2;
  }
  try {
    process.stdout.write(await command.run(args));
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    if (!(error instanceof UsageError)) return 1;
    process.stderr.write(`\n${command.usage}`);
    return 2;
  }
};

process.exitCode = await main(process.argv.slice(2));
