// Functions of every kind, for the tests of the local Convex.
import {
  actionGeneric,
  internalMutationGeneric,
  makeFunctionReference,
  mutationGeneric,
  paginationOptsValidator,
  queryGeneric,
} from "convex/server";
import type { GenericMutationCtx, GenericQueryCtx } from "convex/server";
import { ConvexError, v } from "convex/values";
import type { DataModelFromSchemaDefinition } from "convex/server";
import type schema from "./schema.ts";

type DataModel = DataModelFromSchemaDefinition<typeof schema>;

const find = (ctx: GenericQueryCtx<DataModel>, name: string) =>
  ctx.db
    .query("counters")
    .withIndex("by_name", (q) => q.eq("name", name))
    .unique();

const increase = async (ctx: GenericMutationCtx<DataModel>, name: string, by: number) => {
  const row = await find(ctx, name);
  if (row) await ctx.db.patch(row._id, { value: row.value + by });
  else await ctx.db.insert("counters", { name, value: by });
  return (row?.value ?? 0) + by;
};

export const get = queryGeneric({
  args: { name: v.string() },
  returns: v.number(),
  handler: async (ctx: GenericQueryCtx<DataModel>, { name }) => (await find(ctx, name))?.value ?? 0,
});

/** Both counters in one answer: never seen to differ. */
export const add = mutationGeneric({
  args: { name: v.string(), by: v.number() },
  returns: v.number(),
  handler: (ctx: GenericMutationCtx<DataModel>, { name, by }) => increase(ctx, name, by),
});

export const addLater = mutationGeneric({
  args: { name: v.string(), delayMs: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const add = makeFunctionReference<"mutation">("counters:addInternal");
    await ctx.scheduler.runAfter(args.delayMs, add, { name: args.name, by: 1 });
    return null;
  },
});

export const addInternal = internalMutationGeneric({
  args: { name: v.string(), by: v.number() },
  returns: v.number(),
  handler: (ctx: GenericMutationCtx<DataModel>, { name, by }) => increase(ctx, name, by),
});

export const addTwice = actionGeneric({
  args: { name: v.string() },
  returns: v.number(),
  handler: async (ctx, { name }): Promise<number> => {
    const add = makeFunctionReference<"mutation", { name: string; by: number }, number>(
      "counters:add",
    );
    await ctx.runMutation(add, { name, by: 1 });
    return await ctx.runMutation(add, { name, by: 1 });
  },
});

export const addAndFail = mutationGeneric({
  args: { name: v.string() },
  returns: v.null(),
  handler: async (ctx: GenericMutationCtx<DataModel>, { name }) => {
    await increase(ctx, name, 1);
    throw new ConvexError({ code: "refused", detail: 7n });
  },
});

export const failPlainly = queryGeneric({
  args: {},
  returns: v.null(),
  handler: () => {
    throw new Error("plain trouble");
  },
});

export const whoAmI = queryGeneric({
  args: {},
  returns: v.any(),
  handler: async (ctx) => await ctx.auth.getUserIdentity(),
});

export const environment = queryGeneric({
  args: {},
  returns: v.union(v.string(), v.null()),
  handler: () => process.env["TEST_GREETING"] ?? null,
});

export const addNote = mutationGeneric({
  args: { text: v.string() },
  returns: v.null(),
  handler: async (ctx: GenericMutationCtx<DataModel>, { text }) => {
    await ctx.db.insert("notes", { text });
    return null;
  },
});

export const notes = queryGeneric({
  args: { paginationOpts: paginationOptsValidator },
  returns: v.any(),
  handler: (ctx: GenericQueryCtx<DataModel>, { paginationOpts }) =>
    ctx.db.query("notes").order("desc").paginate(paginationOpts),
});

export const newest = queryGeneric({
  args: { paginationOpts: paginationOptsValidator },
  returns: v.any(),
  handler: async (ctx: GenericQueryCtx<DataModel>) => ({
    page: await ctx.db.query("notes").order("desc").take(1),
  }),
});
