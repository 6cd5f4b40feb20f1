import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Word } from "../contract/transcript.ts";
import { type HeardRange, stitchWords } from "./stitch.ts";

const word = (text: string, startSec: number, lengthSec = 0.3): Word => ({
  text,
  startSec,
  endSec: startSec + lengthSec,
});
const texts = (words: Word[]): string => words.map(({ text }) => text).join(" ");
const two = (left: Word[], right: Word[], seamSec = 30): HeardRange[] => [
  { startSec: 0, endSec: seamSec, words: left },
  { startSec: seamSec, endSec: 60, words: right },
];
const at = (fromSec: number, text: string, stepSec = 0.5): Word[] =>
  text.split(" ").map((each, index) => word(each, fromSec + index * stepSec));

type Heard = Word & { n: number };

describe("stitchWords", () => {
  it("takes more words of one range than a call has arguments", () => {
    const words = Array.from({ length: 150_000 }, (_, i) => word("a", i / 5));
    expect(stitchWords([{ startSec: 0, endSec: 30_000, words }])).toHaveLength(150_000);
  });

  it.each([
    [
      "both heard the same",
      at(26, "a b c d e f g h"),
      at(26.1, "a b c d e f g h"),
      "a b c d e f g h",
    ],
    [
      "case and punctuation differ",
      at(28, "So we GO. Now"),
      at(28, "so, we go now then"),
      "So we GO. Now then",
    ],
    [
      "a word repeats",
      at(29, "no no no stop", 0.3),
      at(29.1, "no no no stop", 0.3),
      "no no no stop",
    ],
    [
      "the left missed one",
      at(29, "a c").map((w, i) => ({ ...w, startSec: 29 + i, endSec: 29.4 + i })),
      at(29, "a b c"),
      "a b c",
    ],
    ["the right missed one", at(29, "a b c"), [word("a", 29), word("c", 30)], "a b c"],
    [
      "the left's last word is cut off",
      [...at(28, "a b c"), word("coun", 34.7)],
      [...at(28, "a b c"), word("country", 34.7)],
      "a b c country",
    ],
    [
      "neither heard the other's words",
      at(28, "a b c d e f"),
      at(28, "q r s t u v"),
      "a b c d u v",
    ],
    ["one heard nothing", at(28, "a b c d e f"), [], "a b c d"],
    ["a word lies over the seam", [word("over", 29.7, 0.5)], [word("over", 29.75, 0.6)], "over"],
  ])("joins a seam where %s", (_name, left, right, expected) => {
    expect(texts(stitchWords(two(left, right)))).toBe(expected);
  });

  it("leaves the neighbours of a range that was not heard as they are", () => {
    const ranges = [
      { startSec: 0, endSec: 10, words: at(12, "a b") },
      { startSec: 10, endSec: 20, words: null },
      { startSec: 20, endSec: 30, words: at(16, "c d") },
    ];
    expect(texts(stitchWords(ranges))).toBe("a b c d");
  });

  it("cuts by time where a provider answers with a flood of words", () => {
    const flood = Array.from({ length: 5000 }, (_, i) => word("x", 25 + i / 500));
    const began = performance.now();
    expect(stitchWords(two(flood, flood))).toHaveLength(5000);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  const speech = fc
    .array(
      fc.record({
        text: fc.constantFrom("no", "no", "the", "a", "go", "yes", "well", "stop", "what", "then"),
        lengthSec: fc.double({ min: 0.12, max: 0.6, noNaN: true }),
        gapSec: fc.oneof(fc.constant(0.02), fc.double({ min: 0.02, max: 2, noNaN: true })),
      }),
      { minLength: 20, maxLength: 120 },
    )
    .map((said) => {
      let now = 0;
      return said.map(({ text, lengthSec, gapSec }, n): Heard => {
        const startSec = now + gapSec;
        now = startSec + lengthSec;
        return { text, startSec, endSec: now, n };
      });
    });
  const seeds = fc.integer({ min: 1, max: 2 ** 31 - 2 });
  /** Park and Miller's generator: even, where fast-check's own doubles prefer the odd ones. */
  const randomFrom = (seed: number): (() => number) => {
    let state = seed;
    return () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
  };

  /** What each range hears of a speech: its own seconds and five more at both ends. */
  const hear = (
    said: Heard[],
    random: () => number,
    { rangeSec, jitterSec, missed }: { rangeSec: number; jitterSec: number; missed: number },
  ): { startSec: number; endSec: number; words: Heard[] }[] => {
    const endSec = said.at(-1)?.endSec ?? 0;
    const ranges: { startSec: number; endSec: number; words: Heard[] }[] = [];
    for (let from = 0; from < endSec; from += rangeSec) {
      const inside = said.filter((w) => w.startSec >= from - 5 && w.endSec <= from + rangeSec + 5);
      const words = inside.flatMap((w) => {
        const shift = (random() * 2 - 1) * jitterSec;
        const heard = { ...w, startSec: w.startSec + shift, endSec: w.endSec + shift };
        return random() < missed ? [] : [heard];
      });
      ranges.push({ startSec: from, endSec: from + rangeSec, words });
    }
    return ranges;
  };

  it("has each word exactly once, whatever the jitter of times", () => {
    fc.assert(
      fc.property(speech, seeds, fc.integer({ min: 11, max: 25 }), (said, seed, rangeSec) => {
        const random = randomFrom(seed);
        const ranges = hear(said, random, { rangeSec, jitterSec: 0.05, missed: 0 });
        expect(texts(stitchWords(ranges))).toBe(texts(said));
      }),
      { numRuns: 200 },
    );
  });

  it("doubles and loses next to none where one word in ten was missed", () => {
    let lost = 0;
    let twice = 0;
    let all = 0;
    fc.assert(
      fc.property(speech, seeds, fc.integer({ min: 11, max: 25 }), (said, seed, rangeSec) => {
        const random = randomFrom(seed);
        const ranges = hear(said, random, { rangeSec, jitterSec: 0.05, missed: 0.1 });
        const joined = stitchWords(ranges) as Heard[];
        const heard = new Set(ranges.flatMap(({ words }) => words.map((w) => w.n)));
        const times = joined.map(({ startSec }) => startSec);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const numbers = joined.map(({ n }) => n);
        twice += numbers.length - new Set(numbers).size;
        lost += heard.size - new Set(numbers).size;
        all += heard.size;
      }),
      { numRuns: 200, seed: 7 },
    );
    // What one side alone heard may be beyond the cut; a "no" may be taken for the one before it.
    expect(lost / all).toBeLessThan(0.02);
    expect(twice / all).toBeLessThan(0.002);
  });
});
