// What the operator decides, from the deployment's environment variables. Read in this one file;
// a number that is none stops the function with a sentence naming it.
import { SERVICE_ISSUER, SERVICE_SUBJECT } from "#shared/contract/identity.ts";
import { DEFAULT_POLICY, type Policy } from "./machine/state.ts";

const read = (name: string): string | undefined => process.env[name]?.trim() || undefined;

const count = (name: string, fallback: number): number => {
  const text = read(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${name} must be a whole number above 0, not "${text}".`);
  }
  return value;
};

const list = (name: string): string[] =>
  (read(name) ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);

export interface Limits {
  /** Jobs at work at once, over all owners. */
  running: number;
  /** Jobs of one owner that may be at work at once. */
  runningPerOwner: number;
  /** Jobs of one owner that may wait; one more is refused. */
  waitingPerOwner: number;
}

/** `MAX_RUNNING_JOBS`, `MAX_RUNNING_JOBS_PER_OWNER`, `MAX_WAITING_JOBS_PER_OWNER`. */
export const limits = (): Limits => ({
  running: count("MAX_RUNNING_JOBS", 20),
  runningPerOwner: count("MAX_RUNNING_JOBS_PER_OWNER", 4),
  waitingPerOwner: count("MAX_WAITING_JOBS_PER_OWNER", 100),
});

/** `LEASE_MS`, `UNCLAIMED_MS`, `SWEEP_AGAIN_MS`. */
export const policy = (): Policy => ({
  leaseMs: count("LEASE_MS", DEFAULT_POLICY.leaseMs),
  unclaimedMs: count("UNCLAIMED_MS", DEFAULT_POLICY.unclaimedMs),
  sweepAgainMs: count("SWEEP_AGAIN_MS", DEFAULT_POLICY.sweepAgainMs),
});

/**
 * The `tokenIdentifier`s (issuer|subject) that are the pipeline: those pinned in
 * `SERVICE_TOKEN_IDENTIFIERS`, by comma, and the holder of CONVEX_API_KEY. Pinned, since anyone can
 * have Google mint a token with our audience.
 */
export const serviceIdentifiers = (): string[] => [
  ...list("SERVICE_TOKEN_IDENTIFIERS"),
  `${SERVICE_ISSUER}|${SERVICE_SUBJECT}`,
];

/** `OIDC_ISSUERS`, by comma: whose tokens make a person. */
export const userIssuers = (): string[] => list("OIDC_ISSUERS");
