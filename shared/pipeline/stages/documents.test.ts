import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { memoryStore } from "../../../tests/memoryStore.ts";
import type { Analysis, HighlightsResult } from "../../contract/analysis.ts";
import type { Transcript } from "../../contract/transcript.ts";
import { stagePrefix } from "../key.ts";
import { storeResult } from "../results.ts";
import type { StageObject } from "../stage.ts";
import {
  CHAT,
  analysisObject,
  highlightsObject,
  readAnalysis,
  readChat,
  readHighlights,
  readSegments,
  readWords,
  transcriptObjects,
} from "./documents.ts";

const KEY = "0".repeat(64);
const PREFIX = stagePrefix("analyze", KEY);

const stored = async (objects: StageObject[]) => {
  const store = memoryStore();
  const result = { objects, summary: {} };
  await storeResult(store, "analyze", KEY, result, new AbortController().signal);
  return store;
};

const transcript: Transcript = {
  language: "en",
  provider: "openai",
  segments: [{ text: "Hello there.", startSec: 0.5, endSec: 1.5 }],
  words: [
    { text: "Hello", startSec: 0.5, endSec: 0.9, confidence: 0.8 },
    { text: "there.", startSec: 1, endSec: 1.5 },
  ],
};

it("reads back the words and segments that it wrote", async () => {
  const store = await stored(transcriptObjects(transcript));
  expect(await readWords(store, PREFIX)).toEqual(transcript.words);
  expect(await readSegments(store, PREFIX)).toEqual(transcript.segments);
});

it("has neither words nor chat where there are none", async () => {
  const store = await stored([]);
  expect(await readWords(store, PREFIX)).toEqual([]);
  expect(await readSegments(store, PREFIX)).toEqual([]);
  expect(await readChat(store, PREFIX)).toEqual([]);
});

it("reads back series with their gaps, in snake_case on the way", async () => {
  const series = [1, null, 0.25];
  const analysis: Analysis = {
    binSec: 1,
    durationSec: 3,
    messageRate: series,
    uniqueChatters: series,
    chatSentiment: series,
    emoteShare: series,
    speechSentiment: series,
    loudnessDb: series,
  };
  const object = analysisObject(analysis);
  expect(object.body).toContain('"unique_chatters":[1,null,0.25]');
  expect(await readAnalysis(await stored([object]), PREFIX)).toEqual(analysis);
});

it("reads back highlights with what people wrote, untouched", async () => {
  const result: HighlightsResult = {
    chatDelaySec: 5,
    highlights: [
      {
        rank: 1,
        startSec: 1,
        endSec: 12,
        peakSec: 4,
        score: 6.5,
        title: "so_close Wow",
        signals: [{ signal: "chat_rate", share: 1, value: 3, baseline: 0.5 }],
        messages: [{ id: "m1", offsetSec: 8, user: null, body: "start_sec LUL" }],
        words: transcript.words,
      },
    ],
  };
  expect(await readHighlights(await stored([highlightsObject(result)]), PREFIX)).toEqual(result);
});

it("reads a chat of its own that is larger than what strangers may hand over", async () => {
  const blank = Buffer.alloc(1024 * 1024, " ");
  const comment = {
    _id: "1",
    content_offset_seconds: 2,
    commenter: null,
    message: { body: "hello", fragments: [{ text: "hello" }] },
  };
  const store = {
    ...(await stored([{ name: CHAT, contentType: "application/json", body: "" }])),
    stream: () =>
      Readable.from(
        (function* () {
          yield Buffer.from('{"notes": "');
          for (let mib = 0; mib < 257; mib += 1) yield blank;
          yield Buffer.from(`", "comments": [${JSON.stringify(comment)}]}`);
        })(),
      ),
  };
  expect(await readChat(store, PREFIX)).toMatchObject([{ offsetSec: 2, body: "hello" }]);
});
