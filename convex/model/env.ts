// What the operator decides, from the deployment's environment variables. Read in this one file;
// a number that is none stops the function with a sentence naming it.
import { SERVICE_ISSUER, SERVICE_SUBJECT } from "#shared/contract/identity.ts";
import { DEFAULT_POLICY, type Policy } from "./machine/state.ts";

const read = (name: string): string | undefined => process.env[name]?.trim() || undefined;

/** Variables that are counts, with what holds where they are not set. */
const COUNTS = {
  MAX_RUNNING_JOBS: 20,
  MAX_RUNNING_JOBS_PER_OWNER: 4,
  MAX_WAITING_JOBS_PER_OWNER: 100,
  LEASE_MS: DEFAULT_POLICY.leaseMs,
  HAND_OVER_MS: DEFAULT_POLICY.handOverMs,
  UNCLAIMED_MS: DEFAULT_POLICY.unclaimedMs,
  SWEEP_AGAIN_MS: DEFAULT_POLICY.sweepAgainMs,
  STUDY_PARALLELISM: 4,
};

const isCount = (text: string): boolean => Number.isInteger(Number(text)) && Number(text) >= 1;
const NO_COUNT = "must be a whole number above 0";

/** One line, `NAME: what is wrong`, for each variable that is: for whoever sets them up. */
export const convexEnvironmentProblems = (env: Record<string, string | undefined>): string[] =>
  Object.keys(COUNTS).flatMap((name) => {
    const text = env[name]?.trim();
    return !text || isCount(text) ? [] : [`${name}: ${NO_COUNT}, not "${text}"`];
  });

const count = (name: keyof typeof COUNTS): number => {
  const text = read(name);
  if (text === undefined) return COUNTS[name];
  if (!isCount(text)) throw new Error(`${name} ${NO_COUNT}, not "${text}".`);
  return Number(text);
};

const list = (name: string, unset = ""): string[] =>
  (read(name) ?? unset)
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
  running: count("MAX_RUNNING_JOBS"),
  runningPerOwner: count("MAX_RUNNING_JOBS_PER_OWNER"),
  waitingPerOwner: count("MAX_WAITING_JOBS_PER_OWNER"),
});

/** `LEASE_MS`, `HAND_OVER_MS`, `UNCLAIMED_MS`, `SWEEP_AGAIN_MS`. */
export const policy = (): Policy => ({
  leaseMs: count("LEASE_MS"),
  handOverMs: count("HAND_OVER_MS"),
  unclaimedMs: count("UNCLAIMED_MS"),
  sweepAgainMs: count("SWEEP_AGAIN_MS"),
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

/** `OIDC_ISSUERS`, by comma, and `USERS_ISSUER`: whose tokens make a person. */
export const userIssuers = (): string[] => [...list("OIDC_ISSUERS"), ...list("USERS_ISSUER")];

/**
 * How a person's role is told: by the claim `ROLE_CLAIM` (default `roles`), which names one of
 * `ADMIN_ROLES` (default `admin`) or `INSTRUCTOR_ROLES` (default `instructor`), both by comma.
 * Everybody else who is signed in is a learner.
 */
export const roleNames = (): { claim: string; admin: string[]; instructor: string[] } => ({
  claim: read("ROLE_CLAIM") ?? "roles",
  admin: list("ADMIN_ROLES", "admin"),
  instructor: list("INSTRUCTOR_ROLES", "instructor"),
});

/** `STUDY_PARALLELISM`: videos whose notes and quiz are made at once. */
export const studyParallelism = (): number => count("STUDY_PARALLELISM");

/** An address of HTTP, or what is wrong with the variable that should hold one. */
const address = (name: string): URL | string => {
  const text = read(name);
  if (text === undefined) return `${name} is not set.`;
  try {
    const url = new URL(text);
    // A request to such an address is refused with an error that shows them.
    if (url.username || url.password) return `${name} must be without a user and a password.`;
    if (/^https?:$/.test(url.protocol)) return url;
  } catch {
    // No address at all: said below.
  }
  return `${name} is no address of HTTP.`;
};

/** What makes notes and quizzes, and the bearer token for it. */
export interface StudyEndpoints {
  notes: string;
  quiz: string;
  apiKey: string | undefined;
}

/**
 * `NOTES_GENERATION_ENDPOINT`, `QUIZ_GENERATION_ENDPOINT` and, where they want one, `STUDY_API_KEY`.
 * @returns a sentence about the variable where one is missing or wrong
 */
export const studyEndpoints = (): StudyEndpoints | string => {
  const notes = address("NOTES_GENERATION_ENDPOINT");
  const quiz = address("QUIZ_GENERATION_ENDPOINT");
  if (typeof notes === "string") return notes;
  if (typeof quiz === "string") return quiz;
  const apiKey = read("STUDY_API_KEY");
  // Refused here without showing it, which a request would not do.
  if (!/^[\x21-\x7e]*$/.test(apiKey ?? "")) {
    return "STUDY_API_KEY must be printable ASCII without spaces.";
  }
  return { notes: notes.href, quiz: quiz.href, apiKey };
};

/** `LEGACY_ASSET_BUCKET`: where a legacy key lies that comes without an address; migration 001. */
export const legacyAssetBucket = (): string | undefined => read("LEGACY_ASSET_BUCKET");
