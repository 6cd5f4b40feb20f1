// `npm run demo`: makes a sample stream of two minutes and analyses it, with no network and no model.
import { join } from "node:path";
import { generateSample } from "../../samples/generateSample.ts";
import { main as analyze } from "./analyze.ts";
import { COMMON_OPTIONS, parseCommandLine, runCommand } from "./command.ts";

const SEED = 1;
const OUT_DIR = join("out", "demo");

const HELP = `Usage: npm run demo [-- options]

Makes a sample stream of two minutes, and analyses it as npm run analyze does: no network, no model.
The outputs go to ${OUT_DIR}.

  --data DIR         state of the local cloud, and the sample (default .klipstream)
  --help

Exit status: 0 completed, 1 failed, 2 wrong use. Ctrl-C cancels the job.
`;

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (argv: string[]): { data: string } | null => {
  const { values } = parseCommandLine({ args: argv, options: COMMON_OPTIONS });
  return values.help ? null : { data: values.data };
};

const demo = async ({ data }: { data: string }): Promise<number> => {
  process.stderr.write("Making the sample stream …\n");
  const sample = await generateSample({ seed: SEED, outDir: join(data, "sample") });
  const files = ["--chat", sample.chatPath, "--captions", sample.captionsPath];
  return analyze([...files, "--out", OUT_DIR, "--data", data, "--", sample.videoPath]);
};

process.exitCode = await runCommand({
  help: HELP,
  read: () => readArguments(process.argv.slice(2)),
  run: demo,
});
