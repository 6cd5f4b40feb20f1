// Whether a commit concerns a query: never told of too little, and not of everything.
import fc from "fast-check";
import { defineSchema, defineTable, queryGeneric } from "convex/server";
import { type Value, v } from "convex/values";
import { describe, expect, it } from "vitest";
import { affects, readSetOf } from "./readSet.ts";
import type { Range, Writes } from "./store.ts";
import { openEngine } from "./testing/openEngine.ts";

const range = (index: number, from: number, to?: number): Range => ({
  index,
  from: Buffer.from([from]),
  to: to === undefined ? undefined : Buffer.from([to]),
});
const writes = (index: number, ...keys: number[]): Writes =>
  new Map([[index, keys.map((key) => Buffer.from([key]))]]);

describe("affects", () => {
  it("is whether a key lies in what was read, of the same index", () => {
    const read = readSetOf([range(1, 10, 20), range(1, 15, 30), range(1, 40, 41), range(2, 5)]);
    const inside = [10, 19, 20, 29, 40];
    const outside = [9, 30, 39, 41, 255];
    expect(inside.map((key) => affects(writes(1, key), read))).toEqual(inside.map(() => true));
    expect(outside.map((key) => affects(writes(1, key), read))).toEqual(outside.map(() => false));
    expect(affects(writes(2, 4), read)).toBe(false);
    expect(affects(writes(2, 255), read)).toBe(true);
    expect(affects(writes(3, 10), read)).toBe(false);
    expect(affects(writes(1, ...outside, 12), read)).toBe(true);
  });

  it("is as it would be range by range", () => {
    const key = fc.integer({ min: 0, max: 20 });
    const one = fc
      .tuple(key, fc.option(key, { nil: undefined }))
      .map(([from, to]) => range(1, from, to));
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 6 }),
        fc.array(key, { maxLength: 3 }),
        (ranges, keys) => {
          const isIn = (k: number): boolean =>
            ranges.some(({ from, to }) => k >= from[0]! && (to === undefined || k < to[0]!));
          expect(affects(writes(1, ...keys), readSetOf(ranges))).toBe(keys.some(isIn));
        },
      ),
      { numRuns: 500 },
    );
  });
});

const schema = defineSchema({
  rows: defineTable({ group: v.string(), rank: v.number(), text: v.string() })
    .index("by_group_and_rank", ["group", "rank"])
    .searchIndex("search", { searchField: "text", filterFields: ["group"] }),
});
const args = { group: v.string(), rank: v.number(), cursor: v.union(v.string(), v.null()) };
/** Without the schema's types, an index has no fields to the compiler. */
interface RangeOf {
  eq(field: string, value: string): { gt(field: string, value: number): unknown };
}
const QUERIES = {
  get: queryGeneric({
    args: { ids: v.array(v.string()), at: v.number() },
    handler: (ctx, { ids, at }) => ctx.db.get((ids[at] ?? "") as never),
  }),
  first: queryGeneric({ args, handler: (ctx) => ctx.db.query("rows").order("desc").first() }),
  above: queryGeneric({
    args,
    handler: (ctx, { group, rank }) =>
      ctx.db
        .query("rows")
        .withIndex("by_group_and_rank", ((q: RangeOf) =>
          q.eq("group", group).gt("rank", rank)) as never)
        .take(2),
  }),
  filtered: queryGeneric({
    args,
    handler: (ctx, { rank }) =>
      ctx.db
        .query("rows")
        .withIndex("by_group_and_rank")
        .order("desc")
        .filter((q) => q.eq(q.field("rank"), rank))
        .first(),
  }),
  page: queryGeneric({
    args,
    handler: (ctx, { cursor }) =>
      ctx.db.query("rows").withIndex("by_group_and_rank").paginate({ numItems: 2, cursor }),
  }),
  found: queryGeneric({
    args,
    handler: (ctx, { group }) =>
      ctx.db
        .query("rows")
        .withSearchIndex("search", (q) => q.search("text", "word").eq("group", group))
        .take(2),
  }),
  count: queryGeneric({
    args,
    handler: (ctx) => (ctx.db.query("rows") as unknown as { count(): Promise<number> }).count(),
  }),
};

