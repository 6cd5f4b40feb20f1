// `npm run bench`: speed and memory, always beside a peer in the same run, since absolute times say
// more about the machine.
import { parseArgs } from "node:util";
import { type BenchRow, formatRow } from "./row.ts";

const PROGRAMS: Record<
  string,
  { about: string; load: () => Promise<{ run(): Promise<BenchRow[]> }> }
> = {
  waveform: {
    about: "decoding a recording into audio, peaks and loudness",
    load: () => import("./waveform.ts"),
  },
  chat: { about: "a chat replay of 200,000 messages", load: () => import("./chat.ts") },
  sentiment: {
    about: "messages a second, and nearness to people's ratings",
    load: () => import("./sentiment.ts"),
  },
  service: {
    about: "submission, stage hops, cold start, fan-out",
    load: () => import("./service.ts"),
  },
  memory: {
    about: "peak memory of each task on a long recording",
    load: () => import("./memory.ts"),
  },
};

const HELP = `Usage: npm run bench [-- [--full] NAME…]

Prints ratios against peers, measured in the same run. Without a name, all of
these. With --full, at the lengths that the goals speak of.

${Object.entries(PROGRAMS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join("\n")}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", short: "h", default: false },
    // Read by the programs that have a longer form.
    full: { type: "boolean", default: false },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(PROGRAMS, name));
if (values.help) {
  process.stdout.write(HELP);
} else if (unknown !== undefined) {
  process.stderr.write(`There is no benchmark "${unknown}".\n\n${HELP}`);
  process.exitCode = 2;
} else {
  for (const name of positionals.length > 0 ? positionals : Object.keys(PROGRAMS)) {
    process.stdout.write(`\n# ${name}\n`);
    const { run } = await PROGRAMS[name]!.load();
    for (const row of await run()) process.stdout.write(`${formatRow(row)}\n`);
  }
}
