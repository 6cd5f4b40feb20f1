import fc from "fast-check";
import { createReadStream } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseChatFile } from "../chat/chatFile.ts";
import type { ChatMessage } from "../contract/chat.ts";
import { Highlight } from "../contract/analysis.ts";
import { HighlightOptions } from "../contract/options.ts";
import type { Segment, Word } from "../contract/transcript.ts";
import { buildSeries } from "../series/build.ts";
import { fixture } from "../../tests/fixtures.ts";
import { findHighlights } from "./findHighlights.ts";

/** Numbers that look random and are the same each time. */
const randomFrom = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
};

const message = (i: number, offsetSec: number, user: string, body: string): ChatMessage => ({
  id: `m${i}`,
  offsetSec,
  user: { id: user, login: user, name: user, badges: [] },
  body,
  fragments: [{ text: body }],
  bits: 0,
});

const SMALL_TALK = ["what is this game", "go left", "nice music", "same here", "I like that house"];
const REACTIONS = ["LUL", "POG", "no way", "omg", "WHAT", "clip it", "insane", "hahaha", "gg"];

interface Scene {
  durationSec: number;
  seed?: number;
  /** Messages a second of a chat that talks. */
  perSec?: number;
  /** When many react, in the chat's time. */
  bursts?: number[];
  /** When it is loud, in the video's time. */
  loud?: number[];
  /** When something is heard; all the time where absent. */
  heard?: [fromSec: number, toSec: number][];
  words?: Word[];
  segments?: Segment[];
  more?: ChatMessage[];
  sound?: boolean;
  /** What was asked to be analysed. */
  stretch?: { startSec: number; endSec: number };
}

const find = (scene: Scene, options: Partial<HighlightOptions> = {}) => {
  const { durationSec, seed = 1, perSec = 1, bursts = [], loud = [], sound = true } = scene;
  const random = randomFrom(seed);
  const messages: ChatMessage[] = [...(scene.more ?? [])];
  const next = (at: number): number =>
    perSec > 0 ? at - Math.log(1 - random()) / perSec : Number.POSITIVE_INFINITY;
  for (let at = next(0); at < durationSec; at = next(at)) {
    const body = SMALL_TALK[Math.floor(random() * SMALL_TALK.length)]!;
    messages.push(message(messages.length, at, `u${Math.floor(random() * 80)}`, body));
  }
  for (const burst of bursts) {
    for (let i = 0; i < 50; i += 1) {
      const body = REACTIONS[Math.floor(random() * REACTIONS.length)]!;
      messages.push(message(messages.length, burst + 8 * random(), `u${i}`, body));
    }
  }
  messages.sort((a, b) => a.offsetSec - b.offsetSec);
  const loudness = Float32Array.from({ length: durationSec * 10 }, (_, i) => {
    if (scene.heard?.every(([from, to]) => i / 10 < from || i / 10 >= to)) return -100;
    const high = loud.some((sec) => i / 10 >= sec && i / 10 < sec + 8);
    return (high ? -14 : -26) + 3 * (random() - 0.5);
  });
  const { words = [], segments = [] } = scene;
  const analysis = buildSeries({
    durationSec,
    messages,
    segments,
    loudnessDb100ms: sound ? loudness : null,
    ...(scene.stretch ? { chatStretch: scene.stretch } : {}),
  });
  return findHighlights({
    analysis,
    messages,
    words,
    segments,
    options: HighlightOptions.parse(options),
    ...(scene.stretch ? { stretch: scene.stretch } : {}),
  });
};

