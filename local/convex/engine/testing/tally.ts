// A small component for programs, which mounts another: counts by key, and a line for each change.
import {
  componentsGeneric,
  makeFunctionReference,
  mutationGeneric,
  queryGeneric,
} from "convex/server";
import type { FunctionHandle } from "convex/server";
import { ConvexError, v } from "convex/values";

// oxlint-disable-next-line no-explicit-any -- there is no generated code for it
const { log } = componentsGeneric() as any;
const change = { key: v.string(), by: v.number() };
const addReference = makeFunctionReference<"mutation", { key: string; by: number }, number>(
  "tally:add",
);

/** Refuses to go below zero, when it has written already. */
export const add = mutationGeneric({
  args: change,
  returns: v.number(),
  handler: async (ctx, { key, by }): Promise<number> => {
    const row = await ctx.db
      .query("counts")
      .withIndex("by_key", (q) => q.eq("key", key))
      .unique();
    const count = ((row?.["count"] as number | undefined) ?? 0) + by;
    if (row) await ctx.db.patch(row._id, { count });
    else await ctx.db.insert("counts", { key, count });
    await ctx.runMutation(log.tally.note, { text: key, by });
    if (count < 0) throw new ConvexError({ key, count });
    return count;
  },
});

/** Goes on where it was refused. */
export const addSafely = mutationGeneric({
  args: change,
  handler: async (ctx, args): Promise<number | null> => {
    try {
      return await ctx.runMutation(addReference, args);
    } catch (error) {
      if (!(error instanceof ConvexError)) throw error;
      await ctx.runMutation(log.tally.note, { text: "refused", by: args.by });
      return null;
    }
  },
});

/** There and back, as one. */
export const addBoth = mutationGeneric({
  args: change,
  handler: async (ctx, { key, by }): Promise<number[]> => {
    const there = ctx.runMutation(addReference, { key, by });
    const back = ctx.runMutation(addReference, { key: `${key} back`, by: -by });
    const settled = await Promise.allSettled([there, back]);
    return settled.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
  },
});

export const later = mutationGeneric({
  args: change,
  returns: v.null(),
  handler: async (ctx, args) => {
    await ctx.scheduler.runAfter(Math.abs(args.by) * 10, addReference, args);
    return null;
  },
});

/** Runs a function of whoever mounts it. */
export const callBack = mutationGeneric({
  args: { handle: v.string(), args: v.any(), fails: v.boolean() },
  handler: async (ctx, { handle, args, fails }): Promise<unknown> => {
    await ctx.db.insert("counts", { key: "calls", count: 1 });
    const answer = await ctx.runMutation(handle as FunctionHandle<"mutation">, args);
    if (fails) throw new Error("after the call");
    return answer;
  },
});

export const get = queryGeneric({
  args: { key: v.string() },
  handler: async (ctx, { key }) => ({
    counts: await ctx.db
      .query("counts")
      .withIndex("by_key", (q) => q.eq("key", key))
      .collect(),
    lines: (await ctx.runQuery(log.tally.largest, {})) as unknown,
    who: await ctx.auth.getUserIdentity(),
  }),
});

/** Of the component inside. */
export const note = mutationGeneric({
  args: { text: v.string(), by: v.number() },
  handler: async (ctx, args) => {
    await ctx.db.insert("lines", args);
  },
});

export const largest = queryGeneric({
  args: {},
  handler: (ctx) => ctx.db.query("lines").withIndex("by_by").order("desc").take(3),
});
