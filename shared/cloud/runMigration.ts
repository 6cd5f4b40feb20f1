// Migration 001 from outside: starts it at a deployment and follows it, adds up a dry run, or goes
// through the verification list. The work itself is the deployment's: whoever follows it may go away
// and come back. docs/migrations.md says what it does to the rows.
import { setTimeout as delay } from "node:timers/promises";
import type { FunctionReturnType } from "convex/server";
import { api } from "#convex/_generated/api.js";
import { SERVICE_AUDIENCE } from "../contract/identity.ts";
import { type ConvexCalls, createConvexCalls } from "./convexCalls.ts";
import { migrationFailureOf } from "./migrationFailure.ts";
import { createServiceToken } from "./serviceToken.ts";

const { migrations } = api;
type Run = NonNullable<FunctionReturnType<typeof migrations.status>>;
type VerifyPage = FunctionReturnType<typeof migrations.verify>;

const TABLES = ["videoSessions", "scenes"] as const;
const VERIFIED_TABLES = [...TABLES, "assetReferences"] as const;

export interface MigrationRowError {
  table: string;
  rowId: string;
  message: string;
}
export type MigrationFinding = MigrationRowError & {
  check: VerifyPage["findings"][number]["check"];
};

/** The document's list: each with what was found against it. */
export interface MigrationVerification {
  ok: boolean;
  rows: Record<(typeof VERIFIED_TABLES)[number], number>;
  /** Rows that have legacy fields, and assets that were found with their reference. */
  legacyRows: number;
  assets: number;
  findings: MigrationFinding[];
}

export interface MigrationResult {
  mode: "run" | "dry-run" | "verify";
  /** Of a run: `failed` where a batch could not be done, with `error`; the next run goes on there. */
  state: "completed" | "canceled" | "failed";
  /** Rows changed and references made; of a dry run, what would be; 0 for a verification. */
  scenes: number;
  sessions: number;
  references: number;
  /** Rows that cannot be migrated as they are. */
  errors: MigrationRowError[];
  /** Milliseconds at work, over all parts of a run that was stopped. */
  totalTimeMs: number;
  error: string | null;
  verification: MigrationVerification | null;
}

export interface MigrationProgress {
  /** Which table is gone through. */
  table: string;
  /** Rows looked at so far, over all tables. */
  rows: number;
  scenes: number;
  sessions: number;
  references: number;
  errors: number;
}

export interface MigrationOptions {
  /** Change nothing; go over all rows and tell what a run would do. */
  dryRun?: boolean;
  /** Change nothing; check what a run has done. */
  verify?: boolean;
  /** Rows in one transaction, 1 to 200; default 50. */
  batchSize?: number;
  /** Stops the run at the deployment, after its batch. */
  signal?: AbortSignal;
  /** Says whether the run is new, goes on with one that was stopped, or was under way already. */
  onStart?: (how: "new" | "resumed" | "joined") => void;
  onProgress?: (progress: MigrationProgress) => void;
  /** Between two looks at a run; default 250. */
  pollMs?: number;
  /** An operator's token; default the pipeline's, by `CONVEX_API_KEY` and `CONVEX_AUDIENCE`. */
  token?: () => Promise<string>;
  env?: Record<string, string | undefined>;
}

const DEFAULT_POLL_MS = 250;

const NOTHING = { scenes: 0, sessions: 0, references: 0, error: null, verification: null };

