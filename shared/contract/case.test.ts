import { expect, it } from "vitest";
import { toCamelCase, toSnakeCase } from "./case.ts";

it("changes keys all the way down, never values, and back again", () => {
  const inside = { startSec: 1, list: [{ endSec: 2, text: "someThing_else" }], none: null };
  const outside = { start_sec: 1, list: [{ end_sec: 2, text: "someThing_else" }], none: null };
  expect(toSnakeCase(inside)).toEqual(outside);
  expect(toCamelCase(outside)).toEqual(inside);
});
