import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Analysis } from "../contract/analysis.ts";
import type { ChatMessage } from "../contract/chat.ts";
import type { Segment } from "../contract/transcript.ts";
import { scoreChatText, scoreText } from "../sentiment/score.ts";
import { buildSeries, type SeriesInput } from "./build.ts";

const message = (
  offsetSec: number,
  body: string,
  user: string | null,
  emote = false,
): ChatMessage => ({
  id: `${offsetSec}-${user}`,
  offsetSec,
  user: user === null ? null : { id: user, login: user, name: user, badges: [] },
  body,
  fragments: emote ? [{ text: body, emote: { id: "1", provider: "twitch" } }] : [{ text: body }],
  bits: 0,
});

const build = (input: Partial<SeriesInput> & { durationSec: number }) =>
  buildSeries({ messages: [], segments: [], loudnessDb100ms: null, ...input });

describe("chat in seconds", () => {
  const messages = [
    message(-0.5, "early", "a"),
    message(0, "great", "a"),
    message(0.9, "LUL", "a", true),
    message(0.99, "awful", "b"),
    message(2, "hello", "a"),
    message(2.5, "hello", null),
    message(2.6, "hello", null),
    message(3.2, "after the end", "c"),
    message(99, "far after it", "c"),
  ];
  const series = build({ durationSec: 3.2, messages });

  it("has a bin for every second begun", () => {
    expect(series.durationSec).toBe(3.2);
    for (const name of ["messageRate", "speechSentiment", "loudnessDb"] as const) {
      expect(series[name]).toHaveLength(4);
    }
    expect(Analysis.parse(series)).toEqual(series);
  });

  it("counts messages, leaving out what lies outside the video", () => {
    expect(series.messageRate).toEqual([3, 0, 3, 0]);
  });

  it("has nothing outside the stretch that chat was read for", () => {
    const { messageRate } = build({
      durationSec: 3.2,
      messages,
      chatStretch: { startSec: 1, endSec: 2.5 },
    });
    expect(messageRate).toEqual([null, 0, 3, null]);
  });

  it("counts people once a second, deleted accounts each", () => {
    expect(series.uniqueChatters).toEqual([2, 0, 3, 0]);
  });

  it("means sentiment, null in a second without messages", () => {
    const mean = (scoreChatText("great") + scoreChatText("LUL") + scoreChatText("awful")) / 3;
    expect(series.chatSentiment).toEqual([expect.closeTo(mean, 3), null, 0, null]);
  });

  it("gives the share of messages with an emote", () => {
    expect(series.emoteShare).toEqual([0.3333, null, 0, null]);
  });

  it("is null throughout without a chat", () => {
    const none = build({ durationSec: 2 });
    for (const name of ["messageRate", "uniqueChatters", "chatSentiment", "emoteShare"] as const) {
      expect(none[name]).toEqual([null, null]);
    }
  });
});

describe("speech in seconds", () => {
  const good = scoreText("wonderful");
  const bad = scoreText("terrible");

  it("has the segment's sentiment in every second it is spoken in", () => {
    const segments = [
      { text: "wonderful", startSec: 1.5, endSec: 4 },
      { text: "the table", startSec: 5, endSec: 5.5 },
    ];
    expect(build({ durationSec: 7, segments }).speechSentiment).toEqual([
      null,
      expect.closeTo(good, 4),
      expect.closeTo(good, 4),
      expect.closeTo(good, 4),
      null,
      0,
      null,
    ]);
  });

  it("weighs segments in one second by their time in it", () => {
    const segments = [
      { text: "wonderful", startSec: 0, endSec: 0.75 },
      { text: "terrible", startSec: 0.75, endSec: 1.5 },
    ];
    const [first, second] = build({ durationSec: 2, segments }).speechSentiment;
    expect(first).toBeCloseTo(good * 0.75 + bad * 0.25, 4);
    expect(second).toBeCloseTo(bad, 4);
  });

  it("cuts at the ends of the video and skips what is empty or turned round", () => {
    const segments = [
      { text: "wonderful", startSec: -5, endSec: 0.5 },
      { text: "terrible", startSec: 1, endSec: 1 },
      { text: "terrible", startSec: 1.8, endSec: 1.2 },
      { text: "wonderful", startSec: 2.5, endSec: 99 },
      { text: "terrible", startSec: 50, endSec: 60 },
    ];
    expect(build({ durationSec: 3, segments }).speechSentiment).toEqual([
      expect.closeTo(good, 4),
      null,
      expect.closeTo(good, 4),
    ]);
  });

  it("agrees with adding up each second by itself", () => {
    const quarter = fc.integer({ min: -12, max: 48 }).map((quarters) => quarters / 4);
    const segment = fc.record({
      text: fc.constantFrom("wonderful", "terrible", "the table"),
      startSec: quarter,
      endSec: quarter,
    });
    const durationSec = 9.5;
    const inSecond = (segments: Segment[], bin: number): unknown => {
      let seconds = 0;
      let sum = 0;
      for (const { text, startSec, endSec } of segments) {
        const overlap = Math.min(endSec, bin + 1, durationSec) - Math.max(startSec, bin, 0);
        if (overlap <= 0) continue;
        seconds += overlap;
        sum += overlap * scoreText(text);
      }
      return seconds > 0 ? expect.closeTo(sum / seconds, 3) : null;
    };
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
        const expected = Array.from({ length: 10 }, (_, bin) => inSecond(segments, bin));
        expect(build({ durationSec, segments }).speechSentiment).toEqual(expected);
      }),
    );
    expect.hasAssertions();
  });
});

describe("loudness in seconds", () => {
  it("means energy, not decibels", () => {
    const levels = new Float32Array(20).fill(-100);
    levels[3] = 0;
    // A tenth of a second at full scale: a tenth of its energy, -10 dB.
    expect(build({ durationSec: 2, loudnessDb100ms: levels }).loudnessDb).toEqual([-10, -100]);
  });

  it("is null where there is no sound to measure", () => {
    const levels = new Float32Array(15).fill(-20);
    expect(build({ durationSec: 3, loudnessDb100ms: levels }).loudnessDb).toEqual([-20, -20, null]);
    expect(build({ durationSec: 1 }).loudnessDb).toEqual([null]);
  });

  it("stays finite for silence given as minus infinity", () => {
    const levels = new Float32Array(10).fill(-Infinity);
    expect(build({ durationSec: 1, loudnessDb100ms: levels }).loudnessDb).toEqual([-100]);
  });
});

it("is empty for a video of no length", () => {
  expect(build({ durationSec: 0, messages: [message(0, "x", "a")] }).messageRate).toEqual([]);
});

it("takes six hours with 200,000 messages", () => {
  const durationSec = 6 * 3600;
  const bodies = ["LUL", "that was so good", "what is this song", "Sadge not like this"];
  const messages = Array.from({ length: 200_000 }, (_, at) =>
    message((at / 200_000) * durationSec, bodies[at % 4]!, `u${at % 5000}`, at % 4 === 0),
  );
  const segments = Array.from({ length: 7200 }, (_, at) => ({
    text: "and then we go over there, which is nice",
    startSec: at * 3,
    endSec: at * 3 + 3,
  }));
  const loudnessDb100ms = new Float32Array(durationSec * 10).fill(-23);
  const series = buildSeries({ durationSec, messages, segments, loudnessDb100ms });
  expect(series.messageRate.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(200_000);
  expect(series.speechSentiment).not.toContain(null);
});
