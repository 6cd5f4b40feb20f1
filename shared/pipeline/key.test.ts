import { expect, it } from "vitest";
import { stageKey } from "./key.ts";

it("gives equal inputs one key, whatever the order of their fields", () => {
  expect(stageKey("media", 1, { a: 1, b: { c: 2, d: undefined } })).toBe(
    stageKey("media", 1, { b: { c: 2 }, a: 1 }),
  );
});

it.each([
  ["another stage", ["chat", 1, { a: 1 }]],
  ["another version of the code", ["media", 2, { a: 1 }]],
  ["another input", ["media", 1, { a: 2 }]],
  ["another order of a list", ["media", 1, { a: [2, 1] }]],
] as const)("gives %s another key", (_name, [stage, version, inputs]) => {
  expect(stageKey(stage, version, inputs)).not.toBe(stageKey("media", 1, { a: 1 }));
  expect(stageKey(stage, version, inputs)).not.toBe(stageKey("media", 1, { a: [1, 2] }));
});
