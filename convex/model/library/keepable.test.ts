import { describe, expect, it } from "vitest";
import { unkeepable } from "./keepable.ts";

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

describe("a value for a field of a document", () => {
  it.each<[string, unknown, string | null]>([
    ["as deep as a document may be", deep(15), null],
    ["deeper", deep(16), "is nested deeper than 15"],
    ["deeper, of lists", [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]], "is nested deeper than 15"],
    ["bytes", { a: new ArrayBuffer(9) }, null],
    ["half a character", { a: ["\ud800"] }, "has text that is no Unicode"],
    ["a long list", Array<number>(8193).fill(1), "has a list of more than 8192"],
    ["a name of Convex's own", { a: { $ref: 1 } }, "has a field whose name cannot be kept"],
    [
      "a name of JavaScript's own",
      JSON.parse('{"__proto__":1}'),
      "has a field whose name cannot be kept",
    ],
    ["a name beyond ASCII", { Überblick: 1 }, "has a field whose name cannot be kept"],
    [
      "many fields",
      Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`f${n}`, n])),
      "has an object of more than 1024 fields",
    ],
  ])("%s", (_name, value, problem) => {
    expect(unkeepable(value)).toBe(problem);
  });
});
