// A batch of migration 001, in the shape that the migrations component calls: a page of one table.
// Made here and not with the component's `define`, which knows rows only one at a time: figures are
// added up once a batch, and a row that fails must not take its page along.
import { ConvexError } from "convex/values";
import { internal } from "../../_generated/api.js";
import type { MutationCtx } from "../../_generated/server.js";
import type { Refusal } from "../access.ts";
import type { MigratedTable } from "./plan.ts";
import { type Done, findRow, planRow } from "./rows.ts";
import { DEFAULT_BATCH_SIZE, MIGRATION, latestRun } from "./run.ts";

export interface BatchArgs {
  cursor?: string | null;
  batchSize?: number;
}
export interface BatchAnswer {
  continueCursor: string;
  isDone: boolean;
  processed: number;
}

const MAX_MESSAGE_CHARS = 500;

const messageOf = (error: unknown): string => {
  const refusal = error instanceof ConvexError ? (error.data as Partial<Refusal>) : undefined;
  const said = refusal?.message ?? (error instanceof Error ? error.message : String(error));
  return said.slice(0, MAX_MESSAGE_CHARS);
};

const recordError = async (
  ctx: MutationCtx,
  table: MigratedTable,
  { rowId, message }: Done["damaged"][number],
): Promise<void> => {
  const known = await ctx.db
    .query("migrationErrors")
    .withIndex("by_migration_and_row", (q) => q.eq("migration", MIGRATION).eq("rowId", rowId))
    .unique();
  if (known?.message === message) return;
  if (known) await ctx.db.delete("migrationErrors", known._id);
  await ctx.db.insert("migrationErrors", {
    migration: MIGRATION,
    table,
    rowId,
    message,
    at: Date.now(),
  });
};

/** All rows in one transaction inside this one; where that fails, each in its own. */
const migrate = async (ctx: MutationCtx, table: MigratedTable, rowIds: string[]): Promise<Done> => {
  const { migrateRows } = internal.migrations;
  try {
    return await ctx.runMutation(migrateRows, { table, rowIds });
  } catch (error) {
    const [rowId] = rowIds;
    if (rowId !== undefined && rowIds.length === 1) {
      return { changed: 0, references: 0, damaged: [{ rowId, message: messageOf(error) }] };
    }
    const sum: Done = { changed: 0, references: 0, damaged: [] };
    for (const rowId of rowIds) {
      const one = await migrate(ctx, table, [rowId]);
      sum.changed += one.changed;
      sum.references += one.references;
      sum.damaged.push(...one.damaged);
    }
    return sum;
  }
};

const addUp = async (
  ctx: MutationCtx,
  processed: number,
  figures: Partial<Record<"scenes" | "sessions" | "references" | "errors", number>>,
): Promise<void> => {
  const run = await latestRun(ctx);
  if (!run) return;
  await ctx.db.patch("migrationRuns", run._id, {
    processed: run.processed + processed,
    scenes: run.scenes + (figures.scenes ?? 0),
    sessions: run.sessions + (figures.sessions ?? 0),
    references: run.references + (figures.references ?? 0),
    errors: run.errors + (figures.errors ?? 0),
  });
};

/** Fills in a page of sessions or scenes, and records the rows that it could not do. */
export const migrateBatch = async (
  ctx: MutationCtx,
  table: MigratedTable,
  { cursor = null, batchSize = DEFAULT_BATCH_SIZE }: BatchArgs,
): Promise<BatchAnswer> => {
  const { page, continueCursor, isDone } = await ctx.db
    .query(table)
    .paginate({ cursor, numItems: batchSize });
  const rowIds = page.map((row): string => row._id);
  const { changed, references, damaged } = await migrate(ctx, table, rowIds);
  for (const one of damaged) await recordError(ctx, table, one);
  await addUp(ctx, rowIds.length, {
    [table === "scenes" ? "scenes" : "sessions"]: changed,
    references,
    errors: damaged.length,
  });
  return { continueCursor, isDone, processed: rowIds.length };
};

/** Takes away a page of errors of rows that are gone, or mended and done. */
export const settleBatch = async (
  ctx: MutationCtx,
  { cursor = null, batchSize = DEFAULT_BATCH_SIZE }: BatchArgs,
): Promise<BatchAnswer> => {
  const { page, continueCursor, isDone } = await ctx.db
    .query("migrationErrors")
    .withIndex("by_migration_and_row", (q) => q.eq("migration", MIGRATION))
    .paginate({ cursor, numItems: batchSize });
  for (const { _id, table, rowId } of page) {
    const row = await findRow(ctx, table, rowId);
    const isOver = !row || (await planRow(ctx, row)).kind === "done";
    if (isOver) await ctx.db.delete("migrationErrors", _id);
  }
  return { continueCursor, isDone, processed: page.length };
};
