// `npm run bench`: speed and memory, always beside a peer in the same run, since absolute times say
// more about the machine.
import { parseArgs } from "node:util";
import { type Bench, formatRow } from "./row.ts";

const PROGRAMS: Record<string, { about: string; load: () => Promise<{ run: Bench }> }> = {
  waveform: {
    about: "decoding a recording into audio, peaks and loudness",
    load: () => import("./waveform.ts"),
  },
  download: {
    about: "fetching a recording whose every segment is 30 ms away",
    load: () => import("./download.ts"),
  },
  chat: { about: "a long chat replay", load: () => import("./chat.ts") },
  sentiment: {
    about: "messages a second, and nearness to people's ratings",
    load: () => import("./sentiment.ts"),
  },
  cold: {
    about: "from the start of an instance to its first answer",
    load: () => import("./coldStart.ts"),
  },
  submit: { about: "answering submissions", load: () => import("./submission.ts") },
  hop: { about: "from one stage to the next", load: () => import("./stageHop.ts") },
  fanout: {
    about: "a fan-out of 32 ranges, on a simulated clock",
    load: () => import("./fanOut.ts"),
  },
  convex: {
    about: "the local Convex: few rows and many, and a thousand live queries",
    load: () => import("./convex.ts"),
  },
  stages: {
    about: "memory, processor and requests of each function for an hour of video",
    load: () => import("./stages.ts"),
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
    full: { type: "boolean", default: false },
  },
});

// What is temporary is removed on exit (scratch.ts), also where somebody had enough.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => process.exit(1));

const unknown = positionals.find((name) => !Object.hasOwn(PROGRAMS, name));
if (values.help) {
  process.stdout.write(HELP);
} else if (unknown !== undefined) {
  process.stderr.write(`There is no benchmark "${unknown}".\n\n${HELP}`);
  process.exitCode = 2;
} else {
  for (const name of positionals.length > 0 ? positionals : Object.keys(PROGRAMS)) {
    process.stdout.write(`\n# ${name}\n`);
    try {
      const { run } = await PROGRAMS[name]!.load();
      for await (const row of run(values)) process.stdout.write(`${formatRow(row)}\n`);
    } catch (error) {
      // The others are worth having all the same.
      process.exitCode = 1;
      console.error(error);
    }
  }
}
