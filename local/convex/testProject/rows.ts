// Lists that are read in every way there is, for the tests of live queries.
import { mutationGeneric, paginationOptsValidator, queryGeneric } from "convex/server";
import type { DataModelFromSchemaDefinition } from "convex/server";
import type { GenericMutationCtx, GenericQueryCtx } from "convex/server";
import { ConvexError, v } from "convex/values";
import type schema from "./schema.ts";

type DataModel = DataModelFromSchemaDefinition<typeof schema>;
type QueryCtx = GenericQueryCtx<DataModel>;
type MutationCtx = GenericMutationCtx<DataModel>;

const lastRank = async (ctx: QueryCtx, list: string): Promise<number> => {
  const last = await ctx.db
    .query("rows")
    .withIndex("by_list_and_rank", (q) => q.eq("list", list))
    .order("desc")
    .first();
  return last?.rank ?? 0;
};

/** Adds to the end, and counts in a row of its own: the two always agree. @returns the rank, from 1 */
export const append = mutationGeneric({
  args: { list: v.string(), text: v.string(), isRefused: v.optional(v.boolean()) },
  returns: v.number(),
  handler: async (ctx: MutationCtx, { list, text, isRefused }) => {
    const rank = (await lastRank(ctx, list)) + 1;
    await ctx.db.insert("rows", { list, rank, text });
    const counter = await ctx.db
      .query("counters")
      .withIndex("by_name", (q) => q.eq("name", list))
      .unique();
    if (counter) await ctx.db.patch(counter._id, { value: rank });
    else await ctx.db.insert("counters", { name: list, value: rank });
    if (isRefused) throw new ConvexError({ code: "refused" });
    return rank;
  },
});

export const insert = mutationGeneric({
  args: { list: v.string(), rank: v.number(), text: v.string() },
  handler: async (ctx: MutationCtx, row) => await ctx.db.insert("rows", row),
});

export const edit = mutationGeneric({
  args: { id: v.id("rows"), rank: v.number(), text: v.string() },
  handler: async (ctx: MutationCtx, { id, ...fields }) => {
    await ctx.db.patch(id, fields);
    return null;
  },
});

export const remove = mutationGeneric({
  args: { id: v.id("rows") },
  handler: async (ctx: MutationCtx, { id }) => {
    await ctx.db.delete(id);
    return null;
  },
});

/** All of a list, or the ranks from `from` on and before `to`. */
export const inList = queryGeneric({
  args: { list: v.string(), from: v.optional(v.number()), to: v.optional(v.number()) },
  handler: async (ctx: QueryCtx, { list, from = 0, to = Infinity }) =>
    await ctx.db
      .query("rows")
      .withIndex("by_list_and_rank", (q) => q.eq("list", list).gte("rank", from).lt("rank", to))
      .take(5_000),
});

/** The lowest of a list: what comes after them is not read. */
export const lowest = queryGeneric({
  args: { list: v.string(), count: v.number() },
  handler: async (ctx: QueryCtx, { list, count }) =>
    await ctx.db
      .query("rows")
      .withIndex("by_list_and_rank", (q) => q.eq("list", list))
      .take(count),
});

export const page = queryGeneric({
  args: { list: v.string(), paginationOpts: paginationOptsValidator },
  handler: async (ctx: QueryCtx, { list, paginationOpts }) =>
    await ctx.db
      .query("rows")
      .withIndex("by_list_and_rank", (q) => q.eq("list", list))
      .paginate(paginationOpts),
});

export const one = queryGeneric({
  args: { id: v.id("rows") },
  handler: async (ctx: QueryCtx, { id }) => await ctx.db.get(id),
});

export const found = queryGeneric({
  args: { list: v.string(), words: v.string() },
  handler: async (ctx: QueryCtx, { list, words }) =>
    await ctx.db
      .query("rows")
      .withSearchIndex("search_text", (q) => q.search("text", words).eq("list", list))
      .take(10),
});
