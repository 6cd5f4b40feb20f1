// Migration 001 for whoever runs the deployment: start, follow and stop it, see beforehand what it
// would do, and verify what it did. `npm run migrate` calls these; docs/migrations.md tells the rest.
import { v } from "convex/values";
import { backendMutation, operatorMutation, operatorQuery } from "./functions.ts";
import { oneOf } from "./model/contract.ts";
import { migrateBatch, settleBatch } from "./model/migrations/batch.ts";
import { migrateRows as migrate, previewRows, type Row } from "./model/migrations/rows.ts";
import {
  DEFAULT_BATCH_SIZE,
  MIGRATION,
  cancelRun,
  checkBatchSize,
  runView,
  shownRun,
  startRun,
  stepRun,
} from "./model/migrations/run.ts";
import { CHECKS, VERIFIED_TABLES, verifyPage } from "./model/migrations/verify.ts";
import { MIGRATED_TABLES } from "./tables/assets.ts";

const table = oneOf(MIGRATED_TABLES);
const cursor = v.union(v.string(), v.null());
const next = { continueCursor: v.string(), isDone: v.boolean() };
const rowError = v.object({ rowId: v.string(), message: v.string() });

/**
 * Starts a run, or goes on with one that was stopped; changes nothing while one is under way.
 * `batchSize` rows, 1 to 200 (default 50), are one transaction.
 */
export const start = operatorMutation({
  args: { batchSize: v.optional(v.number()) },
  returns: v.object({ started: v.boolean(), resumed: v.boolean() }),
  handler: (ctx, { batchSize = DEFAULT_BATCH_SIZE }) => startRun(ctx, checkBatchSize(batchSize)),
});

/** The newest run and its figures; null before the first. */
export const status = operatorQuery({
  args: {},
  returns: v.union(runView, v.null()),
  handler: (ctx) => shownRun(ctx),
});

/** Stops the run after its batch; `start` goes on with it. False where none is under way. */
export const cancel = operatorMutation({
  args: {},
  returns: v.boolean(),
  handler: (ctx) => cancelRun(ctx),
});

/**
 * What a run would do with the next page of a table. `objects` are the bucket and key of each
 * reference that it would make; the same may be named on several pages.
 */
export const preview = operatorQuery({
  args: { table, cursor, batchSize: v.optional(v.number()) },
  returns: v.object({
    ...next,
    rows: v.number(),
    changed: v.number(),
    objects: v.array(v.string()),
    damaged: v.array(rowError),
  }),
  handler: async (ctx, args) => {
    const numItems = checkBatchSize(args.batchSize ?? DEFAULT_BATCH_SIZE);
    const { page, continueCursor, isDone } = await ctx.db
      .query(args.table)
      .paginate({ cursor: args.cursor, numItems });
    const rows = page.map((doc) => ({ table: args.table, doc }) as Row);
    return { ...(await previewRows(ctx, rows)), rows: rows.length, continueCursor, isDone };
  },
});

/** The document's verification list over the next page of a table. */
export const verify = operatorQuery({
  args: { table: oneOf(VERIFIED_TABLES), cursor },
  returns: v.object({
    ...next,
    rows: v.number(),
    legacy: v.number(),
    assets: v.number(),
    findings: v.array(v.object({ rowId: v.string(), check: oneOf(CHECKS), message: v.string() })),
    damaged: v.array(rowError),
  }),
  handler: (ctx, args) => verifyPage(ctx, args.table, args.cursor),
});

/** The rows that the last run could not do, a page of them. */
export const errors = operatorQuery({
  args: { cursor, batchSize: v.optional(v.number()) },
  returns: v.object({
    ...next,
    errors: v.array(v.object({ table, rowId: v.string(), message: v.string(), at: v.number() })),
  }),
  handler: async (ctx, args) => {
    const { page, continueCursor, isDone } = await ctx.db
      .query("migrationErrors")
      .withIndex("by_migration_and_row", (q) => q.eq("migration", MIGRATION))
      .paginate({
        cursor: args.cursor,
        numItems: checkBatchSize(args.batchSize ?? DEFAULT_BATCH_SIZE),
      });
    const shown = page.map((one) => ({
      table: one.table,
      rowId: one.rowId,
      message: one.message,
      at: one.at,
    }));
    return { errors: shown, continueCursor, isDone };
  },
});

export const step = backendMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await stepRun(ctx);
    return null;
  },
});

// What the migrations component calls, with the arguments it has.
const batch = {
  args: {
    cursor: v.optional(cursor),
    batchSize: v.optional(v.number()),
    dryRun: v.optional(v.boolean()),
    oneBatchOnly: v.optional(v.boolean()),
  },
  returns: v.object({ ...next, processed: v.number() }),
};

export const sessionsBatch = backendMutation({
  ...batch,
  handler: (ctx, args) => migrateBatch(ctx, "videoSessions", args),
});

export const scenesBatch = backendMutation({
  ...batch,
  handler: (ctx, args) => migrateBatch(ctx, "scenes", args),
});

export const errorsBatch = backendMutation({
  ...batch,
  handler: (ctx, args) => settleBatch(ctx, args),
});

/** Rows of a batch, in a transaction inside its own. */
export const migrateRows = backendMutation({
  args: { table, rowIds: v.array(v.string()) },
  returns: v.object({ changed: v.number(), references: v.number(), damaged: v.array(rowError) }),
  handler: (ctx, args) => migrate(ctx, args.table, args.rowIds, Date.now()),
});
