// Queries that shall not see what their caller has written.
import { defineSchema, defineTable, makeFunctionReference, queryGeneric } from "convex/server";
import { v } from "convex/values";
import { expect, it } from "vitest";
import { openEngine } from "./testing/openEngine.ts";

it("a snapshot query sees what was committed before its mutation, by every way to read", async () => {
  const schema = defineSchema({
    rows: defineTable({ rank: v.number() }).index("by_rank", ["rank"]),
  });
  const all = queryGeneric({
    args: { ids: v.array(v.string()) },
    handler: async (ctx, { ids }) => {
      const ranks = (rows: { rank: number }[]) => rows.map(({ rank }) => rank);
      const rows = ctx.db.query("rows").withIndex("by_rank");
      return {
        got: await Promise.all(
          ids.map(async (id) => (await ctx.db.get(id as never))?.["rank"] ?? null),
        ),
        ascending: ranks((await rows.collect()) as never),
        first: ranks(
          (await ctx.db.query("rows").withIndex("by_rank").order("desc").take(2)) as never,
        ),
        between: ranks(
          (await ctx.db
            .query("rows")
            .withIndex("by_rank", (q) => q.gt("rank", 1).lt("rank", 9))
            .collect()) as never,
        ),
        count: await (ctx.db.query("rows") as unknown as { count(): Promise<number> }).count(),
      };
    },
  });
  const engine = openEngine({ schema, functions: { all } });
  const insert = (rank: number) =>
    engine.mutation<string>((ctx) => ctx.db.insert("rows", { rank }));
  const [a, b, c] = [await insert(1), await insert(2), await insert(3)];
  const reference = makeFunctionReference<"query">("m:all");
  const seen = await engine.mutation<unknown[]>(async (ctx) => {
    await ctx.db.patch(a, { rank: 10 });
    await ctx.db.patch(a, { rank: 5 });
    await ctx.db.delete(b);
    const d = (await ctx.db.insert("rows", { rank: 2.5 })) as string;
    const ids = [a, b, c, d];
    return [
      await ctx.runQuery(reference, { ids }, { useStaleSnapshot: true }),
      await ctx.runQuery(reference, { ids }),
    ];
  });
  expect(seen).toEqual([
    { got: [1, 2, 3, null], ascending: [1, 2, 3], first: [3, 2], between: [2, 3], count: 3 },
    {
      got: [5, null, 3, 2.5],
      ascending: [2.5, 3, 5],
      first: [5, 3],
      between: [2.5, 3, 5],
      count: 3,
    },
  ]);
});
