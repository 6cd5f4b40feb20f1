// A run of migration 001: one chain of scheduled steps, each a batch of the component and its figures
// in one transaction. The component knows how far each table is; the run's row says which table is
// next and what came of it. So a second start finds the chain, a stop ends it, and after a stop it
// goes on where it was.
//
// The component's own `runSerially` is not used: between two tables nothing tells that it runs, and
// it has no place for figures.
import {
  type FunctionReference,
  type FunctionReturnType,
  createFunctionHandle,
  getFunctionName,
} from "convex/server";
import { pick } from "convex-helpers";
import { type Infer, v } from "convex/values";
import { components, internal } from "../../_generated/api.js";
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { MIGRATION_PHASES, migrationRuns } from "../../tables/assets.ts";
import { refuse } from "../access.ts";

export const MIGRATION = "001-asset-tracking";
export const DEFAULT_BATCH_SIZE = 50;
/** A row takes about 15 reads and 6 writes; a transaction has room for 4,096 reads by index. */
const MAX_BATCH_SIZE = 200;

type Run = Doc<"migrationRuns">;
export type Phase = Run["phase"];

/** What the component calls for a batch, as its own `define` would make it. */
type BatchFunction = FunctionReference<
  "mutation",
  "internal",
  { cursor?: string | null; batchSize?: number; dryRun?: boolean; oneBatchOnly?: boolean },
  { continueCursor: string; isDone: boolean; processed: number }
>;

const batchOf = (phase: Phase): BatchFunction => {
  switch (phase) {
    case "videoSessions":
      return internal.migrations.sessionsBatch;
    case "scenes":
      return internal.migrations.scenesBatch;
    case "migrationErrors":
      return internal.migrations.errorsBatch;
    default:
      return phase satisfies never;
  }
};

export const latestRun = (ctx: QueryCtx): Promise<Run | null> =>
  ctx.db
    .query("migrationRuns")
    .withIndex("by_migration", (q) => q.eq("migration", MIGRATION))
    .order("desc")
    .first();

/** Whether the run's next step is sure to come. */
const isAlive = async (ctx: QueryCtx, { workerId }: Run): Promise<boolean> => {
  const worker = workerId && (await ctx.db.system.get("_scheduled_functions", workerId));
  return worker?.state.kind === "pending" || worker?.state.kind === "inProgress";
};

export const checkBatchSize = (batchSize: number): number => {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_BATCH_SIZE) {
    throw refuse("invalid_request", `A batch has 1 to ${MAX_BATCH_SIZE} rows, not ${batchSize}.`);
  }
  return batchSize;
};

/**
 * Begins a run, or goes on with one that was stopped. Does nothing where one is under way.
 * @returns whether this call is what set it going, and whether it goes on with an earlier one
 */
export const startRun = async (
  ctx: MutationCtx,
  batchSize: number,
): Promise<{ started: boolean; resumed: boolean }> => {
  const now = Date.now();
  const latest = await latestRun(ctx);
  if (latest?.state === "running" && (await isAlive(ctx, latest))) {
    return { started: false, resumed: false };
  }
  const workerId = await ctx.scheduler.runAfter(0, internal.migrations.step, {});
  const going = { state: "running" as const, steppedAt: now, batchSize, workerId };
  if (latest && latest.state !== "completed") {
    await ctx.db.patch("migrationRuns", latest._id, { ...going, error: undefined });
    return { started: true, resumed: true };
  }
  await ctx.db.insert("migrationRuns", {
    ...going,
    migration: MIGRATION,
    phase: MIGRATION_PHASES[0],
    begun: false,
    startedAt: now,
    workedMs: 0,
    processed: 0,
    scenes: 0,
    sessions: 0,
    references: 0,
    errors: 0,
  });
  return { started: true, resumed: false };
};

/** Ends the chain after the batch that is under way. @returns whether there was one */
export const cancelRun = async (ctx: MutationCtx): Promise<boolean> => {
  const run = await latestRun(ctx);
  if (run?.state !== "running") return false;
  if (run.workerId && (await isAlive(ctx, run))) await ctx.scheduler.cancel(run.workerId);
  await ctx.db.patch("migrationRuns", run._id, { state: "canceled", workerId: undefined });
  return true;
};

/** One batch, and the next step. */
export const stepRun = async (ctx: MutationCtx): Promise<void> => {
  const before = await latestRun(ctx);
  if (before?.state !== "running") return;
  const batch = batchOf(before.phase);
  const answer: FunctionReturnType<typeof components.migrations.lib.migrate> =
    await ctx.runMutation(components.migrations.lib.migrate, {
      name: getFunctionName(batch),
      fnHandle: await createFunctionHandle(batch),
      // A new run begins at the table's start; without a cursor the component goes on.
      ...(before.begun ? {} : { cursor: null }),
      batchSize: before.batchSize,
      dryRun: false,
      oneBatchOnly: true,
    });
  // The batch has written its figures to the same row.
  const run = await ctx.db.get("migrationRuns", before._id);
  if (!run) return;
  const now = Date.now();
  const worked = { workedMs: run.workedMs + Math.max(0, now - run.steppedAt), steppedAt: now };
  const stop = { ...worked, workerId: undefined };
  if (answer.error !== undefined) {
    const { error } = answer;
    await ctx.db.patch("migrationRuns", run._id, { ...stop, state: "failed", error });
    return;
  }
  const next = answer.isDone
    ? MIGRATION_PHASES[MIGRATION_PHASES.indexOf(run.phase) + 1]
    : run.phase;
  if (next === undefined) {
    const ended = { state: "completed" as const, finishedAt: now };
    await ctx.db.patch("migrationRuns", run._id, { ...stop, ...ended });
    return;
  }
  await ctx.db.patch("migrationRuns", run._id, {
    ...worked,
    phase: next,
    begun: !answer.isDone,
    workerId: await ctx.scheduler.runAfter(0, internal.migrations.step, {}),
  });
};

const SHOWN = [
  "state",
  "phase",
  "batchSize",
  "startedAt",
  "workedMs",
  "processed",
  "scenes",
  "sessions",
  "references",
  "errors",
] as const;
export const runView = v.object({
  ...pick(migrationRuns.validator.fields, [...SHOWN]),
  finishedAt: v.union(v.number(), v.null()),
  error: v.union(v.string(), v.null()),
});

/** The newest run as it is shown; a chain that broke is `failed`, though its row cannot say so. */
export const shownRun = async (ctx: QueryCtx): Promise<Infer<typeof runView> | null> => {
  const run = await latestRun(ctx);
  if (!run) return null;
  const broke = run.state === "running" && !(await isAlive(ctx, run));
  const error = broke ? "It stopped between two batches; start it again." : run.error;
  return {
    ...pick(run, [...SHOWN]),
    state: broke ? "failed" : run.state,
    finishedAt: run.finishedAt ?? null,
    error: error ?? null,
  };
};
