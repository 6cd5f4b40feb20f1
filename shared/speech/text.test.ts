import { expect, it } from "vitest";
import { joinWords, spreadWords } from "./text.ts";

it.each([
  ["words", ["so", "it", "goes."], "so it goes."],
  ["a script without spaces", ["今日", "は", "。", "晴れ"], "今日は 。晴れ"],
  ["both", ["the", "東京", "tower"], "the 東京 tower"],
  ["nothing", [], ""],
])("joins %s", (_, words, text) => {
  expect(joinWords(words)).toBe(text);
});

it("joins the words of a day in a moment", () => {
  const words = Array.from({ length: 150_000 }, () => "word");
  expect(joinWords(words)).toHaveLength(150_000 * 5 - 1);
});

it("shares a stretch of time by length, without gaps", () => {
  const [first, second] = spreadWords(["a", "abc"], 10, 16);
  expect([first?.startSec, first?.endSec, second?.endSec]).toEqual([10, 12, 16]);
  expect(second?.startSec).toBe(first?.endSec);
});