/** Every page of a paginated answer. */
const pages = async function* <Page extends { continueCursor: string; isDone: boolean }>(
  load: (cursor: string | null) => Promise<Page>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Page> {
  for (let cursor: string | null = null; ;) {
    signal?.throwIfAborted();
    const page = await load(cursor);
    yield page;
    if (page.isDone) return;
    cursor = page.continueCursor;
  }
};

const progressOf = (run: Run): MigrationProgress => {
  const { phase, processed, scenes, sessions, references, errors } = run;
  return { table: phase, rows: processed, scenes, sessions, references, errors };
};

const listErrors = async ({ query }: ConvexCalls): Promise<MigrationRowError[]> => {
  const found: MigrationRowError[] = [];
  const load = (cursor: string | null) => query(migrations.errors, { cursor, batchSize: 200 });
  for await (const page of pages(load, undefined)) {
    found.push(...page.errors.map(({ table, rowId, message }) => ({ table, rowId, message })));
  }
  return found;
};

/** The state of the run once it has ended; a signal ends it. */
const follow = async (
  calls: ConvexCalls,
  options: MigrationOptions,
): Promise<Run & { state: MigrationResult["state"] }> => {
  const { signal, onProgress, pollMs = DEFAULT_POLL_MS } = options;
  let isStopping = false;
  for (;;) {
    if (signal?.aborted && !isStopping) {
      isStopping = true;
      await calls.mutation(migrations.cancel, {});
    }
    const run = await calls.query(migrations.status, {});
    if (!run) throw new Error("The run that was started is not there.");
    onProgress?.(progressOf(run));
    if (run.state !== "running") return { ...run, state: run.state };
    await delay(pollMs, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  }
};

const migrate = async (calls: ConvexCalls, options: MigrationOptions): Promise<MigrationResult> => {
  const { batchSize, signal } = options;
  signal?.throwIfAborted();
  const { started, resumed } = await calls.mutation(
    migrations.start,
    batchSize === undefined ? {} : { batchSize },
  );
  options.onStart?.(started ? (resumed ? "resumed" : "new") : "joined");
  const run = await follow(calls, options);
  const { state, scenes, sessions, references, workedMs, error } = run;
  return {
    ...NOTHING,
    mode: "run",
    state,
    scenes,
    sessions,
    references,
    error,
    errors: await listErrors(calls),
    totalTimeMs: workedMs,
  };
};

const dryRun = async (
  { query }: ConvexCalls,
  { batchSize = 100, signal, onProgress }: MigrationOptions,
): Promise<MigrationResult> => {
  const startedMs = performance.now();
  const counts = { scenes: 0, sessions: 0 };
  const errors: MigrationRowError[] = [];
  // Two rows may name one object, which has one reference.
  const objects = new Set<string>();
  let rows = 0;
  for (const table of TABLES) {
    const load = (cursor: string | null) => query(migrations.preview, { table, cursor, batchSize });
    for await (const page of pages(load, signal)) {
      rows += page.rows;
      counts[table === "scenes" ? "scenes" : "sessions"] += page.changed;
      for (const object of page.objects) objects.add(object);
      errors.push(...page.damaged.map((one) => ({ table, ...one })));
      onProgress?.({ table, rows, ...counts, references: objects.size, errors: errors.length });
    }
  }
  return {
    ...NOTHING,
    mode: "dry-run",
    state: "completed",
    ...counts,
    references: objects.size,
    errors,
    totalTimeMs: Math.round(performance.now() - startedMs),
  };
};

const verify = async (
  { query }: ConvexCalls,
  { signal, onProgress }: MigrationOptions,
): Promise<MigrationResult> => {
  const startedMs = performance.now();
  const rows = { videoSessions: 0, scenes: 0, assetReferences: 0 };
  const [findings, errors]: [MigrationFinding[], MigrationRowError[]] = [[], []];
  let [legacyRows, assets, seen] = [0, 0, 0];
  for (const table of VERIFIED_TABLES) {
    const load = (cursor: string | null) => query(migrations.verify, { table, cursor });
    for await (const page of pages(load, signal)) {
      rows[table] += page.rows;
      seen += page.rows;
      legacyRows += page.legacy;
      assets += page.assets;
      findings.push(...page.findings.map((one) => ({ table, ...one })));
      errors.push(...page.damaged.map((one) => ({ table, ...one })));
      onProgress?.({
        table,
        rows: seen,
        scenes: rows.scenes,
        sessions: rows.videoSessions,
        references: rows.assetReferences,
        errors: errors.length + findings.length,
      });
    }
  }
  return {
    ...NOTHING,
    mode: "verify",
    state: "completed",
    errors,
    totalTimeMs: Math.round(performance.now() - startedMs),
    verification: { ok: findings.length === 0, rows, legacyRows, assets, findings },
  };
};

/**
 * Runs migration 001 at a deployment and follows it to its end. Where it runs already, this follows
 * that run; where it was stopped, it goes on.
 * @param url  of the Convex deployment
 * @returns what was done; rows that could not be are in `errors`, and stopped nothing
 * @throws {MigrationFailure} where it cannot be called: no connection, no permission, not deployed
 */
export const runMigration = async (
  url: string,
  options: MigrationOptions = {},
): Promise<MigrationResult> => {
  const env = options.env ?? process.env;
  const token =
    options.token ??
    createServiceToken({
      apiKey: env["CONVEX_API_KEY"],
      audience: env["CONVEX_AUDIENCE"] || SERVICE_AUDIENCE,
      metadataHost: env["GCE_METADATA_HOST"],
    });
  const calls = createConvexCalls({ url, token });
  try {
    if (options.verify) return await verify(calls, options);
    return options.dryRun ? await dryRun(calls, options) : await migrate(calls, options);
  } catch (error) {
    throw migrationFailureOf(error, url);
  }
};