describe("findHighlights", () => {
  it("finds a moment that sound and chat agree on, and chat's delay", () => {
    const { chatDelaySec, highlights } = find({
      durationSec: 600,
      bursts: [108, 308, 478],
      loud: [100, 300, 470],
    });
    expect(highlights.map((h) => Math.round(h.peakSec / 10) * 10).sort((a, b) => a - b)).toEqual([
      100, 300, 470,
    ]);
    // Loud from 100 to 108, written from 108 to 116.
    expect(chatDelaySec).toBeGreaterThan(6.5);
    expect(chatDelaySec).toBeLessThan(9.5);
    for (const highlight of highlights) expect(Highlight.parse(highlight)).toEqual(highlight);
  });

  it("shows what speaks for a moment", () => {
    const { highlights, chatDelaySec } = find({ durationSec: 600, bursts: [307], loud: [300] });
    const [best] = highlights;
    expect(highlights).toHaveLength(1);
    expect(best!.messages.length).toBeGreaterThan(10);
    expect(best!.messages.length).toBeLessThanOrEqual(20);
    const times = best!.messages.map(({ offsetSec }) => offsetSec);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(best!.startSec + chatDelaySec - 1);
    const signals = new Map(best!.signals.map((signal) => [signal.signal, signal]));
    expect(signals.get("loudness")!.baseline).toBeCloseTo(-26, 0);
    expect(signals.get("loudness")!.value).toBeGreaterThan(-18);
    expect(signals.get("chat_rate")!.value).toBeGreaterThan(2 * signals.get("chat_rate")!.baseline);
    expect(best!.signals.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(best!.title).not.toBe("");
  });

  it("moves chat by the usual delay where there is no sound to tell", () => {
    const { chatDelaySec, highlights } = find({ durationSec: 600, bursts: [300], sound: false });
    expect(chatDelaySec).toBe(6);
    expect(highlights).toHaveLength(1);
    expect(highlights[0]!.startSec).toBeLessThan(300);
    expect(highlights[0]!.endSec).toBeGreaterThan(296);
  });

  it("has no delay without chat, and works from sound", () => {
    const { chatDelaySec, highlights } = find({ durationSec: 600, perSec: 0, loud: [300] });
    expect(chatDelaySec).toBe(0);
    expect(highlights).toHaveLength(1);
    expect(highlights[0]!.messages).toEqual([]);
    expect(highlights[0]!.title).toMatch(/^Moment at 5:0\d$/u);
  });

  it.each<[string, Scene]>([
    ["a short video", { durationSec: 43, perSec: 0.7, heard: [[0, 18]] }],
    ["a long one", { durationSec: 1800, perSec: 0.7, heard: [[900, 918]] }],
  ])("takes what is heard at all in %s that is mostly silent", (_, scene) => {
    const { highlights } = find(scene);
    expect(highlights).toHaveLength(1);
    const [from, to] = scene.heard![0]!;
    expect(highlights[0]!.startSec).toBeLessThan(from + 4);
    expect(highlights[0]!.endSec).toBeGreaterThan(to - 4);
    expect(highlights[0]!.signals[0]).toMatchObject({ signal: "loudness" });
  });

  it("does not take the end of a silence for a moment where sound is usual", () => {
    const heard: [number, number][] = [
      [0, 200],
      [230, 600],
    ];
    expect(find({ durationSec: 600, heard }).highlights).toEqual([]);
  });

  it("looks only at the stretch that was asked for", () => {
    const stretch = { startSec: 250, endSec: 480.5 };
    const scene = { durationSec: 600, bursts: [106, 306, 486], sound: false, stretch };
    const { highlights } = find(scene);
    for (const { startSec, endSec } of highlights) {
      expect(startSec).toBeGreaterThanOrEqual(stretch.startSec);
      expect(endSec).toBeLessThanOrEqual(stretch.endSec);
    }
    const peaks = highlights.map(({ peakSec }) => Math.round(peakSec / 10) * 10);
    expect(peaks).toContain(300);
    expect(peaks).not.toContain(100);
  });

  it("does not take the beginning of a busy hour for a moment", () => {
    const random = randomFrom(9);
    const busy = Array.from({ length: 3000 }, (_, i) =>
      message(
        10_000 + i,
        600 + 600 * random(),
        `b${Math.floor(200 * random())}`,
        SMALL_TALK[i % 5]!,
      ),
    );
    expect(find({ durationSec: 1200, more: busy, sound: false }).highlights).toEqual([]);
  });

  it.each<[string, (i: number) => [user: string, body: string]]>([
    ["one person repeating", () => ["spammer", "LUL LUL LUL"]],
    [
      "a text that many paste",
      (i) => [`u${i}`, "this is the longest joke that this chat has ever seen"],
    ],
    [
      "a text that many paste with changes",
      (i) => [`u${i}`, `my grandmother plays better than professionals ${"LUL".repeat(i % 3)}`],
    ],
    ["commands for a bot", (i) => [`u${i}`, "!join"]],
    ["a vote", (i) => [`u${i}`, i % 4 === 0 ? "2" : "1"]],
    [
      "a raid",
      (i) => [`raider${i}`, ["RAID", "hello", "hi from the raid", "TombRaid", "hey"][i % 5]!],
    ],
  ])("leaves %s alone", (_, line) => {
    const burst = Array.from({ length: 60 }, (_, i) =>
      message(50_000 + i, 300 + i / 6, ...line(i)),
    );
    expect(find({ durationSec: 900, more: burst, sound: false }).highlights).toEqual([]);
    expect(find({ durationSec: 900, more: burst, loud: [700] }).highlights.length).toBeLessThan(2);
  });

  it("takes laughter for what it is, though all write the same", () => {
    const laughs = Array.from({ length: 60 }, (_, i) =>
      message(50_000 + i, 300 + i / 6, `u${i}`, i % 3 === 0 ? "hahaha" : "LUL"),
    );
    expect(find({ durationSec: 900, more: laughs, sound: false }).highlights).toHaveLength(1);
  });

  it("cuts in pauses of the speech", () => {
    const words = Array.from({ length: 300 }, (_, i): Word => {
      const startSec = 2 * Math.floor(i / 3) * 1.5 + (i % 3) * 0.6;
      return { text: `word${i}`, startSec, endSec: startSec + 0.55 };
    });
    const { highlights } = find({ durationSec: 300, bursts: [156], loud: [150], words });
    expect(highlights.length).toBeGreaterThan(0);
    for (const { startSec, endSec } of highlights) {
      for (const cut of [startSec, endSec]) {
        expect(words.some((word) => word.startSec < cut && word.endSec > cut)).toBe(false);
      }
    }
    expect(highlights[0]!.words.length).toBeGreaterThan(3);
  });

  it("obeys its options", () => {
    const scene = { durationSec: 600, bursts: [108, 308, 478], loud: [100, 300, 470] };
    expect(find(scene, { count: 0 }).highlights).toEqual([]);
    expect(find(scene, { count: 2 }).highlights.map(({ rank }) => rank)).toEqual([1, 2]);
    for (const { startSec, endSec } of find(scene, { min_sec: 30, max_sec: 40 }).highlights) {
      expect(endSec - startSec).toBeGreaterThanOrEqual(30 - 1e-6);
      expect(endSec - startSec).toBeLessThanOrEqual(40 + 1e-6);
    }
    const soundOnly = { chat_rate: 0, unique_chatters: 0, chat_sentiment: 0, emotes: 0 };
    const shares = find(scene, { weights: soundOnly }).highlights[0]!.signals;
    expect(shares.find(({ signal }) => signal === "loudness")!.share).toBe(1);
    expect(find(scene, { weights: { ...soundOnly, loudness: 0 } }).highlights).toEqual([]);
  });

  it("is the same each time, in whatever order messages come", () => {
    const scene = { durationSec: 600, bursts: [108, 308], loud: [100, 300] };
    expect(find(scene)).toEqual(find(scene));
  });

  it("stays inside the video and never overlaps, whatever it is given", () => {
    const times = fc.array(fc.integer({ min: 0, max: 290 }), { maxLength: 6 });
    const given = fc.record({
      durationSec: fc.integer({ min: 1, max: 300 }),
      seed: fc.integer({ min: 1, max: 1000 }),
      perSec: fc.constantFrom(0, 0.2, 2),
      bursts: times,
      loud: times,
      sound: fc.boolean(),
    });
    const lengths = fc.tuple(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(given, lengths, (scene, [min_sec, more]) => {
        const max_sec = min_sec + more;
        const { highlights } = find(scene, { min_sec, max_sec, count: 20 });
        const byTime = highlights.toSorted((a, b) => a.startSec - b.startSec);
        for (const [i, { startSec, endSec, peakSec, score }] of byTime.entries()) {
          expect(startSec).toBeGreaterThanOrEqual(byTime[i - 1]?.endSec ?? 0);
          expect(endSec).toBeLessThanOrEqual(scene.durationSec);
          expect(endSec - startSec).toBeGreaterThan(Math.min(min_sec, scene.durationSec) - 0.002);
          expect(endSec - startSec).toBeLessThan(max_sec + 0.002);
          expect(peakSec >= startSec && peakSec <= endSec).toBe(true);
          expect(score).toBeGreaterThan(0);
        }
        const scores = highlights.map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it("yields hardly anything from chance: two videos of a thousand", () => {
    let alarms = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const perSec = [0.2, 1, 4][seed % 3]!;
      const { highlights } = find({
        durationSec: 240,
        seed: seed * 101,
        perSec,
        sound: seed % 2 === 0,
      });
      if (highlights.length > 0) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(2);
  });

  it("survives a flood from one account", () => {
    const flood = Array.from({ length: 50_000 }, (_, i) => message(i, 100, "one", `spam ${i}`));
    expect(find({ durationSec: 300, more: flood, sound: false }).highlights).toEqual([]);
  });

  const real = fixture("twitch/chat-replay-v5.json");
  it.skipIf(!real.present)(`finds where a real chat laughs (needs ${real.name})`, async () => {
    const { messages } = await parseChatFile(createReadStream(real.path));
    const durationSec = 2938;
    const analysis = buildSeries({ durationSec, messages, segments: [], loudnessDb100ms: null });
    const options = HighlightOptions.parse({});
    const { highlights } = findHighlights({ analysis, messages, words: [], segments: [], options });
    // 68 of 108 messages from 7:25 on are "LUL"; at 40:00 a lead is thrown away.
    const minutes = highlights.map(({ peakSec }) => Math.floor(peakSec / 60));
    expect(minutes).toContain(7);
    expect(minutes).toContain(39);
    expect(highlights.length).toBeLessThanOrEqual(5);
  });
});
