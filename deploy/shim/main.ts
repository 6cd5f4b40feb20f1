// The stand-in as a program: its state is a JSON file, SHIM_STATE. A command named in SHIM_REAL, by
// its first words, goes to the real gcloud of SHIM_GCLOUD instead; commands are appended to SHIM_LOG.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { Refused } from "./flags.ts";
import { runGcloud } from "./shim.ts";
import { type State, emptyState } from "./state.ts";

const LOCK_WAIT_MS = 5;
const args = process.argv.slice(2);
const { SHIM_STATE = "", SHIM_REAL = "", SHIM_GCLOUD = "", SHIM_LOG } = process.env;

if (SHIM_LOG !== undefined) appendFileSync(SHIM_LOG, `${JSON.stringify(args)}\n`);

/** What an emulator refuses stays here: policies. */
const goesToReal = SHIM_REAL.split(",")
  .filter(Boolean)
  .some((words) => args.join(" ").startsWith(`${words} `) && !args[2]?.includes("iam-policy"));

const readInput = (): string => (process.stdin.isTTY ? "" : readFileSync(0, "utf8"));

/** Several are run at once; each sees the state that the last one left. */
const alone = (work: () => void): void => {
  const lock = `${SHIM_STATE}.lock`;
  for (;;) {
    try {
      closeSync(openSync(lock, "wx"));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_WAIT_MS);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock);
  }
};

const answer = (input: string): string => {
  let output = "";
  alone(() => {
    const state = existsSync(SHIM_STATE)
      ? (JSON.parse(readFileSync(SHIM_STATE, "utf8")) as State)
      : emptyState();
    output = runGcloud(state, { args, file: (path) => readFileSync(path, "utf8"), input });
    writeFileSync(SHIM_STATE, JSON.stringify(state, null, 2));
  });
  return output;
};

if (goesToReal) {
  const { status } = spawnSync(SHIM_GCLOUD, args, { stdio: "inherit" });
  process.exitCode = status ?? 1;
} else {
  try {
    process.stdout.write(`${answer(readInput())}\n`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`ERROR: (gcloud) ${error.message}\n`);
    process.exitCode = 1;
  }
}
