import fc from "fast-check";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { Word } from "../contract/transcript.ts";
import { cuesToWords, parseCaptions } from "./captions.ts";
import { wordsToSegments } from "./segments.ts";
import { sliceVtt, toSrt, toVtt, wordsToCues } from "./subtitles.ts";

interface Parsed {
  cues: { startTime: number; endTime: number; text: string; tree: unknown }[];
  errors: { message: string; line: number }[];
}
const { WebVTTParser } = createRequire(import.meta.url)("webvtt-parser") as {
  WebVTTParser: new () => { parse(text: string, mode: string): Parsed };
};
const parseVtt = (text: string): Parsed =>
  new WebVTTParser().parse(text, "subtitles/captions/descriptions");

const speak = (text: string, wordSec = 0.3, fromSec = 0): Word[] =>
  text.split(" ").map((each, index) => ({
    text: each,
    startSec: fromSec + index * wordSec,
    endSec: fromSec + (index + 0.9) * wordSec,
  }));
const textOf = (words: { text: string }[]): string => words.map(({ text }) => text).join(" ");

const speech = fc
  .array(
    fc.record({
      text: fc.oneof(
        fc.string({ minLength: 1, maxLength: 12 }),
        fc.string({ minLength: 43, maxLength: 120 }),
        fc.constantFrom("well,", "stop.", "-->", "<b>", "&amp;", "{\\an8}", "日本語"),
      ),
      lengthSec: fc.double({ min: 0, max: 3, noNaN: true }),
      gapSec: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 4, noNaN: true })),
    }),
    { maxLength: 80 },
  )
  .map((said) => {
    let now = 0;
    return said.map(({ text, lengthSec, gapSec }): Word => {
      const startSec = now + gapSec;
      now = startSec + lengthSec;
      return { text, startSec, endSec: now };
    });
  });

describe("wordsToSegments", () => {
  it("ends segments with sentences and pauses, not with abbreviations", () => {
    const words = [
      ...speak("Mr. Smith paid 3.5 dollars. He left!"),
      ...speak("then nothing more", 0.3, 10),
    ];
    expect(wordsToSegments(words).map(({ text }) => text)).toEqual([
      "Mr. Smith paid 3.5 dollars.",
      "He left!",
      "then nothing more",
    ]);
  });

  it("cuts what is too long, and keeps every word once", () => {
    const words = speak("word ".repeat(300).trim(), 0.2);
    const segments = wordsToSegments(words, { maxSec: 10 });
    expect(textOf(segments)).toBe(textOf(words));
    for (const { startSec, endSec } of segments) {
      expect(endSec - startSec).toBeLessThanOrEqual(10);
      expect(endSec - startSec).toBeGreaterThan(3);
    }
  });

  it("takes a day of words without a pause or a full stop", () => {
    const words = speak("word ".repeat(150_000).trim(), 0.2);
    const segments = wordsToSegments(words);
    expect(segments.reduce((count, { text }) => count + text.split(" ").length, 0)).toBe(150_000);
  });

  it("joins unspaced script without spaces, and takes any language name", () => {
    const words = speak("今日 は いい 天気 です ね。 はい。");
    const segments = wordsToSegments(words, { language: "not a language" });
    expect(segments.map(({ text }) => text)).toEqual(["今日はいい天気ですね。", "はい。"]);
  });

  it("is empty for no words", () => expect(wordsToSegments([])).toEqual([]));
});

describe("subtitles", () => {
  it("keeps to two lines of 42 characters, 1 to 7 seconds, one cue at a time", () => {
    fc.assert(
      fc.property(speech, (words) => {
        const cues = wordsToCues(words);
        for (const [index, { startSec, endSec, lines }] of cues.entries()) {
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
          expect(endSec - startSec).toBeGreaterThanOrEqual(0.999);
          expect(endSec - startSec).toBeLessThanOrEqual(7.001);
          expect(cues[index + 1]?.startSec ?? Infinity).toBeGreaterThanOrEqual(endSec);
        }
        const letters = (text: string): string => text.replace(/[\s\p{Cc}]/gu, "");
        expect(letters(cues.flatMap(({ lines }) => lines).join(""))).toBe(letters(textOf(words)));
      }),
      { numRuns: 200 },
    );
  });

  it("parses as WebVTT with another's parser, text intact", () => {
    fc.assert(
      fc.property(speech, (words) => {
        const cues = wordsToCues(words);
        const { cues: parsed, errors } = parseVtt(toVtt(cues));
        expect(errors).toEqual([]);
        expect(parsed).toHaveLength(cues.length);
        const back = cuesToWords(cues.length === 0 ? [] : parseCaptions(Buffer.from(toVtt(cues))));
        const letters = (text: string): string => text.replace(/\s/g, "");
        expect(letters(textOf(back))).toBe(letters(cues.flatMap(({ lines }) => lines).join("")));
      }),
      { numRuns: 100 },
    );
  });

  it("writes both formats", () => {
    const cues = wordsToCues(
      speak("R&D said a --> b <i> then some more words to fill a second line", 0.25, 3599.5),
    );
    expect(toVtt(cues)).toBe(
      "WEBVTT\n\n00:59:59.500 --> 01:00:03.225\nR&amp;D said a --&gt; b &lt;i&gt; then some\nmore words to fill a second line\n",
    );
    expect(toSrt(cues)).toBe(
      "1\n00:59:59,500 --> 01:00:03,225\nR&D said a --› b ‹i› then some\nmore words to fill a second line\n",
    );
    expect(toVtt([])).toBe("WEBVTT\n");
  });

  it("cuts a clip's subtitles out, from zero", () => {
    const words = speak("zero one two three four five six seven", 1);
    const { cues, errors } = parseVtt(sliceVtt(words, 2, 5.2));
    expect(errors).toEqual([]);
    expect(
      cues
        .map(({ text }) => text)
        .join(" ")
        .replace("\n", " "),
    ).toBe("two three four");
    expect(cues[0]?.startTime).toBe(0);
    expect(cues.at(-1)?.endTime).toBeLessThanOrEqual(3.2);
  });
});
