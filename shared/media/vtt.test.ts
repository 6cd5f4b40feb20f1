import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { joinVtt } from "./vtt.ts";

// The package brings no types.
const { WebVTTParser } = createRequire(import.meta.url)("webvtt-parser") as {
  WebVTTParser: new () => { parse(text: string): { cues: { startTime: number }[] } };
};

it("moves cues, keeps their settings and text, and leaves the rest of a file behind", () => {
  const vtt = [
    "WEBVTT - title\r\nKind: captions\r\n\r\nNOTE --> is not a time\r\n",
    "STYLE\n::cue { color: red }\n",
    "one\n00:01.000 --> 00:02.500 align:start\nfirst\nline --> here\n",
    "01:00:00.000 --> 01:00:01.000\nlate\n",
  ].join("\n");
  expect(joinVtt([{ vtt, offsetSec: 59.5 }])).toBe(
    "WEBVTT\n\n00:01:00.500 --> 00:01:02.000 align:start\nfirst\nline --> here\n\n" +
      "01:00:59.500 --> 01:01:00.500\nlate\n",
  );
});

it("drops what ends before zero and cuts what begins before it", () => {
  const vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\n00:02.000 --> 00:04.000\nb\n";
  expect(joinVtt([{ vtt, offsetSec: -3 }])).toBe("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nb\n");
});

it("makes files that a parser of others reads without complaint", () => {
  const vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>hello & bye\n";
  const parsed = new WebVTTParser().parse(
    joinVtt([
      { vtt, offsetSec: 0 },
      { vtt, offsetSec: 3599.9996 },
    ]),
  );
  expect(parsed.cues.map((cue) => cue.startTime)).toEqual([1, 3601]);
  expect(joinVtt([])).toBe("WEBVTT\n");
});
