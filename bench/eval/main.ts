// `npm run eval -- <what> …`: how good results are, against what people say. Every subcommand is a
// file of its own with `run(args)`, which answers the exit code.

interface Subcommand {
  summary: string;
  load: () => Promise<{ run: (args: string[]) => Promise<number> }>;
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  sentiment: {
    summary: "sentiment of rated texts, beside baselines",
    load: () => import("./sentiment.ts"),
  },
  highlights: {
    summary: "moments found in a stream, against labelled ones, beside baselines",
    load: () => import("./highlights.ts"),
  },
  "fit-sentiment": {
    summary: "fit the sentiment scorer to rated texts, cross-validated",
    load: () => import("./fitSentiment.ts"),
  },
};

const help = (): string =>
  [
    "Usage: npm run eval -- <what> … (--help after it says more)",
    "",
    ...Object.entries(SUBCOMMANDS).map(([name, { summary }]) => `  ${name.padEnd(15)}${summary}`),
    "",
  ].join("\n");

const isNodeError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "code" in error;

const main = async ([name, ...args]: string[]): Promise<number> => {
  if (name === "--help" || name === "-h") {
    process.stdout.write(help());
    return 0;
  }
  const subcommand =
    name !== undefined && Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined) {
    process.stderr.write(help());
    return 2;
  }
  const { run } = await subcommand.load();
  try {
    return await run(args);
  } catch (error) {
    if (!isNodeError(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    // Wrong use is 2; a file that cannot be read, 1.
    return error.code?.startsWith("ERR_PARSE_ARGS") === true ? 2 : 1;
  }
};

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
process.exitCode = await main(process.argv.slice(2));
