// Lists read page by page, to their end and again, while documents come and go.
import { defineSchema, defineTable, queryGeneric } from "convex/server";
import type { PaginationOptions, PaginationResult } from "convex/server";
import { v } from "convex/values";
import { beforeEach, describe, expect, it } from "vitest";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

const schema = defineSchema({
  rows: defineTable({ rank: v.number(), text: v.string() })
    .index("by_rank", ["rank"])
    .searchIndex("search", { searchField: "text" }),
});
type Row = { _id: string; rank: number };
type Options = Partial<PaginationOptions> & { maximumRowsRead?: number; endCursor?: string | null };
type Kind = "asc" | "desc" | "even" | "search" | "other";

let engine: OpenEngine;
const add = (...ranks: number[]) =>
  engine.mutation(async (ctx) => {
    for (const rank of ranks) await ctx.db.insert("rows", { rank, text: "word" });
  });
const remove = (...ranks: number[]) =>
  engine.mutation(async (ctx) => {
    for (const { _id, rank } of (await ctx.db.query("rows").collect()) as Row[])
      if (ranks.includes(rank)) await ctx.db.delete(_id);
  });

const page = async (kind: Kind, options: Options) => {
  const found = await engine.query<PaginationResult<Row>>((ctx) => {
    const rows = ctx.db.query("rows");
    const full = { numItems: 2, cursor: null, ...options };
    switch (kind) {
      case "search":
        return rows
          .withSearchIndex("search", (q: { search(f: string, t: string): unknown }) =>
            q.search("text", "word"),
          )
          .paginate(full);
      case "even":
        return rows
          .withIndex("by_rank")
          .filter((q: Record<string, (...o: unknown[]) => unknown>) =>
            q["eq"]!(q["mod"]!(q["field"]!("rank"), 2), 0),
          )
          .paginate(full);
      case "other":
        return rows.withIndex("by_creation_time").paginate(full);
      default:
        return rows.withIndex("by_rank").order(kind).paginate(full);
    }
  });
  return { ...found, ranks: found.page.map(({ rank }) => rank) };
};

beforeEach(async () => {
  engine = openEngine({ schema });
  await add(10, 20, 30, 40, 50);
});

