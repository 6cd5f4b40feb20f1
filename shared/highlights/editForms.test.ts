// Chapters, EDL and OTIO of the same highlights.
import { describe, expect, it } from "vitest";
import type { Highlight } from "../contract/analysis.ts";
import { toChapters } from "./chapters.ts";
import { toEdl } from "./edl.ts";
import { toOtio } from "./otio.ts";

const highlight = (rank: number, startSec: number, endSec: number, title: string): Highlight => ({
  rank,
  startSec,
  endSec,
  peakSec: startSec,
  score: 5,
  title,
  signals: [],
  messages: [],
  words: [],
});

const TWO = [
  highlight(1, 3700.5, 3712, "We did it!"),
  highlight(2, 65.25, 80, "Über 100 % — “wow”\n*x"),
];
const INFO = {
  title: "A stream",
  durationSec: 7200,
  fps: 30,
  mediaUrl: "https://example.com/a/my%20video.mp4?token=1",
};

const LINE = /^(?:(\d+):)?(\d{1,2}):(\d\d) (\S.*)$/u;

/** Chapters as YouTube reads them. */
const read = (text: string): { startSec: number; title: string }[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const match = LINE.exec(line);
      expect(line).toMatch(LINE);
      const [, h = "0", m, s, title] = match!;
      return { startSec: Number(h) * 3600 + Number(m) * 60 + Number(s), title: title! };
    });

const expectGood = (text: string, durationSec: number) => {
  const chapters = read(text);
  expect(chapters[0]!.startSec).toBe(0);
  for (const [i, { startSec }] of chapters.entries()) {
    const end = chapters[i + 1]?.startSec ?? durationSec;
    expect(end - startSec).toBeGreaterThanOrEqual(Math.min(10, durationSec));
  }
  return chapters;
};

describe("toChapters", () => {
  it("begins chapters at highlights", () => {
    const text = toChapters({ highlights: TWO, segments: [], durationSec: 7200 });
    const chapters = expectGood(text, 7200);
    expect(text).toContain("1:05 Über 100 %");
    expect(text).toContain("1:01:40 We did it!");
    for (const [i, { startSec }] of chapters.entries()) {
      expect((chapters[i + 1]?.startSec ?? 7200) - startSec).toBeLessThanOrEqual(600);
    }
  });

  it.each([
    [30, 3],
    [31.5, 3],
    [3600, 6],
  ])("has enough chapters of %s s without highlights", (durationSec, least) => {
    const text = toChapters({ highlights: [], segments: [], durationSec });
    expect(expectGood(text, durationSec).length).toBeGreaterThanOrEqual(least);
  });

  it.each([0.5, 9, 19.9])("has a single chapter of %s s", (durationSec) => {
    expect(toChapters({ highlights: [], segments: [], durationSec })).toBe("0:00 Start\n");
  });

  it("divides a long talk in its long pauses, and names the parts by what is said", () => {
    const topics = ["cooking pasta with tomato sauce", "painting walls behind furniture"];
    const segments = Array.from({ length: 180 }, (_, i) => {
      const startSec = i * 5 + (i >= 100 ? 8 : 0);
      return { text: `${topics[i < 100 ? 0 : 1]!} number ${i}`, startSec, endSec: startSec + 4.8 };
    });
    const chapters = expectGood(toChapters({ highlights: [], segments, durationSec: 920 }), 920);
    expect(chapters.map(({ startSec }) => startSec)).toContain(508);
    expect(chapters.find(({ startSec }) => startSec === 508)!.title).toMatch(/^painting walls/u);
  });

  it("takes nothing into a name that is not to be seen", () => {
    const segments = [{ text: "one\u001B[2J\u0000two\nthree", startSec: 0, endSec: 3 }];
    const text = toChapters({ highlights: [], segments, durationSec: 20 });
    expect(text.split("\n")[0]).toBe("0:00 one [2J two three");
  });

  it("keeps highlights that are close together, and near the end, from breaking the list", () => {
    const crowd = [0, 3, 12, 18, 55, 59].map((sec, i) => highlight(i + 1, sec, sec + 3, `h${sec}`));
    const chapters = expectGood(
      toChapters({ highlights: crowd, segments: [], durationSec: 62 }),
      62,
    );
    expect(chapters[0]!.title).toBe("h0");
  });
});

describe("toEdl", () => {
  it("writes CMX 3600, by time, one clip after another", () => {
    expect(toEdl(TWO, INFO).split("\r\n")).toEqual([
      "TITLE: A stream",
      "FCM: NON-DROP FRAME",
      "",
      "001  AX       AA/V  C        00:01:05:08 00:01:20:00 01:00:00:00 01:00:14:22",
      "* FROM CLIP NAME: my video.mp4",
      '* COMMENT: 2. Uber 100 %  "wow" *x',
      "",
      "002  AX       AA/V  C        01:01:40:15 01:01:52:00 01:00:14:22 01:00:26:07",
      "* FROM CLIP NAME: my video.mp4",
      "* COMMENT: 1. We did it!",
      "",
    ]);
  });

  it("counts frames of a broken rate exactly", () => {
    // One hour at 30000/1001 is 107,892 frames: 00:59:56:12 when thirty are counted as a second.
    const text = toEdl([highlight(1, 3600, 3610, "x")], { ...INFO, fps: 30_000 / 1001 });
    expect(text).toContain("00:59:56:12");
  });
});

describe("toOtio", () => {
  interface Otio {
    OTIO_SCHEMA: string;
    kind?: string;
    name?: string;
    children?: Otio[];
    tracks?: Otio;
    source_range?: { start_time: { value: number; rate: number }; duration: { value: number } };
    media_references?: Record<string, { OTIO_SCHEMA: string; target_url: string }>;
    active_media_reference_key?: string;
  }

  it("writes a timeline with a video and an audio track", () => {
    const timeline = JSON.parse(toOtio(TWO, INFO)) as Otio;
    expect(timeline.OTIO_SCHEMA).toBe("Timeline.1");
    expect(timeline.tracks!.OTIO_SCHEMA).toBe("Stack.1");
    const tracks = timeline.tracks!.children!;
    expect(tracks.map(({ OTIO_SCHEMA, kind }) => [OTIO_SCHEMA, kind])).toEqual([
      ["Track.1", "Video"],
      ["Track.1", "Audio"],
    ]);
    for (const { children } of tracks) {
      expect(children!.map(({ OTIO_SCHEMA }) => OTIO_SCHEMA)).toEqual(["Clip.2", "Clip.2"]);
      const first = children![0]!;
      expect(first.source_range).toMatchObject({
        OTIO_SCHEMA: "TimeRange.1",
        start_time: { OTIO_SCHEMA: "RationalTime.1", value: 1958, rate: 30 },
        duration: { OTIO_SCHEMA: "RationalTime.1", value: 442, rate: 30 },
      });
      expect(first.media_references![first.active_media_reference_key!]).toMatchObject({
        OTIO_SCHEMA: "ExternalReference.1",
        target_url: INFO.mediaUrl,
      });
    }
  });
});
