// `node samples/generate.ts --seed N --out DIR`: makes a sample stream.
import { parseArgs } from "node:util";
import { generateSample } from "./generateSample.ts";
import { SAMPLE_KINDS, type SampleKind } from "./plan.ts";

const HELP = `Makes a sample stream from a seed: video, subtitles, chat and the expected highlights.

  node samples/generate.ts --seed N --out DIR [--duration SECONDS] [--kind stream|noise]

  --seed N            any whole number; the same gives the same stream
  --out DIR           where to write stream.mp4, captions.vtt, chat.json, expected.json
  --duration SECONDS  length, 30 to 7200 (default 120)
  --kind KIND         noise: nothing happens in it (default stream)
`;

/** Wrong use: what is wrong. */
class UsageError extends Error {}

const optionsOf = (args: string[]): Parameters<typeof generateSample>[0] | "help" => {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        seed: { type: "string" },
        out: { type: "string" },
        duration: { type: "string", default: "120" },
        kind: { type: "string", default: "stream" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
  if (values.help) return "help";
  const seed = Number(values.seed);
  const durationSec = Number(values.duration);
  if (!Number.isSafeInteger(seed)) throw new UsageError("--seed must be a whole number.");
  if (values.out === undefined || values.out === "") throw new UsageError("--out is missing.");
  if (!(durationSec >= 30 && durationSec <= 7200)) {
    throw new UsageError("--duration must be 30 to 7200 seconds.");
  }
  if (!SAMPLE_KINDS.includes(values.kind as SampleKind)) {
    throw new UsageError(`--kind must be one of ${SAMPLE_KINDS.join(", ")}.`);
  }
  return { seed, durationSec, outDir: values.out, kind: values.kind as SampleKind };
};

try {
  const options = optionsOf(process.argv.slice(2));
  if (options === "help") process.stdout.write(HELP);
  else {
    const files = await generateSample(options);
    process.stdout.write(`${Object.values(files).join("\n")}\n`);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${HELP}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
