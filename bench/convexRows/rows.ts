// What `npm run bench -- convex` calls: each reads by the index, the same few rows however many there are.
import { mutationGeneric, queryGeneric } from "convex/server";
import type {
  DataModelFromSchemaDefinition,
  GenericMutationCtx,
  GenericQueryCtx,
} from "convex/server";
import { v } from "convex/values";
import { GROUP_SIZE, placeOf } from "../convexPlaces.ts";
import type schema from "./schema.ts";

type DataModel = DataModelFromSchemaDefinition<typeof schema>;
type QueryCtx = GenericQueryCtx<DataModel>;
type MutationCtx = GenericMutationCtx<DataModel>;

const place = { group: v.number(), rank: v.number() };
let runs = 0;

const find = (ctx: QueryCtx, group: number, rank: number) =>
  ctx.db
    .query("rows")
    .withIndex("by_group_and_rank", (q) => q.eq("group", group).eq("rank", rank))
    .unique();

/** Rows `from` to before `to`. */
export const seed = mutationGeneric({
  args: { from: v.number(), to: v.number(), text: v.string() },
  handler: async (ctx: MutationCtx, { from, to, text }) => {
    for (let i = from; i < to; i++) {
      await ctx.db.insert("rows", { ...placeOf(i), text });
    }
    return null;
  },
});

/** Finds one row and changes its text. */
export const edit = mutationGeneric({
  args: { ...place, text: v.string() },
  handler: async (ctx: MutationCtx, { group, rank, text }) => {
    const row = await find(ctx, group, rank);
    if (!row) throw new Error(`There is no row ${rank} in group ${group}.`);
    await ctx.db.patch(row._id, { text });
    return null;
  },
});

/** Removes one row and puts another in its place: the entries of all indexes change. */
export const swap = mutationGeneric({
  args: { ...place, text: v.string() },
  handler: async (ctx: MutationCtx, { group, rank, text }) => {
    const row = await find(ctx, group, rank);
    if (!row) throw new Error(`There is no row ${rank} in group ${group}.`);
    await ctx.db.delete(row._id);
    await ctx.db.insert("rows", { group, rank, text });
    return null;
  },
});

/** The ten rows of a group. */
export const inGroup = queryGeneric({
  args: { group: v.number() },
  handler: async (ctx: QueryCtx, { group }) =>
    await ctx.db
      .query("rows")
      .withIndex("by_group_and_rank", (q) => q.eq("group", group))
      .take(GROUP_SIZE),
});

/** One row's text, for live queries, which are counted. */
export const text = queryGeneric({
  args: place,
  handler: async (ctx: QueryCtx, { group, rank }) => {
    runs += 1;
    return (await find(ctx, group, rank))?.text ?? null;
  },
});

/** How often `text` has been run. Not for a live query: it depends on more than what it reads. */
export const textRuns = queryGeneric({ args: {}, handler: () => runs });
