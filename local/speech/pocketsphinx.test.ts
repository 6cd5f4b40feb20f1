// The engine's output, read; and what it hears of real recordings, through OpenAI's protocol.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAiSpeech } from "#shared/speech/openai.ts";
import { normalizeWord, splitWords } from "#shared/speech/text.ts";
import { fixture } from "../../tests/fixtures.ts";
import {
  type Pocketsphinx,
  parseHypseg,
  pocketsphinxMissing,
  startPocketsphinx,
} from "./pocketsphinx.ts";

/** Words replaced, left out and added, for each word that was said (Levenshtein on words). */
const wordErrorRate = (said: string[], heard: string[]): number => {
  let row = heard.map((_, index) => index + 1);
  for (const [i, word] of said.entries()) {
    let before = i;
    let left = i + 1;
    row = row.map((above, j) => {
      const cost = Math.min(before + (word === heard[j] ? 0 : 1), above + 1, left + 1);
      before = above;
      left = cost;
      return cost;
    });
  }
  return (row.at(-1) ?? said.length) / said.length;
};

const missing = pocketsphinxMissing();
const needs = missing === null ? "" : `, needs ${missing}`;

describe("parseHypseg", () => {
  it("reads words with their times, without silence and noises", () => {
    expect(
      parseHypseg(
        "x S 0 T -1 A -2 L -3 0 -4 0 <s> 21 -5 -6 he 33 -7 -8 was(2) 55 -9 -9 <sil> 60 -1 -1 [NOISE] 70 -1 -1 </s> 297",
      ),
    ).toEqual([
      { word: "he", start: 0.21, end: 0.33 },
      { word: "was", start: 0.33, end: 0.55 },
    ]);
    expect(parseHypseg("")).toEqual([]);
  });
});

describe.skipIf(missing !== null)(`pocketsphinx behind the openai protocol${needs}`, () => {
  let engine: Pocketsphinx;
  beforeAll(async () => {
    engine = await startPocketsphinx();
  });
  afterAll(() => engine.close());
  const provider = () =>
    openAiSpeech({
      baseUrl: `${engine.origin}/v1`,
      apiKey: undefined,
      model: "en-us",
      retryDelaysMs: [],
    });
  const signal = new AbortController().signal;

  it.for<[string, number, number]>([
    ["jfk", 11, 0.45],
    ["sense-and-sensibility-0880", 3, 0.6],
  ])("hears %s", async ([name, durationSec, worst], { skip }) => {
    const sound = fixture(`speech/${name}.wav`);
    const text = fixture(`speech/${name}.txt`);
    skip(!sound.present, `needs ${sound.name}`);
    const before = engine.requests();
    const heard = await provider().transcribe({ path: sound.path, durationSec }, { signal });
    expect(engine.requests()).toBe(before + 1);
    expect(heard.language).toBe("en");
    const said = splitWords(readFileSync(text.path, "utf8")).map(normalizeWord);
    const words = heard.words.map((word) => normalizeWord(word.text));
    const rate = wordErrorRate(said, words);
    expect(rate).toBeLessThan(worst);
    // Words heard right are where the kept alignment has them, of those that have one.
    const times = fixture(`speech/${name}.json`);
    if (!times.present) return;
    const { w } = JSON.parse(readFileSync(times.path, "utf8")) as { w: { t: string; b: number }[] };
    const offSec = heard.words.flatMap((word) => {
      const same = w.filter(({ t }) => t.replace(/\(\d+\)$/, "") === word.text);
      return same.length === 1 ? [Math.abs((same[0]?.b ?? 0) - word.startSec)] : [];
    });
    expect(offSec.length).toBeGreaterThanOrEqual(3);
    expect(offSec.toSorted((a, b) => a - b)[Math.floor(offSec.length / 2)]).toBeLessThan(0.15);
  });

  it("refuses what is no sound", async () => {
    await expect(
      provider().transcribe({ path: import.meta.filename, durationSec: 1 }, { signal }),
    ).rejects.toMatchObject({ code: "speech_rejected" });
  });
});