const group = fc.constantFrom("a", "b", "c");
const rank = fc.integer({ min: 0, max: 3 });
const fields = fc.record({ group, rank, text: fc.constantFrom("word", "word word", "other") });
const step = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), fields }),
  fc.record({ kind: fc.constant("patch" as const), at: fc.nat(6), fields }),
  fc.record({ kind: fc.constant("remove" as const), at: fc.nat(6) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
interface Live {
  args: Record<string, Value>;
  value: string;
  journal: string | null;
  reads: readonly Range[];
}

/** Runs live queries beside commits. @returns those whose answer changed by one that is none of theirs */
const changedUnasked = async (steps: readonly Step[], g: string, r: number): Promise<string[]> => {
  const engine = openEngine({ schema, functions: QUERIES });
  const commits: Writes[] = [];
  engine.engine.onCommit((commit) => commits.push(commit.writes));
  const ids: string[] = [];
  for (const [at, name] of ["a", "b", "c", "a"].entries()) {
    const row = { group: name, rank: at, text: "word" };
    ids.push(await engine.mutation<string>((ctx) => ctx.db.insert("rows", row)));
  }
  const live = new Map<string, Live>();
  const run = async (name: string, callArgs: Live["args"], journal: string | null) => {
    const answer = await engine.watch(name.split(" ")[0]!, callArgs, journal);
    live.set(name, { args: callArgs, ...answer });
  };
  const given = { group: g, rank: r, cursor: null };
  for (const name of Object.keys(QUERIES).filter((one) => one !== "get"))
    await run(name, given, null);
  const { continueCursor } = JSON.parse(live.get("page")!.value) as { continueCursor: string };
  await run("page 2", { ...given, cursor: continueCursor }, null);
  await run("get", { ids, at: 1 }, null);
  const changed: string[] = [];
  for (const one of steps) {
    commits.length = 0;
    const id = "at" in one ? ids[one.at % ids.length]! : "";
    await engine.mutation(async (ctx) => {
      if (one.kind === "insert") await ctx.db.insert("rows", one.fields);
      else if ((await ctx.db.get(id)) === null) return;
      else if (one.kind === "patch") await ctx.db.patch(id, one.fields);
      else await ctx.db.delete(id);
    });
    for (const [name, before] of live) {
      const isAffected = commits.some((writes_) => affects(writes_, readSetOf(before.reads)));
      await run(name, before.args, before.journal);
      if (!isAffected && live.get(name)!.value !== before.value) changed.push(name);
    }
  }
  engine.close();
  return changed;
};

it("a query's answer changes only by a commit that concerns it", async () => {
  const steps = fc.array(step, { minLength: 3, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(steps, group, rank, async (...program) => {
      expect(await changedUnasked(...program)).toEqual([]);
    }),
    { numRuns: 15 },
  );
});

it("what lies outside of what was read concerns nobody", async () => {
  const engine = openEngine({ schema, functions: QUERIES });
  const add = (fields_: object) => engine.mutation<string>((ctx) => ctx.db.insert("rows", fields_));
  const ids = [
    await add({ group: "a", rank: 1, text: "" }),
    await add({ group: "b", rank: 1, text: "" }),
  ];
  for (const at of [2, 3]) await add({ group: "a", rank: at, text: "" });
  let last!: Writes;
  engine.engine.onCommit((commit) => (last = commit.writes));
  const one = readSetOf((await engine.watch("get", { ids, at: 0 })).reads);
  const above = readSetOf(
    (await engine.watch("above", { group: "a", rank: 0, cursor: null })).reads,
  );
  const concerned = () => [affects(last, one), affects(last, above)];
  await engine.mutation((ctx) => ctx.db.patch(ids[1], { text: "x" }));
  expect(concerned()).toEqual([false, false]);
  await add({ group: "a", rank: 9, text: "" });
  expect(concerned()).toEqual([false, false]);
  await add({ group: "a", rank: 1.5, text: "" });
  expect(concerned()).toEqual([false, true]);
  await engine.mutation((ctx) => ctx.db.patch(ids[0], { text: "x" }));
  expect(concerned()).toEqual([true, true]);
});
