// What a job tells the library, with a library in memory that may be away or have enough.
import { expect, it } from "vitest";
import { memoryStore } from "../../../tests/memoryStore.ts";
import { StageError } from "../../contract/errors.ts";
import type { Outline, TranscriptPiece } from "../../contract/findings.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import { AnalysisOptions } from "../../contract/options.ts";
import type { Segment } from "../../contract/transcript.ts";
import { stagePrefix } from "../key.ts";
import type { Library } from "../library.ts";
import type { StageObject } from "../stage.ts";
import { highlightsObject, transcriptObjects } from "./documents.ts";
import type { Plan } from "./plan.ts";
import { publishFindings } from "./publish.ts";

const KEY = "0".repeat(64);
const output = { key: KEY, summary: {} };
const INPUT: TaskInput = {
  jobId: "j1",
  videoId: "v1",
  ownerId: "o1",
  url: "https://example.com/a.mp4",
  options: AnalysisOptions.parse({}),
  stage: "finish",
  index: 0,
  retryCount: 0,
  startedAt: 0,
  upstream: { ingest: [output], analyze: [output], highlights: [output] },
  warnings: [],
};
const PLAN: Plan = {
  source: {
    provider: "url",
    identity: "i",
    durationSec: 12_000,
    startPtsSec: 0,
    audio: null,
    video: null,
    playable: {
      kind: "file",
      location: { in: "http", url: INPUT.url },
      sizeBytes: 1,
      demuxer: "mp4",
    },
    warnings: [],
  },
  identity: "i",
  startSec: 0,
  endSec: 12_000,
  samplesPerPixel: 1024,
  ranges: [],
  chat: { kind: "none" },
  speech: "captions",
};
const highlight = {
  rank: 1,
  startSec: 30,
  endSec: 50,
  peakSec: 40,
  score: 2,
  title: "x".repeat(400),
  signals: [],
  messages: [],
  words: [],
};
/** Something each minute, for 200 minutes. */
const TALK: Segment[] = Array.from({ length: 200 }, (_, i) => ({
  startSec: 60 * i,
  endSec: 60 * i + 5,
  text: `minute ${i}`,
}));

const setUp = async ({ segments = TALK, language = "en" } = {}) => {
  const store = memoryStore();
  const put = async (stage: string, objects: StageObject[]) => {
    for (const { name, body, contentType } of objects) {
      await store.put(stagePrefix(stage, KEY) + name, body as string, { contentType });
    }
  };
  const plan = { name: "plan.json", contentType: "application/json", body: JSON.stringify(PLAN) };
  await put("ingest", [plan]);
  await put("highlights", [highlightsObject({ chatDelaySec: 0, highlights: [highlight] })]);
  if (segments.length > 0) {
    await put("analyze", transcriptObjects({ language, provider: "p", segments, words: [] }));
  }

  const state = {
    calls: [] as string[],
    outline: undefined as Outline | undefined,
    pieces: [] as TranscriptPiece[],
    active: undefined as string | undefined,
    language: undefined as string | undefined,
    /** Answers after which the database is away, or something else has taken the task's place. */
    awayAfter: Infinity,
    overAfter: Infinity,
  };
  const called = (call: string): boolean => {
    if (state.calls.length >= state.awayAfter) throw new StageError("ledger_unavailable");
    state.calls.push(call);
    return state.calls.length > state.overAfter;
  };
  const library: Library = {
    publishOutline: async ({ attempt }, outline) => {
      if (called(`outline ${attempt}`)) return { kind: "over" };
      state.outline = outline;
      return { kind: "published" };
    },
    beginTranscript: async (_task, generation) => {
      if (called("begin")) return { kind: "over" };
      return generation === state.active
        ? { kind: "active" }
        : { kind: "append", next: state.pieces.length };
    },
    appendTranscript: async (_task, _generation, first, pieces) => {
      if (called(`append ${first} ${pieces.length}`)) return { kind: "over" };
      state.pieces.splice(first, Infinity, ...pieces);
      return { kind: "appended", next: state.pieces.length };
    },
    activateTranscript: async (_task, generation, count, language) => {
      if (called(`activate ${count}`)) return { kind: "over" };
      state.active = generation;
      state.language = language;
      return { kind: "active" };
    },
  };
  return { state, publish: () => publishFindings({ store, library }, INPUT, 3) };
};

const ALL = ["outline 3", "begin", "append 0 64", "append 64 64", "append 128 64", "append 192 8"];

it("sends the outline, then the transcript in batches, then says that it is whole", async () => {
  const { state, publish } = await setUp();
  await publish();
  expect(state.calls).toEqual([...ALL, "activate 200"]);
  expect(state.pieces[1]).toEqual({ startSec: 60, endSec: 65, text: "minute 1" });
  expect(state.language).toBe("en");
  expect(state.outline?.highlights).toEqual([
    { rank: 1, startSec: 30, endSec: 50, score: 2, title: "x".repeat(300) },
  ]);
  const chapters = state.outline?.chapters ?? [];
  expect(chapters[0]?.startSec).toBe(0);
  expect(chapters.at(-1)?.endSec).toBe(12_000);
  expect(chapters.slice(1).map(({ startSec }) => startSec)).toEqual(
    chapters.slice(0, -1).map(({ endSec }) => endSec),
  );
});

it("again after all was sent -> no piece is sent again", async () => {
  const { state, publish } = await setUp();
  await publish();
  state.calls = [];
  await publish();
  expect(state.calls).toEqual(["outline 3", "begin"]);
});

it("the database goes away in between -> thrown; the next attempt goes on from there", async () => {
  const { state, publish } = await setUp();
  state.awayAfter = 4;
  await expect(publish()).rejects.toMatchObject({ code: "ledger_unavailable" });
  state.awayAfter = Infinity;
  state.calls = [];
  await publish();
  expect(state.calls).toEqual([
    "outline 3",
    "begin",
    "append 128 64",
    "append 192 8",
    "activate 200",
  ]);
  expect(state.pieces).toHaveLength(200);
});

it.each([0, 1, 2])("over after %i answers -> nothing more is sent, and no error", async (n) => {
  const { state, publish } = await setUp();
  state.overAfter = n;
  await publish();
  expect(state.calls).toHaveLength(n + 1);
});

it("without speech sends the outline alone", async () => {
  const { state, publish } = await setUp({ segments: [] });
  await publish();
  expect(state.calls).toEqual(["outline 3"]);
});

it.each(["und", "", "no language at all"])("a language %j is not told", async (language) => {
  const { state, publish } = await setUp({ language });
  await publish();
  expect([state.active === undefined, state.language]).toEqual([false, undefined]);
});
