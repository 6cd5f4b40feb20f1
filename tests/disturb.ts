// The rounds of kill/ from the command line: as many as one likes, and what they hit.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type Stage, STAGES } from "#shared/contract/stages.ts";
import { buildFunctions } from "../tools/build.ts";
import type { Round } from "./kill/round.ts";
import { runRounds } from "./kill/rounds.ts";

const HELP = `Usage: node tests/disturb.ts [--rounds N] [--seed S] [--parallel N] [--built] [--env NAME=VALUE]

Kills the whole local cloud at random moments of a job, each time in a fresh folder, and
holds what comes of it against what a client was told. Prints a line for each round and a
summary.

  --rounds N         how many (default 10), beside one that is not disturbed
  --seed S           of the moments (default 1)
  --parallel N       rounds at once (default 1)
  --built            runs the functions bundled, as they are deployed: they start faster
  --env NAME=VALUE   for the cloud; may be repeated
  --folder DIR       where the rounds lie; left there where something was wrong

Exit status: 0 nothing was lost or changed, 1 something was.
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    parallel: { type: "string", default: "1" },
    built: { type: "boolean", default: false },
    env: { type: "string", multiple: true, default: [] },
    folder: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}

const builtCommand = async (): Promise<string[]> => {
  const framework = createRequire(import.meta.url).resolve("@google-cloud/functions-framework");
  const preload = new URL("../local/front/preload.ts", import.meta.url).href;
  const source = `--source=${await buildFunctions()}`;
  return [process.execPath, "--import", preload, join(dirname(framework), "main.js"), source];
};

const sec = (ms: number | undefined): string =>
  ms === undefined ? "-" : `${(ms / 1000).toFixed(1)} s`;
const killed: NonNullable<Round["killed"]>[] = [];
const told: Record<string, number> = {};
let undisturbedMs = 0;

/** The stages a kill hit; where it hit none, where between them it was. */
const hits = ({ status, running, due }: NonNullable<Round["killed"]>): string[] => {
  if (running.length > 0) return running;
  if (status === undefined) return ["before the job"];
  return status === "Completed" ? ["after the job"] : [`before ${due.join(", ")}`];
};

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), "disturb-")));
const wrong = await runRounds({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  parallel: Number(values.parallel),
  cloud: {
    env: Object.fromEntries(
      values.env.map((pair) => [pair.split("=", 1)[0], pair.slice(pair.indexOf("=") + 1)]),
    ),
    ...(values.built ? { instanceCommand: await builtCommand() } : {}),
  },
  folder,
  report: (number, kill, round) => {
    for (const [kind, count] of Object.entries(round.told)) told[kind] = (told[kind] ?? 0) + count;
    const outcome = round.wrong.length === 0 ? "good" : round.wrong.join("; ");
    if (!kill || !round.killed) {
      undisturbedMs = round.jobMs;
      console.log(
        `${number}: undisturbed, ${sec(round.clientMs)}, job ${sec(undisturbedMs)}: ${outcome}`,
      );
      return;
    }
    killed.push(round.killed);
    const { upMs, nextEventMs, restMs, jobAfterMs } = round.killed;
    console.log(
      `${number}: ${kill.what} after ${sec(kill.afterMs)}, in ${hits(round.killed).join(", ")}; up in ${sec(upMs)}, next event ${sec(nextEventMs)}, job's end ${sec(restMs)} (undisturbed ${sec(Math.max(0, undisturbedMs - jobAfterMs))}): ${outcome}`,
    );
  },
});
if (wrong.length === 0) await rm(folder, { recursive: true, maxRetries: 3 });

const places: Record<string, number> = {};
for (const round of killed) for (const hit of hits(round)) places[hit] = (places[hit] ?? 0) + 1;
const quantiles = (values: number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sec(sorted[Math.floor(share * (sorted.length - 1))]);
  return `median ${at(0.5)}, 90 % ${at(0.9)}, most ${at(1)}`;
};
const during = killed.filter(({ status }) => status !== undefined && status !== "Completed");
console.log(`
${killed.length} rounds, ${wrong.length} wrong. Kills hit: ${JSON.stringify(places)}
Stages never hit: ${STAGES.filter((stage: Stage) => !places[stage]).join(", ") || "none"}
Told: ${JSON.stringify(told)}
Up again: ${quantiles(killed.map(({ upMs }) => upMs))}
Next event of the job after that: ${quantiles(during.flatMap(({ nextEventMs }) => nextEventMs ?? []))}
Its end later than undisturbed: ${quantiles(during.map(({ restMs, jobAfterMs }) => restMs - Math.max(0, undisturbedMs - jobAfterMs)))}`);
for (const sentence of wrong) console.log(sentence);
process.exitCode = wrong.length === 0 ? 0 : 1;
