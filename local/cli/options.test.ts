// What `--option` makes of a request, and what it refuses.
import { expect, it } from "vitest";
import { UsageError } from "./command.ts";
import { parseOptions, withStudy } from "./options.ts";

it("reads values as JSON where they are, and as text where not", () => {
  expect(
    parseOptions(["clips=false", "language=pt-BR", "highlights.count=3", "highlights.min_sec=8"]),
  ).toEqual({ clips: false, language: "pt-BR", highlights: { count: 3, min_sec: 8 } });
});

it.each([
  "clips",
  "=3",
  "a..b=1",
  "__proto__.x=1",
  "constructor=1",
  "clip=false",
  "highlights.counts=3",
])("refuses %s", (pair) => {
  expect(() => parseOptions([pair])).toThrow(UsageError);
});

it("refuses a group under a value", () => {
  expect(() => parseOptions(["clips=false", "clips.x=1"])).toThrow(UsageError);
});

it("asks for notes and quiz where somebody stays to make them, or it was said", () => {
  expect(withStudy({ bits: 8 }, true)).toEqual({ bits: 8, study: false });
  expect(withStudy({ study: true }, true)).toEqual({ study: true });
  expect(withStudy({ bits: 8 }, false)).toEqual({ bits: 8 });
});