describe("pages", () => {
  it.each<[Kind, number[][]]>([
    ["asc", [[10, 20], [30, 40], [50]]],
    ["desc", [[50, 40], [30, 20], [10]]],
    ["other", [[10, 20], [30, 40], [50]]],
    ["search", [[50, 40], [30, 20], [10]]],
  ])("follow one another: %s", async (kind, expected) => {
    const pages: number[][] = [];
    for (let cursor: string | null = null, isDone = false; !isDone;) {
      const { ranks, ...next } = await page(kind, { cursor });
      pages.push(ranks);
      cursor = next.continueCursor;
      isDone = next.isDone;
    }
    expect(pages).toEqual(expected);
  });

  it("say that they are the last one when nothing is left", async () => {
    const last = await page("asc", { numItems: 5 });
    expect(last).toMatchObject({ isDone: true, ranks: [10, 20, 30, 40, 50] });
    expect(await page("asc", { cursor: last.continueCursor })).toMatchObject({
      isDone: true,
      ranks: [],
    });
    await remove(10, 20, 30, 40, 50);
    expect(await page("asc", {})).toMatchObject({ isDone: true, ranks: [] });
  });

  it.each<[Kind, number[], number[]]>([
    ["asc", [10, 15, 20], [30, 40]],
    ["desc", [60, 50, 45, 40], [30, 20]],
  ])(
    "end where they ended, whatever came before, at and after the end: %s",
    async (kind, first, second) => {
      const { continueCursor: endCursor } = await page(kind, {});
      await add(15, 25, 45, 60);
      expect((await page(kind, { endCursor })).ranks).toEqual(first);
      const without = await page(kind, { cursor: endCursor });
      expect(without.ranks).toEqual(kind === "asc" ? [25, 30] : [30, 25]);
      await remove(25, kind === "asc" ? 20 : 40);
      const pinned = await page(kind, { endCursor });
      expect(pinned.ranks).toEqual(first.slice(0, -1));
      expect(pinned).toMatchObject({ continueCursor: endCursor, isDone: false });
      expect((await page(kind, { cursor: endCursor })).ranks).toEqual(second);
    },
  );

  it("that were the last take in what comes at the end", async () => {
    const { continueCursor: endCursor } = await page("asc", { numItems: 9 });
    await add(60, 70);
    const last = await page("asc", { numItems: 1, endCursor });
    expect(last).toMatchObject({ isDone: true, ranks: [10, 20, 30, 40, 50, 60, 70] });
  });

  it("can be split in two that are the same together", async () => {
    await add(41, 43, 45, 47);
    const whole = await page("even", { numItems: 5 });
    expect(whole.ranks).toEqual([10, 20, 30, 40, 50]);
    expect(whole).toMatchObject({
      pageStatus: "SplitRecommended",
      splitCursor: expect.any(String),
    });
    const { splitCursor, continueCursor } = whole;
    const left = await page("even", { endCursor: splitCursor! });
    const right = await page("even", { cursor: splitCursor!, endCursor: continueCursor });
    expect([...left.ranks, ...right.ranks]).toEqual(whole.ranks);
    expect(left.ranks.length).toBeGreaterThan(0);
    expect(right.ranks.length).toBeGreaterThan(0);
  });

  it("stop at a number of rows, and go on from there; not where their end is given", async () => {
    const limited = await page("even", { numItems: 5, maximumRowsRead: 3 });
    expect(limited).toMatchObject({
      ranks: [10, 20, 30],
      pageStatus: "SplitRequired",
      isDone: false,
    });
    const rest = await page("even", { numItems: 5, cursor: limited.continueCursor });
    expect(rest).toMatchObject({ ranks: [40, 50], isDone: true });
    const given = await page("even", { endCursor: limited.continueCursor, maximumRowsRead: 1 });
    expect(given).toMatchObject({ ranks: [10, 20, 30], pageStatus: null });
    expect(await page("asc", { maximumRowsRead: 0 })).toMatchObject({ ranks: [10] });
  });

  it.each<Kind>(["asc", "desc", "search"])("of no documents begin anew: %s", async (kind) => {
    const none = await page(kind, { numItems: 0 });
    expect(none).toMatchObject({ ranks: [], isDone: false });
    const first = await page(kind, { cursor: none.continueCursor });
    expect(first.ranks).toEqual((await page(kind, {})).ranks);
    expect((await page(kind, { endCursor: none.continueCursor })).ranks).toEqual([]);
  });

  it.each([
    ["made up", "hello"],
    ["nothing", ""],
    ["not in the alphabet", "💥💥💥💥💥💥"],
    ["long", "A".repeat(100_000)],
  ])("refuse cursors that are %s", async (_, cursor) => {
    await expect(page("asc", { cursor })).rejects.toThrow("InvalidCursor");
    await expect(page("asc", { endCursor: cursor })).rejects.toThrow("InvalidCursor");
  });

  it("refuse cursors of other queries, and keys that cannot be", async () => {
    const { continueCursor } = await page("asc", {});
    for (const kind of ["desc", "even", "search", "other"] as const)
      await expect(page(kind, { cursor: continueCursor })).rejects.toThrow("InvalidCursor");
    const found = await page("search", {});
    const short = Buffer.from(found.continueCursor, "base64url")
      .subarray(0, -1)
      .toString("base64url");
    await expect(page("search", { cursor: short })).rejects.toThrow("InvalidCursor");
  });

  it("come one to a function", async () => {
    const twice = engine.query(async (ctx) => {
      await ctx.db.query("rows").paginate({ numItems: 1, cursor: null });
      await ctx.db.query("rows").paginate({ numItems: 1, cursor: null });
    });
    await expect(twice).rejects.toThrow("one paginated query at most");
  });
});

it("a live query's page stays where the first run ended it", async () => {
  const list = queryGeneric({
    args: { numItems: v.number() },
    handler: (ctx, { numItems }) =>
      ctx.db.query("rows").withIndex("by_rank").paginate({ numItems, cursor: null }),
  });
  const live = openEngine({ schema, functions: { list } });
  const addTo = (rank: number) => live.mutation((ctx) => ctx.db.insert("rows", { rank, text: "" }));
  for (const rank of [1, 2, 3]) await addTo(rank);
  const first = await live.watch("list", { numItems: 2 });
  await addTo(1.5);
  const again = await live.watch("list", { numItems: 2 }, first.journal);
  expect((JSON.parse(again.value) as { page: Row[] }).page.map(({ rank }) => rank)).toEqual([
    1, 1.5, 2,
  ]);
  expect(again.journal).toBe(first.journal);
  const anew = await live.watch("list", { numItems: 2 });
  expect((JSON.parse(anew.value) as { page: Row[] }).page.map(({ rank }) => rank)).toEqual([
    1, 1.5,
  ]);
});
