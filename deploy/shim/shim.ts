// A stand-in for gcloud and Convex's command line that keeps its state. It knows exactly the commands
// that the scripts issue, and refuses what the real ones would: unknown flags, what is there twice,
// what is not there yet. Told to, it fails at the n-th change.
import { Refused, parseArgs } from "./flags.ts";
import { POLICIES } from "./policies.ts";
import { PROJECT } from "./project.ts";
import { PUBSUB } from "./pubsub.ts";
import { OPERATIONS } from "./operations.ts";
import { RUN } from "./run.ts";
import type { Call, Spec } from "./spec.ts";
import type { State } from "./state.ts";
import { STORAGE } from "./storage.ts";

const SPECS: readonly Spec[] = [
  ...PROJECT,
  ...STORAGE,
  ...PUBSUB,
  ...RUN,
  ...OPERATIONS,
  ...POLICIES,
];
/** Longest first: `projects describe` lies inside `billing projects describe`. */
const BY_LENGTH = SPECS.toSorted((a, b) => b.words.length - a.words.length);

export interface Request {
  args: readonly string[];
  file: Call["file"];
  input: string;
}

const specOf = (args: readonly string[]): Spec => {
  const line = `${args.join(" ")} `;
  const found = BY_LENGTH.find(({ words }) => line.startsWith(`${words} `));
  if (!found) throw new Refused(`Invalid choice: ${args.slice(0, 3).join(" ")}`);
  return found;
};

/** Whether a command changes anything. @throws {Refused} for one that is not known */
export const isMutation = (args: readonly string[]): boolean => specOf(args).mutates === true;

/** @returns standard output. @throws {Refused} with what goes to standard error */
export const runGcloud = (state: State, { args, file, input }: Request): string => {
  const spec = specOf(args);
  const rest = args.slice(spec.words.split(" ").length);
  const known = ["project=", "format=", ...(spec.flags ?? [])];
  const parsed = parseArgs(rest, known, spec.positional ?? 0);
  if (
    parsed.flags["project"] !== undefined &&
    parsed.flags["project"] !== state.project.projectId
  ) {
    throw new Refused(`PERMISSION_DENIED: ${parsed.flags["project"]}`);
  }
  if (spec.api !== undefined && !state.apis.includes(spec.api)) {
    throw new Refused(`SERVICE_DISABLED: ${spec.api} is not enabled.`);
  }
  const answer = spec.run({ state, ...parsed, file, input });
  return typeof answer === "string" ? answer : JSON.stringify(answer ?? null);
};
