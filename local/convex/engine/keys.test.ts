// Keys beside Convex's own comparison of the values, for random ones.
import fc from "fast-check";
import { type Value, compareValues } from "convex/values";
import { describe, expect, it } from "vitest";
import { afterKey, afterPrefix, encodeKey } from "./keys.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom("\0", "\u0001", "a", "ÿ", "\uffff", "😀", "\u{10ffff}"),
    maxLength: 5,
  }),
);
const number = fc.oneof(
  fc.double(),
  fc.constantFrom(NaN, -NaN, 0, -0, Infinity, -Infinity, 5e-324, -5e-324, 1, -1),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    number,
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    text,
    fc.uint8Array({ maxLength: 5 }).map((bytes) => new Uint8Array(bytes).buffer),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "ab", "b", "Z", " "), tie("value"), { maxKeys: 3 }),
  ),
}));
const operand = fc.option(value, { nil: undefined, freq: 10 });

/** As lists of values compare, of one length. */
const compareLists = (a: readonly (Value | undefined)[], b: typeof a): number => {
  for (const [i, one] of a.entries()) {
    const order = compareValues(one, b[i]);
    if (order !== 0) return Math.sign(order);
  }
  return 0;
};

describe("keys", () => {
  it("sort as Convex sorts the values", () => {
    fc.assert(
      fc.property(operand, operand, (a, b) => {
        expect(Math.sign(Buffer.compare(encodeKey([a]), encodeKey([b])))).toBe(
          Math.sign(compareValues(a, b)),
        );
      }),
      { numRuns: 1500 },
    );
  });

  it("of several values sort as their lists", () => {
    const list = fc.tuple(operand, operand, operand);
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)))).toBe(compareLists(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it("of a value that stands before others are between it and what follows it", () => {
    fc.assert(
      fc.property(operand, operand, operand, (first, second, rest) => {
        const from = encodeKey([first]);
        const to = afterPrefix(from)!;
        const key = encodeKey([second, rest]);
        const isWithin = Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0;
        expect(isWithin).toBe(compareValues(first, second) === 0);
      }),
      { numRuns: 500 },
    );
  });

  it("have one next to them, and a first after all that begin with them", () => {
    const key = encodeKey(["a"]);
    expect(Buffer.compare(afterKey(key), key)).toBe(1);
    expect(afterPrefix(Buffer.from([1, 0xff, 0xff]))).toEqual(Buffer.from([2]));
    expect(afterPrefix(Buffer.from([0xff]))).toBeUndefined();
    expect(afterPrefix(Buffer.alloc(0))).toBeUndefined();
  });

  it("are only for values", () => {
    expect(() => encodeKey([(() => 1) as unknown as Value])).toThrow("no Convex value");
  });
});
