// What the local Convex server needs of whatever runs the functions. The server speaks the
// clients' protocols and knows no database; another runtime takes this place without touching it.
import { randomBytes } from "node:crypto";
import { type JSONValue, type Value, convexToJson } from "convex/values";
import type { UserIdentity } from "convex/server";

/** The engine, over SQLite; and convex-test, in memory, for tests to compare it with. */
export const RUNTIMES = ["engine", "convex-test"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/**
 * Which one `CONVEX_RUNTIME` asks for; default the engine.
 * @throws {Error} where there is none of that name
 */
export const runtimeNamedIn = (env: Readonly<Record<string, string | undefined>>): RuntimeName => {
  const given = env["CONVEX_RUNTIME"] || "engine";
  const name = RUNTIMES.find((one) => one === given);
  if (!name) throw new Error(`CONVEX_RUNTIME is ${RUNTIMES.join(" or ")}, not "${given}".`);
  return name;
};

export type FunctionKind = "query" | "mutation" | "action";

export interface FunctionCall {
  /** `dir/file:name`. */
  path: string;
  /** One object, in Convex's JSON encoding. */
  args: JSONValue;
}

/** What a function answered: a value, or the error that it threw. Both are outcomes. */
export type Outcome =
  | { ok: true; value: JSONValue }
  | { ok: false; message: string; data?: JSONValue };

/** As Convex marks it: the class is another one for each copy of the package. */
export const isConvexError = (thrown: unknown): thrown is { message: string; data: Value } =>
  typeof thrown === "object" && thrown !== null && Symbol.for("ConvexError") in thrown;

/** Whatever a function throws is its answer, told as Convex tells it. */
export const failureOf = (thrown: unknown): Outcome => {
  if (isConvexError(thrown)) {
    const data = convexToJson(thrown.data);
    const text = typeof data === "string" ? data : JSON.stringify(data);
    return { ok: false, message: `Uncaught ConvexError: ${text}`, data };
  }
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { ok: false, message: `Uncaught ${text}` };
};

/** A query's outcome, with what it takes to follow it. */
export interface LiveOutcome {
  outcome: Outcome;
  /** Pins where a page ends, so that the pages of a list stay without gaps; given back on a re-run. */
  journal: string | null;
  /** Whether a commit may have changed this answer. */
  isAffectedBy(commit: Commit): boolean;
}

/** A transaction that wrote. `ts` grows with each, in nanoseconds since 1970. */
export interface Commit {
  ts: bigint;
  /** What was written, in the words of the runtime that did; its own `isAffectedBy` knows them. */
  writes: unknown;
}

/** Tells a client's mutation from all others, so that one that is sent again is not run again. */
export interface SessionRequest {
  /** Of one client, which chose it and tells nobody. */
  session: string;
  request: number;
}

export interface ConvexRuntime {
  /** Which function there is under this path that may be called from outside. */
  find(path: string, access: "public" | "any"): Promise<FunctionKind | undefined>;
  /**
   * Runs queries at one snapshot: `ts` is the last commit that all of them saw.
   * @param ask  says which, when the snapshot is taken: listeners have heard of every commit in it
   */
  runQueries(
    ask: () => readonly (FunctionCall & { journal?: string | null })[],
    identity: UserIdentity | null,
  ): Promise<{ ts: bigint; results: LiveOutcome[] }>;
  /**
   * @param request  one that succeeded before is answered the same, and not run again; so is one that
   *   is still running
   * @returns `ts` of the commit, which every later snapshot includes
   */
  runMutation(
    call: FunctionCall,
    identity: UserIdentity | null,
    request?: SessionRequest,
  ): Promise<{ outcome: Outcome; ts: bigint }>;
  runAction(call: FunctionCall, identity: UserIdentity | null): Promise<Outcome>;
  /** Timestamp of the last commit. */
  latestTs(): bigint;
  /** Called after every commit: of mutations, scheduled functions and actions. */
  onCommit(listener: (commit: Commit) => void): () => void;
  /** Goes on with what was scheduled. */
  start(): Promise<void>;
  close(): void;
}

/** `dir/file.js:name` and `dir/file` (its default export) in the one spelling used inside. */
export const canonicalPath = (path: string): string => {
  const [file = "", name = "default"] = path.split(":");
  return `${file.replace(/\.[jt]s$/, "")}:${name}`;
};

/** What a caller hears of a function that is not there or not public: the same. */
export const noSuchFunction = (path: string): string =>
  `Could not find public function for '${path}'. Is it exported from convex/, and public?`;

/** What a client shows of a function's error: with an id, as Convex tells it in development. */
export const errorText = (message: string): string =>
  `[Request ID: ${randomBytes(8).toString("hex")}] Server Error\n${message}`;
