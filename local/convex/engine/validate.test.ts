// Values that fit a validator, and what is said of those that do not.
import { type Value, v } from "convex/values";
import type { GenericValidator } from "convex/values";
import { describe, expect, it } from "vitest";
import { type ValidatorJson, validate } from "./validate.ts";

const jsonOf = (validator: GenericValidator): ValidatorJson =>
  (validator as unknown as { json: ValidatorJson }).json;
const isIdOf = (table: string, id: string): boolean => id === `${table}-1`;
const check = (validator: GenericValidator, value: Value) => (): void =>
  validate(jsonOf(validator), value, isIdOf);

/** As JSON text brings it: an own field, whatever its name. */
const parsed = (json: string): Value => JSON.parse(json) as Value;

const GOOD: [string, GenericValidator, Value][] = [
  ["anything", v.any(), { a: [1n] }],
  ["null", v.null(), null],
  ["a number that is none", v.number(), NaN],
  ["64 bits", v.int64(), 1n],
  ["bytes", v.bytes(), new ArrayBuffer(1)],
  ["a literal", v.literal("a"), "a"],
  ["a literal of 64 bits", v.literal(5n), 5n],
  ["an id", v.id("rows"), "rows-1"],
  ["an empty list", v.array(v.string()), []],
  ["a record", v.record(v.string(), v.number()), { a: 1, b: 2 }],
  [
    "a record's keys of a union",
    v.record(v.union(v.literal("a"), v.id("rows")), v.null()),
    { "rows-1": null },
  ],
  ["an optional field that is missing", v.object({ a: v.optional(v.string()) }), {}],
  ["an optional field", v.object({ a: v.optional(v.string()) }), { a: "x" }],
  [
    "a member of a union",
    v.union(v.object({ kind: v.literal("a") }), v.object({ kind: v.literal("b"), n: v.number() })),
    { kind: "b", n: 1 },
  ],
  [
    "a field named as all objects have one",
    v.object({ constructor: v.string() }),
    parsed('{"constructor":"x"}'),
  ],
];

const BAD: [string, GenericValidator, Value, string][] = [
  ["null", v.null(), false, "Expected null, got false"],
  ["a number for 64 bits", v.int64(), 1, "Expected bigint, got 1"],
  ["64 bits for a number", v.number(), 1n, "Expected number"],
  ["a list for an object", v.object({}), [], "Expected object, got []"],
  ["bytes for an object", v.object({}), new ArrayBuffer(1), "Expected object"],
  ["null for an object", v.object({}), null, "Expected object, got null"],
  ["another literal", v.literal("a"), "b", 'Expected literal "a", got "b"'],
  [
    "an id of another table",
    v.id("rows"),
    "others-1",
    'Expected ID of table "rows", got "others-1"',
  ],
  ["a missing field", v.object({ a: v.string() }), {}, "Missing required field `a`"],
  ["a field too many", v.object({}), { b: 1 }, "Unexpected field `b`"],
  [
    "deep inside",
    v.object({ a: v.array(v.object({ b: v.number() })) }),
    { a: [{ b: 1 }, { b: "x" }] },
    'at .a[1].b, got "x"',
  ],
  ["a record's value", v.record(v.string(), v.number()), { a: "x" }, "at .a, got"],
  ["a record's key", v.record(v.id("rows"), v.number()), { a: 1 }, ".a (its name)"],
  ["no member of a union", v.union(v.string(), v.null()), 1, "Expected string or null, got 1"],
  ["the one member of a union", v.union(v.object({ a: v.string() })), { a: 1 }, "at .a"],
  [
    "a field of every object's",
    v.object({ a: v.optional(v.any()) }),
    parsed('{"constructor":1}'),
    "Unexpected field `constructor`",
  ],
  [
    "a required field of every object's",
    v.object({ toString: v.any() }),
    {},
    "Missing required field `toString`",
  ],
  ["a prototype", v.object({}), parsed('{"__proto__":{"a":1}}'), "Unexpected field `__proto__`"],
];

describe("validate", () => {
  it.each(GOOD)("lets pass: %s", (_, validator, value) => {
    expect(check(validator, value)).not.toThrow();
  });

  it.each(BAD)("refuses: %s", (_, validator, value, message) => {
    expect(check(validator, value)).toThrow(message);
  });

  it("shows no more than a glance of what is wrong", () => {
    expect(check(v.null(), "x".repeat(10_000))).toThrow(
      /^Validator error: Expected null, got "x{199}…\.$/,
    );
  });
});
