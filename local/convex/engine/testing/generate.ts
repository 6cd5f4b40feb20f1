// Random programs: few names and values, so that documents meet in indexes and are changed and deleted
// in the middle of things, and now and then something that must be refused.
import fc from "fast-check";
import { type Value, convexToJson } from "convex/values";
import { INDEXES } from "./schema.ts";
import {
  BOUNDS,
  type Call,
  type Fields,
  type Filter,
  type Move,
  type Operand,
  type Program,
  type QuerySpec,
  type Ref,
  type Step,
  type TypedArgs,
  type Walk,
} from "./program.ts";

/** One in `of`; otherwise null. */
const rarely = <T>(of: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: of - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const bytes = (...list: number[]): ArrayBuffer => Uint8Array.from(list).buffer;

/** One of each kind first; then what sorts next to something else. */
const VALUES: readonly Value[] = [
  null,
  0n,
  0,
  false,
  "",
  bytes(),
  [],
  {},
  1n,
  -1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -0,
  1,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
  2 ** 53,
  true,
  "a",
  "ab",
  "b",
  "a\0",
  "a\0b",
  "\u007F",
  "é",
  "\uFFFF",
  "\u{1F600}",
  bytes(0),
  bytes(0, 0),
  bytes(0, 255),
  bytes(255),
  [null],
  [0],
  [0, ""],
  [[]],
  ["a"],
  ["a\0"],
  [{}],
  { a: null },
  { a: 1 },
  { a: 1, b: null },
  { a: { b: [bytes(1), -0] } },
  { b: 1n },
];
const anyValue: fc.Arbitrary<Value> = fc.constantFrom(...VALUES);
/** Without int64 and bytes, see `DIFFERENCES`. */
const errorData = fc.constantFrom(
  ...VALUES.filter((one) => !/\$(?:integer|bytes)/.test(JSON.stringify(convexToJson(one)))),
);
const name = fc.constantFrom("ada", "bob", "many 1", "é");
const size = fc.integer({ min: -2, max: 4 });
const TABLES = Object.keys(INDEXES);
const table = fc.oneof(
  { weight: 6, arbitrary: fc.constant("items") },
  { weight: 4, arbitrary: fc.constantFrom(...TABLES) },
);

const refTo = (of: fc.Arbitrary<string>): fc.Arbitrary<Ref> =>
  fc.record({ table: of, at: fc.nat(30) });
const value = (one: fc.Arbitrary<Value>): fc.Arbitrary<Operand> =>
  one.map((given) => ({ kind: "value", value: given }));
const missing = fc.constant<Operand>({ kind: "missing" });
const idIn = (of: fc.Arbitrary<string>): fc.Arbitrary<Operand> =>
  refTo(of).map((ref) => ({ kind: "id", ref }));
const person = fc.oneof(
  { weight: 8, arbitrary: idIn(fc.constant("people")) },
  { weight: 1, arbitrary: idIn(fc.constant("items")) },
  { weight: 1, arbitrary: missing },
);
const anyOperand = fc.oneof(
  { weight: 9, arbitrary: value(anyValue) },
  { weight: 1, arbitrary: missing },
);

/** What a field may be compared with, so that there is something to find. */
const operandFor = (field: string, tableName: string): fc.Arbitrary<Operand> => {
  switch (field) {
    case "name":
      return value(name);
    case "size":
      return value(size);
    case "kind":
      return value(fc.constantFrom<Value>("circle", "text", 7));
    case "radius":
      return fc.oneof(value(size), missing);
    case "person":
      return person;
    case "_creationTime":
      return refTo(fc.constant(tableName)).map((ref) => ({ kind: "createdAt", ref }));
    case "_id":
      return idIn(fc.constant(tableName));
    default:
      return anyOperand;
  }
};

const optional = (arbitrary: fc.Arbitrary<Operand>): fc.Arbitrary<Operand> =>
  fc.oneof({ weight: 2, arbitrary }, { weight: 1, arbitrary: missing });
const nested = fc.record(
  { inner: anyValue, other: size },
  { requiredKeys: [] },
) as fc.Arbitrary<Value>;

/** Whole documents of a table, most of them good. */
const DOCUMENTS: Record<string, fc.Arbitrary<Fields>> = {
  items: fc.record({
    name: value(name),
    size: value(size),
    rank: optional(value(anyValue)),
    mixed: optional(value(anyValue)),
    nested: optional(value(nested)),
    person: fc.oneof({ weight: 1, arbitrary: person }, { weight: 3, arbitrary: missing }),
  }),
  people: fc.record({ name: value(name) }),
  shapes: fc.oneof(
    fc.record({ kind: value(fc.constant("circle")), radius: value(size) }),
    fc.record({
      kind: value(fc.constant("text")),
      lines: value(fc.array(name, { maxLength: 2 })),
      at: optional(value(fc.constant(5n))),
    }),
    fc.record({ kind: value(fc.constant(7)), data: value(fc.constant(bytes(1, 2))) }),
  ),
  loose: fc.record({ name: optional(value(anyValue)), rank: optional(value(anyValue)) }),
  undeclared: fc.record({ name: value(name) }),
};

const FIELDS = ["name", "size", "rank", "mixed", "nested", "person", "kind", "radius", "unheard"];
/** A few fields, whatever the table has. */
const someFields: fc.Arbitrary<Fields> = fc.dictionary(fc.constantFrom(...FIELDS), anyOperand, {
  maxKeys: 2,
  noNullPrototype: true,
});
const documentOf = (tableName: string): fc.Arbitrary<Fields> =>
  fc.oneof(
    { weight: 9, arbitrary: DOCUMENTS[tableName]! },
    {
      weight: 1,
      arbitrary: fc
        .tuple(DOCUMENTS[tableName]!, someFields)
        .map(([good, more]) => ({ ...good, ...more })),
    },
  );
const without = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, { kind }]) => kind !== "missing"));
/**
 * Some of the fields of a good document, so that most patches fit. None removes a field that its table's
 * validator does not have: see `DIFFERENCES`.
 */
