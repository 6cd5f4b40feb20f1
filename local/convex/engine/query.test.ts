// Ranges of an index and filters, beside a list of the same documents that is sorted and filtered.
import fc from "fast-check";
import { defineSchema, defineTable } from "convex/server";
import { type Value, compareValues, v } from "convex/values";
import { beforeAll, describe, expect, it } from "vitest";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

const schema = defineSchema({
  rows: defineTable({ group: v.optional(v.any()), rank: v.optional(v.any()), place: v.number() })
    .index("by_group_and_rank", ["group", "rank"])
    .index("by_nested", ["group.name"]),
});
const VALUES: readonly (Value | undefined)[] = [
  undefined,
  null,
  -1n,
  3n,
  -Infinity,
  0,
  1.5,
  false,
  true,
  "",
  "a",
  "a\0",
  "b",
  { name: "x" },
  [1],
];
const pairs = VALUES.flatMap((group) => VALUES.map((rank) => ({ group, rank })));

let engine: OpenEngine;
beforeAll(async () => {
  engine = openEngine({ schema });
  await engine.mutation(async (ctx) => {
    for (const [place, pair] of pairs.entries()) await ctx.db.insert("rows", { ...pair, place });
  });
});

type Bound = ["gt" | "gte" | "lt" | "lte" | "eq", "group" | "rank", Value | undefined];
const withBounds = (bounds: readonly Bound[], order: "asc" | "desc" = "asc", take?: number) =>
  engine.query<number[]>(async (ctx) => {
    const query = ctx.db
      .query("rows")
      .withIndex("by_group_and_rank", (q: Record<string, (f: string, v: unknown) => never>) =>
        bounds.reduce((range, [op, field, value]) => range[op]!(field, value), q),
      )
      .order(order);
    const found = (await (take === undefined ? query.collect() : query.take(take))) as {
      place: number;
    }[];
    return found.map(({ place }) => place);
  });

const TESTS: Record<Bound[0], (order: number) => boolean> = {
  eq: (order) => order === 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};
/** The places that a list of documents, sorted and filtered, would give. */
const expected = (bounds: readonly Bound[], order: "asc" | "desc"): number[] => {
  const places = pairs
    .map((pair, place) => ({ pair, place }))
    .filter(({ pair }) =>
      bounds.every(([op, field, value]) => TESTS[op](compareValues(pair[field], value))),
    )
    .toSorted(
      (a, b) =>
        compareValues(a.pair.group, b.pair.group) ||
        compareValues(a.pair.rank, b.pair.rank) ||
        a.place - b.place,
    )
    .map(({ place }) => place);
  return order === "asc" ? places : places.toReversed();
};

describe("an index", () => {
  it("is read in order, between any bounds, either way", async () => {
    const operand = fc.constantFrom(...VALUES);
    const lower = fc.constantFrom("gt" as const, "gte" as const);
    const upper = fc.constantFrom("lt" as const, "lte" as const);
    const bounds = fc
      .tuple(
        fc.option(operand, { nil: "none" as const }),
        fc.option(fc.tuple(lower, operand), { nil: null }),
        fc.option(fc.tuple(upper, operand), { nil: null }),
      )
      .map(([eq, low, high]): Bound[] => {
        const field = eq === "none" ? "group" : "rank";
        return [
          ...(eq === "none" ? [] : ([["eq", "group", eq]] as Bound[])),
          ...(low ? [[low[0], field, low[1]] as Bound] : []),
          ...(high ? [[high[0], field, high[1]] as Bound] : []),
        ];
      });
    await fc.assert(
      fc.asyncProperty(
        bounds,
        fc.constantFrom("asc" as const, "desc" as const),
        async (b, order) => {
          expect(await withBounds(b, order)).toEqual(expected(b, order));
          expect(await withBounds(b, order, 3)).toEqual(expected(b, order).slice(0, 3));
        },
      ),
      { numRuns: 40 },
    );
  });

  const wrong: [string, Bound[], string][] = [
    ["a field that is not the next", [["eq", "rank", 1]], 'expected the field "group", got "rank"'],
    [
      "a bound after a bound of another field",
      [
        ["gt", "group", 1],
        ["lt", "rank", 1],
      ],
      'expected the field "group"',
    ],
    [
      "two lower bounds",
      [
        ["gt", "group", 1],
        ["gte", "group", 2],
      ],
      "one lower and one upper bound",
    ],
    [
      "equal after a bound",
      [
        ["gt", "group", 1],
        ["eq", "group", 2],
      ],
      "one lower and one upper bound",
    ],
  ];
  it.each(wrong)("refuses %s", async (_, bounds, message) => {
    await expect(withBounds(bounds)).rejects.toThrow(message);
  });

  it("is over fields of fields, missing where there is none", async () => {
    const names = await engine.query<Value[]>(async (ctx) => {
      const eq = (value: Value | undefined) =>
        ctx.db
          .query("rows")
          .withIndex("by_nested", (q: { eq(field: string, value: unknown): unknown }) =>
            q.eq("group.name", value),
          )
          .collect();
      return [(await eq("x")).length, (await eq(undefined)).length];
    });
    expect(names).toEqual([VALUES.length, (VALUES.length - 1) * VALUES.length]);
  });
});

