// What is an id, and of which table.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId, tableNumberOf } from "./ids.ts";

describe("ids", () => {
  it("say which table they are of", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (table) => {
        expect(tableNumberOf(newId(table))).toBe(table);
      }),
    );
  });

  it("are never the same", () => {
    const ids = Array.from({ length: 2000 }, () => newId(10_001));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("are refused with any letter changed, left out or added", () => {
    const id = newId(10_001);
    for (let at = 0; at < id.length; at++) {
      for (const letter of "0a7z") {
        if (letter === id[at]) continue;
        expect(tableNumberOf(id.slice(0, at) + letter + id.slice(at + 1))).toBeUndefined();
      }
      expect(tableNumberOf(id.slice(0, at) + id.slice(at + 1))).toBeUndefined();
    }
    expect(tableNumberOf(`${id}0`)).toBeUndefined();
  });

  it.each([
    ["none", ""],
    ["in capitals", newId(10_001).toUpperCase()],
    ["letters that are not in the alphabet", newId(10_001).replace(/./, "u")],
    ["too long", "0".repeat(10_000)],
    ["spaces around it", ` ${newId(10_001)}`],
    ["another script", "é".repeat(32)],
  ])("are refused: %s", (_, text) => {
    expect(tableNumberOf(text)).toBeUndefined();
  });
});
