import { expect, it } from "vitest";
import { UsageError } from "./command.ts";
import { parseOptions } from "./options.ts";

it("reads values as JSON where they are, and as text where not", () => {
  expect(
    parseOptions(["clips=false", "language=pt-BR", "highlights.count=3", "highlights.min_sec=8"]),
  ).toEqual({ clips: false, language: "pt-BR", highlights: { count: 3, min_sec: 8 } });
});

it.each(["clips", "=3", "a..b=1", "__proto__.x=1", "constructor=1"])("refuses %s", (pair) => {
  expect(() => parseOptions([pair])).toThrow(UsageError);
});

it("refuses a group under a value", () => {
  expect(() => parseOptions(["clips=false", "clips.x=1"])).toThrow(UsageError);
});
