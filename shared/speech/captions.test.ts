import { describe, expect, it } from "vitest";
import { cuesToWords, parseCaptions } from "./captions.ts";

const cuesOf = (text: string) => parseCaptions(Buffer.from(text));
const plain = (text: string) =>
  cuesOf(text).map(({ startSec, endSec, pieces }) => [
    startSec,
    endSec,
    pieces.map((piece) => piece.text).join(""),
  ]);
const wordsOf = (text: string) => cuesToWords(cuesOf(text));

const ROLLING = `WEBVTT
Kind: captions
Language: en

00:00:00.080 --> 00:00:02.389 align:start position:0%
 
and<00:00:00.320><c> now</c><00:00:00.560><c> we</c><00:00:00.719><c> go</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
and now we go
 

00:00:02.399 --> 00:00:04.150 align:start position:0%
and now we go
no<00:00:02.800><c> no</c><00:00:03.200><c> no</c>

00:00:04.150 --> 00:00:04.160 align:start position:0%
no no no
 

00:00:04.160 --> 00:00:06.000 align:start position:0%
no no no
stop
`;

describe("parseCaptions", () => {
  it.each([
    [
      "WebVTT with header, notes, styles, names, settings and markup",
      `\uFEFFWEBVTT - a title\nX: y\n\nSTYLE\n::cue { color: red }\n\nNOTE a --> b\nmore\n\nintro\n00:01.500 --> 00:03.000 line:0 align:end\n<v Ann>Hello <b>&amp; welcome</b></v>\n- to <i.loud>this</i>\n\n01:00:00.000 --> 01:00:01.000\n1 < 2 &#x1F600;\n`,
      [
        [1.5, 3, "Hello & welcome - to this"],
        [3600, 3601, "1 < 2 😀"],
      ],
    ],
    [
      "SubRip with numbers, markup, Windows line ends and no last blank line",
      '1\r\n00:00:01,000 --> 00:00:02,500 X1:1\r\n{\\an8}<font color="red">Hi</font> there\r\n\r\n2\r\n00:00:02,500 --> 00:00:03,000\r\n2024\r\nwas a <year',
      [
        [1, 2.5, "Hi there"],
        [2.5, 3, "2024 was a <year"],
      ],
    ],
    [
      "SubRip without blank lines, out of order, an empty cue and short fractions",
      "2\n0:00:05,5 --> 0:00:06\nsecond\n1\n0:00:01,05 --> 0:00:02,1\nfirst\n3\n0:00:08,0 --> 0:00:09,0\n",
      [
        [1.05, 2.1, "first"],
        [5.5, 6, "second"],
      ],
    ],
    [
      "a blank line inside a SubRip cue",
      "1\n00:00:01,000 --> 00:00:02,000\none\n\nmore\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n",
      [
        [1, 2, "one more"],
        [3, 4, "two"],
      ],
    ],
  ])("reads %s", (_name, text, expected) => {
    expect(plain(text)).toEqual(expected);
  });

  it("shows rolling lines once, with the times inside them", () => {
    expect(plain(ROLLING).map(([, , text]) => text)).toEqual(["and now we go", "no no no", "stop"]);
    expect(wordsOf(ROLLING).map(({ text, startSec }) => [text, startSec])).toEqual([
      ["and", 0.08],
      ["now", 0.32],
      ["we", 0.56],
      ["go", 0.719],
      ["no", 2.399],
      ["no", 2.8],
      ["no", 3.2],
      ["stop", 4.16],
    ]);
  });

  it("keeps what people say twice", () => {
    const said = (at: number, text: string): string =>
      `00:0${at}.000 --> 00:0${at + 1}.000\n${text}\n\n`;
    const text = `WEBVTT\n\n${said(1, "No.")}${said(2, "No.")}${said(3, "Yes.")}${said(4, "Yes.")}${said(5, "A")}${said(6, "B")}`;
    expect(plain(text).map(([, , line]) => line)).toEqual(["No.", "No.", "Yes.", "Yes.", "A", "B"]);
  });

  it.each([
    ["UTF-16", Buffer.from("\uFEFF1\n00:00:01,000 --> 00:00:02,000\nçà\n", "utf16le")],
    ["Windows-1252", Buffer.from("1\n00:00:01,000 --> 00:00:02,000\nçà\n", "latin1")],
  ])("reads %s", (_name, bytes) => {
    expect(parseCaptions(bytes)[0]?.pieces[0]?.text).toBe("çà");
  });

  it.each([
    ["nothing", "", /empty/],
    ["another format", "[Script Info]\nTitle: x\n", /^Line 1 .*neither/],
    ["only a header", "WEBVTT\n\nNOTE nothing\n", /no subtitle/],
    ["a broken time", "1\n00:00:01,000 --> 00:00:02,000\nhi\n\n2\n00:0x --> 1\nhi\n", /^Line 6 /],
    ["an end before its start", "WEBVTT\n\n00:02.000 --> 00:01.000\nhi\n", /^Line 3 .*before/],
    [
      "an endless cue",
      `WEBVTT\n\n00:01.000 --> 00:02.000\n${"a\n".repeat(30_000)}`,
      /does not end/,
    ],
  ])("refuses %s, naming the line", (_name, text, message) => {
    expect(() => cuesOf(text)).toThrow(
      expect.objectContaining({
        code: "invalid_captions",
        message: expect.stringMatching(message),
      }),
    );
  });

  it("stays quick on hostile markup", () => {
    const began = performance.now();
    cuesOf(
      `WEBVTT\n\n00:01.000 --> 00:02.000\n${"<a".repeat(9000)}\n${"&".repeat(900)}${"{\\".repeat(500)}`,
    );
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe("cuesToWords", () => {
  it("shares a cue's time by length", () => {
    const words = wordsOf("WEBVTT\n\n00:10.000 --> 00:20.000\na bbb\ncc ddddd\n");
    expect(words).toEqual([
      { text: "a", startSec: 10, endSec: expect.closeTo(11.333, 2) },
      { text: "bbb", startSec: expect.closeTo(11.333, 2), endSec: expect.closeTo(14, 2) },
      { text: "cc", startSec: expect.closeTo(14, 2), endSec: expect.closeTo(16, 2) },
      { text: "ddddd", startSec: expect.closeTo(16, 2), endSec: 20 },
    ]);
  });

  it("finds words where none are spaced", () => {
    const words = wordsOf("WEBVTT\n\n00:00.000 --> 00:02.000\n今日はいい天気ですね。\n");
    expect(words.map(({ text }) => text)).toEqual(["今日", "は", "いい", "天気", "です", "ね。"]);
  });
});
