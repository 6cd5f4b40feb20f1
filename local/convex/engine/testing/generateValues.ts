// Random values and documents: few names and values, so that documents meet in indexes, and now and
// then something that must be refused.
import fc from "fast-check";
import { type Value, convexToJson } from "convex/values";
import type { Fields, Operand, Ref } from "./program.ts";
import { INDEXES } from "./schema.ts";

/** One in `of`; otherwise null. */
export const rarely = <T>(of: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: of - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

export const bytes = (...list: number[]): ArrayBuffer => Uint8Array.from(list).buffer;

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
export const anyValue: fc.Arbitrary<Value> = fc.constantFrom(...VALUES);
/** Without int64 and bytes, see `DIFFERENCES`. */
export const errorData = fc.constantFrom(
  ...VALUES.filter((one) => !/\$(?:integer|bytes)/.test(JSON.stringify(convexToJson(one)))),
);
export const name = fc.constantFrom("ada", "bob", "many 1", "é");
export const size = fc.integer({ min: -2, max: 4 });
export const TABLES = Object.keys(INDEXES);
export const table = fc.oneof(
  { weight: 6, arbitrary: fc.constant("items") },
  { weight: 4, arbitrary: fc.constantFrom(...TABLES) },
);

export const refTo = (of: fc.Arbitrary<string>): fc.Arbitrary<Ref> =>
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
export const operandFor = (field: string, tableName: string): fc.Arbitrary<Operand> => {
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
export const documentOf = (tableName: string): fc.Arbitrary<Fields> =>
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
export const patchOf = (tableName: string): fc.Arbitrary<Fields> =>
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
