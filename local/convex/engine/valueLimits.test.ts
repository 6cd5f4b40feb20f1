// How much a value may be, to the last that fits and the first that does not.
import type { Value } from "convex/values";
import { describe, expect, it } from "vitest";
import { checkCallValue, checkDocumentValue } from "./valueLimits.ts";

const nested = (levels: number): Value =>
  Array.from({ length: levels }).reduce<Value>((inner) => ({ inner }), 1);
const fields = (count: number): Value =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, null]));

const CASES: [string, Value, Value, string][] = [
  ["levels", nested(64), nested(65), "too deeply nested"],
  [
    "lists in lists",
    { a: [[]] },
    Array.from({ length: 65 }).reduce<Value>((inner) => [inner], []),
    "too deeply nested",
  ],
  ["fields", fields(1024), fields(1025), "Object has too many fields (1025 > maximum number 1024)"],
  [
    "elements",
    Array<Value>(8192).fill(0),
    Array<Value>(8193).fill(0),
    "Array length is too long (8193 > maximum length 8192)",
  ],
];

describe("of a call's values", () => {
  it.each(CASES)("%s are counted", (_, most, tooMany, message) => {
    expect(() => checkCallValue("Arguments for m:f are", most)).not.toThrow();
    expect(() => checkCallValue("Arguments for m:f are", tooMany)).toThrow(message);
    expect(() => checkCallValue("Arguments for m:f are", { a: [tooMany] })).toThrow(message);
  });

  it("the size is told in MiB", () => {
    const bytes = (count: number): Value => new ArrayBuffer(count);
    expect(() => checkCallValue("Arguments for m:f are", bytes(16 * 2 ** 20 - 2))).not.toThrow();
    expect(() => checkCallValue("Arguments for m:f are", bytes(17 * 2 ** 20))).toThrow(
      "Arguments for m:f are too large (17 MiB, limit: 16 MiB)",
    );
  });
});

describe("of a document", () => {
  const document = (fields_: Record<string, Value>) => ({ _id: "x", _creationTime: 1, ...fields_ });

  it("the size is what Convex counts, a mebibyte at most", () => {
    const empty = checkDocumentValue(document({ a: "" }));
    const room = 2 ** 20 - empty;
    expect(checkDocumentValue(document({ a: "x".repeat(room) }))).toBe(2 ** 20);
    expect(() => checkDocumentValue(document({ a: "x".repeat(room + 1) }))).toThrow(
      "Value is too large (1 MiB > maximum size 1 MiB)",
    );
    expect(() => checkDocumentValue(document({ a: "é".repeat(room) }))).toThrow("too large");
  });

  it("names that begin with _ are Convex's own", () => {
    expect(() => checkDocumentValue(document({ _a: 1 }))).toThrow("Field name _a starts with '_'");
    expect(() => checkDocumentValue(document({ a: { _b: 1 } }))).not.toThrow();
  });
});
