// Random queries: ranges as an index must be asked, ranges as it must not, and filters.
import fc from "fast-check";
import { name, operandFor, rarely, size, table } from "./generateValues.ts";
import { BOUNDS, type Filter, type QuerySpec } from "./program.ts";
import { INDEXES } from "./schema.ts";

const fieldIn = (tableName: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    ...new Set(["name", "_creationTime", ...Object.values(INDEXES[tableName] ?? {}).flat()]),
  );

const filterIn = (tableName: string): fc.Arbitrary<Filter> =>
  fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      fieldIn(tableName).chain((field) =>
        fc.record({
          kind: fc.constantFrom("eq" as const, "neq" as const),
          field: fc.constant(field),
          operand: operandFor(field, tableName),
        }),
      ),
      ...(tableName === "items"
        ? [
            fc.record({
              kind: fc.constant("order" as const),
              op: fc.constantFrom("gt" as const, "gte" as const, "lt" as const, "lte" as const),
              field: fc.constant("size" as const),
              value: size,
            }),
            fc.record({
              kind: fc.constant("order" as const),
              op: fc.constantFrom("gt" as const, "gte" as const, "lt" as const, "lte" as const),
              field: fc.constant("name" as const),
              value: name,
            }),
            fc.record({
              kind: fc.constant("remainder" as const),
              divisor: fc.constantFrom(2, 3),
              of: fc.integer({ min: -1, max: 1 }),
            }),
          ]
        : []),
      fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        filters: fc.array(tie("filter"), { maxLength: 2 }),
      }),
      fc.record({ kind: fc.constant("not" as const), filter: tie("filter") }),
    ),
  })).filter;

type RangePart = QuerySpec["range"][number];

/** Fields that are equal, then one with bounds, as an index must be asked. */
const rangeOver = (fields: readonly string[], tableName: string): fc.Arbitrary<RangePart[]> =>
  fc
    .record({
      // The order of ids is each runtime's own.
      equal: fc.integer({ min: fields[0] === "person" ? 1 : 0, max: fields.length }),
      lower: rarely(2, fc.constantFrom("gt" as const, "gte" as const)),
      upper: rarely(2, fc.constantFrom("lt" as const, "lte" as const)),
      isTurned: fc.boolean(),
    })
    .chain(({ equal, lower, upper, isTurned }) => {
      const part = (op: RangePart["op"], field: string): fc.Arbitrary<RangePart> =>
        operandFor(field, tableName).map((operand) => ({ op, field, operand }));
      const next = fields[equal];
      const bounds =
        next === undefined
          ? []
          : [lower, upper].flatMap((op) => (op === null ? [] : [part(op, next)]));
      return fc.tuple(
        ...fields.slice(0, equal).map((field) => part("eq", field)),
        ...(isTurned ? bounds.toReversed() : bounds),
      );
    });

const wrongRange = (tableName: string): fc.Arbitrary<RangePart[]> =>
  fc.array(
    fc.record({
      op: fc.constantFrom(...BOUNDS),
      field: fc.constantFrom("name", "rank", "size", "unheard", "_creationTime"),
      operand: operandFor("rank", tableName),
    }),
    { minLength: 1, maxLength: 3 },
  );

export const querySpec: fc.Arbitrary<QuerySpec> = table.chain((tableName) => {
  const declared = INDEXES[tableName] ?? {};
  const order = fc.constantFrom(null, "asc" as const, "desc" as const);
  const filter = rarely(3, filterIn(tableName));
  const spec = (index: string | null, range: fc.Arbitrary<RangePart[]>): fc.Arbitrary<QuerySpec> =>
    fc.record({
      table: fc.constant(tableName),
      index: fc.constant(index),
      range,
      order,
      filter,
    });
  const indexed = Object.entries(declared).map(([index, fields]) =>
    spec(index, rangeOver([...fields, "_creationTime"], tableName)),
  );
  return fc.oneof(
    { weight: 2, arbitrary: spec(null, fc.constant([])) },
    ...indexed.map((arbitrary) => ({ weight: 4, arbitrary })),
    {
      weight: 1,
      arbitrary: spec("by_creation_time", rangeOver(["_creationTime"], tableName)),
    },
    // One document, for the same reason.
    {
      weight: 1,
      arbitrary: spec(
        "by_id",
        operandFor("_id", tableName).map((operand) => [{ op: "eq", field: "_id", operand }]),
      ),
    },
    {
      weight: 1,
      arbitrary: spec(Object.keys(declared)[0] ?? "none", wrongRange(tableName)),
    },
  );
});

export const end = fc.oneof(
  fc.constantFrom("collect" as const, "first" as const, "unique" as const),
  fc.nat(3),
);
