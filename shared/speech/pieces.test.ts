import fc from "fast-check";
import { expect, it } from "vitest";
import { MAX_PIECES, MAX_PIECE_BYTES } from "../contract/findings.ts";
import type { Segment } from "../contract/transcript.ts";
import { toPieces } from "./pieces.ts";

const said = (startSec: number, text: string, endSec = startSec + 2): Segment => ({
  startSec,
  endSec,
  text,
});

it("gives a piece for each minute in which something is said", () => {
  expect(
    toPieces([said(1, "one"), said(58, "two ", 63), said(63, "three"), said(300, "\nfour")]),
  ).toEqual([
    { startSec: 1, endSec: 63, text: "one two" },
    { startSec: 63, endSec: 65, text: "three" },
    { startSec: 300, endSec: 302, text: "four" },
  ]);
});

it("leaves every other minute as it was when words come in between", () => {
  const talk = Array.from({ length: 100 }, (_, i) => said(i * 6, `word${i}`));
  const before = toPieces(talk);
  const after = toPieces(talk.toSpliced(15, 0, said(88, "more")));
  expect(after.map((piece, i) => piece.text === before[i]?.text)).toEqual(
    before.map((_, minute) => minute !== 1),
  );
});

it("of more than fit makes longer ones, and at last leaves out", () => {
  const talk = Array.from({ length: 3000 }, (_, i) => said(i * 60, `w${i}`));
  const pieces = toPieces(talk);
  expect(pieces).toHaveLength(750);
  expect(pieces[0]).toEqual({ startSec: 0, endSec: 182, text: "w0 w1 w2 w3" });
  const flood = toPieces([said(0, "some words ".repeat(400_000))]);
  expect(flood).toHaveLength(MAX_PIECES);
});

it("keeps every word, in pieces of their limit, in order of time", () => {
  const segment = fc.record({
    startSec: fc.double({ min: 0, max: 500, noNaN: true }),
    endSec: fc.double({ min: 0, max: 500, noNaN: true }),
    text: fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom(
        "字".repeat(1500),
        "🎉".repeat(1100),
        "long ".repeat(900),
        "é \n\u00a0ß",
        "\ud800",
        " ",
      ),
    ),
  });
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
      const pieces = toPieces(segments);
      const wrong = pieces.filter(
        ({ text, startSec, endSec }, i) =>
          text.trim() === "" ||
          !text.isWellFormed() ||
          new TextEncoder().encode(text).length > MAX_PIECE_BYTES ||
          endSec < startSec ||
          startSec < (pieces[i - 1]?.startSec ?? 0),
      );
      expect(wrong).toEqual([]);
      const letters = (texts: string[]) => texts.join("").replaceAll(/\s+/gu, "");
      const inOrder = segments.toSorted((a, b) => a.startSec - b.startSec);
      const kept = letters(pieces.map(({ text }) => text));
      expect(kept === letters(inOrder.map(({ text }) => text.toWellFormed()))).toBe(true);
    }),
    { numRuns: 25 },
  );
});

it("takes no times that are none", () => {
  expect(toPieces([said(-1, "a"), said(Number.NaN, "b"), said(1, "c", Infinity)])).toEqual([]);
});
