// Puts the image together without Docker and runs it: every function starts in it, and the sample job
// comes out, also where an instance is told to end in the middle. Takes some minutes, most of them
// Debian's packages.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CATALOG } from "#functions/catalog.ts";
import { type Image, readDockerfile } from "./dockerfile.ts";
import { missingForMounts, missingForRoot } from "./imageNeeds.ts";
import { runImageJob } from "./imageJob.ts";
import { type Layers, inImage, makeRoot } from "./imageRoot.ts";
import { firstRequest, timeStart } from "./startUp.ts";

const HELP = `Usage: npm run image:check [-- [--keep DIR] [--rounds N] [--where-possible]]

Makes the image's root file system with mmdebstrap, starts every function in it
and runs the sample job there. Needs Linux, root, mmdebstrap and Debian's mirror.

  --keep DIR   keep it there; where it is there already, take it as it is
  --rounds N   starts of each function, of which the median is told (default 5)
  --where-possible
               where this machine lacks something for it, say what and end well
`;

const MIB = 1024 ** 2;
/** From the start of the process to the first answer. */
const GOAL_MS = 400;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const saySizes = (layers: Layers): void => {
  const total = Object.values(layers).reduce((sum, bytes) => sum + bytes, 0);
  const parts = Object.entries(layers).map(([name, bytes]) => `${name} ${Math.round(bytes / MIB)}`);
  say(`${Math.round(total / MIB)} MiB: ${parts.join(", ")}`);
};

/** Each function, alone, as Cloud Run starts it. @returns the slowest median, in ms */
const startAll = async (image: Image, root: string, rounds: number): Promise<number> => {
  let slowest = 0;
  for (const spec of CATALOG) {
    const tookMs: number[] = [];
    const processorMs: number[] = [];
    for (let i = 0; i < rounds; i += 1) {
      const times = await timeStart({
        command: inImage(image, root, image.command),
        env: { FUNCTION_TARGET: spec.name },
        request: firstRequest(spec),
      });
      tookMs.push(times.tookMs);
      processorMs.push(times.processorMs ?? Number.NaN);
    }
    const [took, processor] = [median(tookMs), median(processorMs)];
    slowest = Math.max(slowest, took);
    say(`${spec.name.padEnd(12)} ${took.toFixed(0)} ms, of a processor ${processor.toFixed(0)} ms`);
  }
  return slowest;
};

const check = async (scratch: string, root: string, rounds: number): Promise<void> => {
  const image = readDockerfile();
  const made = join(root, "../made.json");
  if (!existsSync(made)) {
    say("Making the root file system …");
    await writeFile(made, JSON.stringify(await makeRoot(image, root)));
  }
  saySizes(JSON.parse(await readFile(made, "utf8")) as Layers);

  say("\nFrom the start of the process to the first answer:");
  const slowest = await startAll(image, root, rounds);
  say(`${slowest <= GOAL_MS ? "Within" : "Over"} the goal of ${GOAL_MS} ms.`);

  say("\nThe sample job …");
  const { outputs, videos, tookMs, gaveBackMs } = await runImageJob(image, root, scratch);
  say(
    `Completed in ${(tookMs / 1000).toFixed(0)} s with ${outputs} outputs, ${videos} of them videos.`,
  );
  say(`On SIGTERM a task gave its lease back within ${gaveBackMs.toFixed(0)} ms.`);
};

/** Mounts are seen by this command alone, and are gone with it, however it ends. */
const inOwnMounts = async (args: readonly string[]): Promise<number> => {
  const node = [process.execPath, fileURLToPath(import.meta.url), ...args];
  const own = ["--mount", "--propagation", "private", "--", ...node];
  const child = spawn("unshare", own, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
};

/** Checks in mounts of its own. @returns the exit status */
const checkApart = async (keep: string | undefined, rounds: string): Promise<number> => {
  const scratch = await mkdtemp(join(tmpdir(), "klipstream-image-"));
  await chmod(scratch, 0o755);
  const kept = keep === undefined ? [] : ["--keep", resolve(keep)];
  try {
    return await inOwnMounts(["--inside", scratch, "--rounds", rounds, ...kept]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

/** @returns what this machine lacks */
const missing = async (keep: string | undefined): Promise<string[]> => {
  const forMounts = await missingForMounts();
  const isMade = keep !== undefined && existsSync(join(keep, "made.json"));
  return [...forMounts, ...(isMade ? [] : await missingForRoot(readDockerfile()))];
};

const { values } = parseArgs({
  options: {
    help: { type: "boolean", short: "h", default: false },
    keep: { type: "string" },
    rounds: { type: "string", default: "5" },
    "where-possible": { type: "boolean", default: false },
    /** Ours: the folder to work in, once the mounts are our own. */
    inside: { type: "string" },
  },
});
const rounds = Number(values.rounds);
if (values.help) process.stdout.write(HELP);
else if (!Number.isSafeInteger(rounds) || rounds < 1) {
  process.stderr.write(`--rounds is a whole number from 1 on.\n\n${HELP}`);
  process.exitCode = 2;
} else if (values.inside === undefined) {
  const lacks = await missing(values.keep);
  if (lacks.length === 0) {
    process.exitCode = await checkApart(values.keep, values.rounds);
  } else if (values["where-possible"]) {
    say(`Skipped: the image is not checked here, since ${lacks.join(", ")}.`);
  } else {
    process.stderr.write(`The image cannot be checked here, since ${lacks.join(", ")}.\n`);
    process.exitCode = 1;
  }
} else {
  // Whoever starts an instance ends it on exit.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const scratch = values.inside;
  await check(scratch, join(values.keep ?? scratch, "root"), rounds);
}