type Q = Record<string, (...operands: unknown[]) => unknown>;
const FILTERS: [string, (q: Q) => unknown, (pair: (typeof pairs)[number]) => boolean][] = [
  ["eq", (q) => q["eq"]!(q["field"]!("group"), "a"), ({ group }) => group === "a"],
  [
    "neq of what is missing",
    (q) => q["neq"]!(q["field"]!("group"), undefined),
    ({ group }) => group !== undefined,
  ],
  [
    "lt between types",
    (q) => q["lt"]!(q["field"]!("group"), false),
    ({ group }) => compareValues(group, false) < 0,
  ],
  [
    "and, or, not",
    (q) =>
      q["and"]!(
        q["not"]!(q["eq"]!(q["field"]!("group"), null)),
        q["or"]!(q["eq"]!(q["field"]!("rank"), 0), q["eq"]!(q["field"]!("rank"), "b")),
      ),
    ({ group, rank }) => group !== null && (rank === 0 || rank === "b"),
  ],
  [
    "sums",
    (q) => q["eq"]!(q["add"]!(q["field"]!("place"), q["neg"]!(1)), 4),
    (pair) => pairs.indexOf(pair) === 5,
  ],
  ["64 bits", (q) => q["eq"]!(q["neg"]!(1n), q["sub"]!(2n, 3n)), () => true],
  [
    "the rest of a division",
    (q) => q["eq"]!(q["mod"]!(q["field"]!("place"), 7), 0),
    (pair) => pairs.indexOf(pair) % 7 === 0,
  ],
  [
    "a field of a field",
    (q) => q["eq"]!(q["field"]!("group.name"), "x"),
    ({ group }) => compareValues(group, { name: "x" }) === 0,
  ],
];

describe("a filter", () => {
  it.each(FILTERS)("leaves what it says: %s", async (_, filter, keeps) => {
    const found = await engine.query<{ place: number }[]>((ctx) =>
      ctx.db.query("rows").filter(filter).collect(),
    );
    expect(found.map(({ place }) => place)).toEqual(
      pairs.flatMap((pair, place) => (keeps(pair) ? [place] : [])),
    );
  });

  it.each<[string, (q: Q) => unknown]>([
    ["numbers of two kinds", (q) => q["eq"]!(q["add"]!(1, 1n), 2)],
    ["what is not boolean", (q) => q["not"]!(q["field"]!("place"))],
  ])("refuses %s", async (_, filter) => {
    const run = engine.query((ctx) => ctx.db.query("rows").filter(filter).first());
    await expect(run).rejects.toThrow(/in a filter|boolean expressions/);
  });
});

it("a limit counts what passes the filter", async () => {
  const found = await engine.query<{ place: number }[]>((ctx) =>
    ctx.db
      .query("rows")
      .order("desc")
      .filter((q: Q) => q["eq"]!(q["mod"]!(q["field"]!("place"), 50), 0))
      .take(2),
  );
  expect(found.map(({ place }) => place)).toEqual([200, 150]);
});

it("of an index that is not declared, or a table's that is not, says so", async () => {
  for (const table of ["rows", "none"]) {
    await expect(
      engine.query((ctx) => ctx.db.query(table).withIndex("by_nothing").first()),
    ).rejects.toThrow(`Cannot use index "by_nothing" for table "${table}"`);
  }
});
