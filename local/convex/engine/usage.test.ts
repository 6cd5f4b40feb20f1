// A transaction's limits, counted and held to.
import { defineSchema, defineTable, makeFunctionReference, mutationGeneric } from "convex/server";
import { v } from "convex/values";
import { describe, expect, it } from "vitest";
import { openEngine } from "./testing/openEngine.ts";
import { LIMITS, type Metric, createUsage } from "./usage.ts";

const METRICS = Object.keys(LIMITS) as Metric[];

describe("usage", () => {
  it.each(METRICS)("may reach its limit and not pass it: %s", (metric) => {
    const usage = createUsage();
    usage.add(metric, LIMITS[metric]);
    expect(usage.metrics()[metric]).toEqual({ used: LIMITS[metric], remaining: 0 });
    expect(() => usage.add(metric, 1)).toThrow(
      `in a single function execution (limit: ${LIMITS[metric]})`,
    );
  });

  it("of a nested call counts in what it is in; of one that was rolled back, what it read", () => {
    const usage = createUsage();
    usage.add("documentsRead", 1);
    usage.add("documentsWritten", 1);
    for (const wasCommitted of [true, false]) {
      const nested = usage.child();
      nested.add("documentsRead", 10);
      nested.add("documentsWritten", 10);
      usage.absorb(nested, wasCommitted);
    }
    expect(usage.used("documentsRead")).toBe(21);
    expect(usage.used("documentsWritten")).toBe(11);
    expect(() => usage.child().add("documentsRead", LIMITS.documentsRead - 20)).toThrow(
      "Too many documents read",
    );
  });

  it("of a nested call may be limited further, and no less", () => {
    const usage = createUsage();
    usage.add("databaseQueries", 5);
    const nested = usage.child({ databaseQueries: 2, documentsRead: 1e9 });
    nested.add("databaseQueries", 2);
    expect(() => nested.add("databaseQueries", 1)).toThrow("Too many reads");
    expect(nested.metrics()["documentsRead"].remaining).toBe(LIMITS.documentsRead);
    expect(nested.child({ databaseQueries: 5 }).metrics()["databaseQueries"].remaining).toBe(-1);
  });
});

describe("a function", () => {
  const schema = defineSchema({ rows: defineTable({ text: v.string() }) });
  const later = makeFunctionReference<"mutation">("m:later");
  const text = "x".repeat(1_000);
  // oxlint-disable-next-line no-explicit-any -- a mutation's context, over any schema
  const USES: Record<Metric, (ctx: any) => Promise<unknown>> = {
    bytesRead: (ctx) => ctx.db.query("rows").first(),
    bytesWritten: (ctx) => ctx.db.insert("rows", { text }),
    documentsRead: (ctx) => ctx.db.query("rows").collect(),
    documentsWritten: (ctx) => ctx.db.insert("rows", { text: "" }),
    databaseQueries: (ctx) => ctx.db.query("none").first(),
    functionsScheduled: (ctx) => ctx.scheduler.runAfter(1e9, later, {}),
    scheduledFunctionArgsBytes: (ctx) => ctx.scheduler.runAfter(1e9, later, { text }),
  };
  const functions = {
    later: mutationGeneric({ args: { text: v.optional(v.string()) }, handler: () => null }),
    use: mutationGeneric({
      args: { metric: v.string(), times: v.number() },
      handler: async (ctx, { metric, times }) => {
        for (let i = 0; i < times; i++) await USES[metric as Metric](ctx);
      },
    }),
    useAndCatch: mutationGeneric({
      args: { metric: v.string(), times: v.number() },
      handler: async (ctx, { metric, times }) => {
        for (let i = 0; i < times; i++) await USES[metric as Metric](ctx).catch(() => null);
      },
    }),
  };
  const LEAST: Record<Metric, number> = {
    bytesRead: 1_000,
    bytesWritten: 1_000,
    documentsRead: 1,
    documentsWritten: 1,
    databaseQueries: 1,
    functionsScheduled: 1,
    scheduledFunctionArgsBytes: 1_000,
  };

  it.each(METRICS)("is held to what is left of: %s", async (metric) => {
    const engine = openEngine({ schema, functions });
    await engine.mutation((ctx) => ctx.db.insert("rows", { text }));
    const use = makeFunctionReference<"mutation">("m:use");
    const said = await engine.mutation<string>(async (ctx) => {
      const transactionLimits = { [metric]: LEAST[metric] * 1.5 };
      await ctx.runMutation(use, { metric, times: 1 }, { transactionLimits });
      const tooMuch = ctx.runMutation(use, { metric, times: 2 }, { transactionLimits });
      return await tooMuch.then(
        () => "nothing",
        ({ message }: Error) => message,
      );
    });
    expect(said).toContain(`in a single function execution (limit: `);
    const rows = await engine.query<number>((ctx) => ctx.db.query("rows").count());
    expect(rows).toBe(metric.endsWith("Written") ? 2 : 1);
    const jobs = await engine.query<unknown[]>((ctx) =>
      ctx.db.system.query("_scheduled_functions").collect(),
    );
    expect(jobs).toHaveLength(
      metric.startsWith("functions") || metric.startsWith("scheduled") ? 1 : 0,
    );
  });

  it("is refused what is more than a transaction may", async () => {
    const engine = openEngine({ schema, functions });
    await expect(engine.call("use", { metric: "functionsScheduled", times: 1001 })).rejects.toThrow(
      "Too many functions scheduled in a single function execution (limit: 1000)",
    );
  });

  it.each(["bytesWritten", "documentsWritten"] as const)(
    "that catches the error of a write too many has failed all the same: %s",
    async (metric) => {
      const engine = openEngine({ schema, functions });
      const caught = makeFunctionReference<"mutation">("m:useAndCatch");
      const transactionLimits = { [metric]: LEAST[metric] * 1.5 };
      const said = await engine.mutation<string>((ctx) =>
        ctx.runMutation(caught, { metric, times: 2 }, { transactionLimits }).then(
          () => "nothing",
          ({ message }: Error) => message,
        ),
      );
      expect(said).toContain(`in a single function execution (limit: `);
      expect(await engine.query((ctx) => ctx.db.query("rows").count())).toBe(0);
    },
  );

  it("that catches it at the end of the whole has failed as well", async () => {
    const engine = openEngine({ schema, functions });
    const large = "x".repeat(1_000_000);
    const insert = (ctx: { db: { insert(table: string, row: object): Promise<unknown> } }) =>
      ctx.db.insert("rows", { text: large }).catch(() => null);
    const writes = Math.floor(LIMITS.bytesWritten / large.length) + 1;
    await expect(
      engine.mutation(async (ctx) => {
        for (let i = 0; i < writes; i++) await insert(ctx);
      }),
    ).rejects.toThrow("Too many bytes written");
    expect(await engine.query((ctx) => ctx.db.query("rows").count())).toBe(0);
  });

  it("is told what it used", async () => {
    const engine = openEngine({ schema, functions });
    const metrics = await engine.mutation<Record<Metric, { used: number }>>(async (ctx) => {
      for (const metric of METRICS) await USES[metric](ctx);
      return await ctx.meta.getTransactionMetrics();
    });
    expect(
      Object.fromEntries(METRICS.map((metric) => [metric, metrics[metric].used])),
    ).toMatchObject({
      documentsWritten: 2,
      documentsRead: 1,
      databaseQueries: 3,
      functionsScheduled: 2,
    });
  });
});