const patchOf = (tableName: string): fc.Arbitrary<Fields> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: DOCUMENTS[tableName]!.chain((fields) =>
        fc
          .subarray(Object.keys(tableName === "shapes" ? without(fields) : fields))
          .map((names) => Object.fromEntries(names.map((one) => [one, fields[one]!]))),
      ),
    },
    { weight: 1, arbitrary: someFields.map(without) },
  );

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

const querySpec: fc.Arbitrary<QuerySpec> = table.chain((tableName) => {
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

const end = fc.oneof(
  fc.constantFrom("collect" as const, "first" as const, "unique" as const),
  fc.nat(3),
);

const GOOD_ARGS: Record<string, Value> = {
  name: "ada",
  count: 3n,
  tags: ["x", null],
  extra: { flag: true },
  mode: "fast",
};
const typed: fc.Arbitrary<TypedArgs> = fc
  .record({
    changed: fc.oneof(
      fc.constantFrom<Record<string, Value>>(
        {},
        { extra: { flag: false, data: bytes(1) } },
        { mode: 7 },
        { tags: [] },
      ),
      fc.dictionary(fc.constantFrom(...Object.keys(GOOD_ARGS), "unheard"), anyValue, {
        maxKeys: 1,
        noNullPrototype: true,
      }),
    ),
    left: rarely(8, fc.constantFrom(...Object.keys(GOOD_ARGS))),
    give: fc.oneof(
      fc.constantFrom<Value>({ text: "a" }, { text: "a", at: 1n }, { text: "", at: null }),
      fc.oneof(anyValue, fc.constantFrom<Value>({ text: "a", more: 1 }, { text: "a", at: 1 })),
    ),
  })
  .map(({ changed, left, give }) => {
    const args = { ...GOOD_ARGS, ...changed };
    if (left !== null) delete args[left];
    return { args, give, writes: isGood(give) };
  });

const isGood = (give: Value): boolean => {
  if (typeof give !== "object" || give === null || !("text" in give)) return false;
  const { text, at = null, ...more } = give as Record<string, Value>;
  const isAtGood = at === null || typeof at === "bigint";
  return typeof text === "string" && isAtGood && Object.keys(more).length === 0;
};

/** Which table a call names: the right one, none, or now and then another. */
const saying = <T extends { ref: Ref }>(one: fc.Arbitrary<T>): fc.Arbitrary<T & { says: string }> =>
  fc
    .tuple(one, rarely(12, fc.constantFrom(...TABLES)))
    .map(([step, other]) => ({ ...step, says: other === null ? step.ref.table : other }));

/** Most of the time, so that programs come to something. */
const isCaught = fc.oneof(
  { weight: 1, arbitrary: fc.constant(false) },
  { weight: 3, arbitrary: fc.constant(true) },
);
const tallyKey = fc.constantFrom("x", "y");

const { reads, steps } = fc.letrec<{ read: Step; step: Step; reads: Step[]; steps: Step[] }>(
  (tie) => {
    const calls = (how: fc.Arbitrary<Call["how"]>): fc.Arbitrary<Call> =>
      how.chain((one) =>
        fc.record({
          how: fc.constant(one),
          steps: one === "mutation" ? tie("steps") : tie("reads"),
        }),
      );
    const readOnly = calls(fc.constant("query" as const));
    const anyCall = calls(
      fc.constantFrom<Call["how"]>("mutation", "mutation", "mutation", "query", "staleQuery"),
    );
    const step = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Step> =>
      fc
        .tuple(arbitrary, isCaught)
        .map(([action, caught]) => ({ ...action, isCaught: caught }) as unknown as Step);
    const looks: fc.WeightedArbitrary<Step>[] = [
      {
        weight: 9,
        arbitrary: step(fc.record({ kind: fc.constant("query"), query: querySpec, end })),
      },
      {
        weight: 2,
        arbitrary: step(saying(fc.record({ kind: fc.constant("get"), ref: refTo(table) }))),
      },
      {
        weight: 1,
        arbitrary: step(
          fc.record({
            kind: fc.constant("normalizeId"),
            table: fc.constantFrom(...TABLES.filter((one) => one !== "undeclared")),
            ref: refTo(table),
          }),
        ),
      },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("count"), table })) },
      {
        weight: 1,
        arbitrary: step(
          fc.record({
            kind: fc.constant("page"),
            query: querySpec,
            numItems: fc.integer({ min: 1, max: 4 }),
          }),
        ),
      },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("whoAmI") })) },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("tallied"), key: tallyKey })) },
      {
        weight: 1,
        arbitrary: step(fc.record({ kind: fc.constant("throw"), data: rarely(2, errorData) })),
      },
    ];
    const inTable = <T>(of: (tableName: string) => fc.Arbitrary<T>): fc.Arbitrary<T> =>
      table.chain(of);
    const inserts = step(
      inTable((one) =>
        fc.record({
          kind: fc.constant("insert"),
          table: fc.constant(one),
          fields: documentOf(one),
        }),
      ),
    );
    const changes = (kind: "patch" | "replace"): fc.Arbitrary<Step> =>
      step(
        inTable((one) =>
          saying(
            fc.record({
              kind: fc.constant(kind),
              ref: refTo(fc.constant(one)),
              fields: kind === "patch" ? patchOf(one) : documentOf(one),
            }),
          ),
        ),
      );
    const writes: fc.WeightedArbitrary<Step>[] = [
      { weight: 12, arbitrary: inserts },
      { weight: 6, arbitrary: changes("patch") },
      { weight: 3, arbitrary: changes("replace") },
      {
        weight: 4,
        arbitrary: step(saying(fc.record({ kind: fc.constant("delete"), ref: refTo(table) }))),
      },
      {
        weight: 1,
        arbitrary: step(
          fc.record({
            kind: fc.constant("insertMany"),
            count: fc.constantFrom(5, 20, 70),
            ranks: fc.array(anyValue, { minLength: 1, maxLength: 4 }),
          }),
        ),
      },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("typed"), typed })) },
      {
        weight: 2,
        arbitrary: step(
          fc.record({
            kind: fc.constant("tally"),
            name: fc.constantFrom("add", "addSafely", "addBoth", "later"),
            key: tallyKey,
            by: fc.integer({ min: -2, max: 3 }),
          }),
        ),
      },
      {
        weight: 2,
        arbitrary: step(
          fc.record({
            kind: fc.constant("schedule"),
            afterMs: fc.constantFrom(0, 5, 40, 1000),
            steps: tie("steps"),
          }),
        ),
      },
      {
        weight: 1,
        arbitrary: step(fc.record({ kind: fc.constant("cancel"), at: fc.nat(5) })),
      },
    ];
    const nesting: fc.WeightedArbitrary<Step>[] = [
      { weight: 5, arbitrary: step(fc.record({ kind: fc.constant("call"), call: anyCall })) },
      {
        weight: 3,
        arbitrary: step(
          fc.record({
            kind: fc.constant("together"),
            calls: fc.array(anyCall, { minLength: 1, maxLength: 3 }),
          }),
        ),
      },
      {
        weight: 1,
        arbitrary: step(
          fc.record({ kind: fc.constant("callBack"), steps: tie("steps"), fails: fc.boolean() }),
        ),
      },
    ];
    return {
      read: fc.oneof({ maxDepth: 3 }, ...looks, {
        weight: 1,
        arbitrary: step(fc.record({ kind: fc.constant("call"), call: readOnly })),
      }),
      step: fc.oneof({ maxDepth: 3 }, ...writes, ...looks, ...nesting),
      reads: fc.array(tie("read"), { maxLength: 3 }),
      steps: fc.array(tie("step"), { maxLength: 6 }),
    };
  },
);

const as = rarely(2, fc.constantFrom("ada", "bob"));
const walk: fc.Arbitrary<Walk> = fc.record({
  query: querySpec,
  numItems: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
  maximumRowsRead: rarely(4, fc.integer({ min: 1, max: 6 })),
  between: fc.array(steps, { maxLength: 2 }),
});

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("mutation" as const), steps, as }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("query" as const), steps: reads, as }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("action" as const),
      calls: fc.array(
        fc.record({
          call: fc.oneof(
            fc.record({ how: fc.constant("mutation" as const), steps }),
            fc.record({ how: fc.constant("query" as const), steps: reads }),
          ),
          isCaught,
        }),
        { minLength: 1, maxLength: 3 },
      ),
      together: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("typed" as const), typed }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("walk" as const), walk }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(0, 1, 10, 50, 2000),
    }),
  },
);

export const program: fc.Arbitrary<Program> = fc.array(move, { minLength: 1, maxLength: 10 });
