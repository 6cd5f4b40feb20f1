// What the last stage leaves in the job's folder, when it is run again over what is there.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { memoryStore } from "../../../tests/memoryStore.ts";
import type { JobObjects } from "../../assets/jobObjects.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import type { OutputRef, TaskInput } from "../../contract/ledger.ts";
import { AnalysisOptions } from "../../contract/options.ts";
import { createLog } from "../log.ts";
import { storeResult } from "../results.ts";
import { runTask } from "../runTask.ts";
import type { StageDefinition } from "../stage.ts";
import { CLIP_VIDEO } from "./clips.ts";
import { highlightsObject } from "./documents.ts";
import { finishStage } from "./finish.ts";
import { PLAN, type Plan } from "./plan.ts";

const KEY = "0".repeat(64);
const OTHER_KEY = "1".repeat(64);
const FOLDER = "jobs/j1/";
const TASK = { jobId: "j1", stage: "finish", index: 0 } as const;
const plan: Plan = {
  source: {
    provider: "url",
    identity: "i",
    durationSec: 60,
    startPtsSec: 0,
    audio: null,
    video: null,
    playable: {
      kind: "file",
      location: { in: "http", url: "https://example.com/a.mp4" },
      sizeBytes: 1,
      demuxer: "mp4",
    },
    warnings: [],
  },
  identity: "i",
  startSec: 0,
  endSec: 60,
  samplesPerPixel: 1024,
  ranges: [],
  chat: { kind: "none" },
  speech: "captions",
};

const jsonObject = (name: string, value: unknown) => ({
  name,
  contentType: "application/json",
  body: JSON.stringify(value),
});

let store: ObjectStore;
let scratchRoot: string;
beforeEach(async () => {
  scratchRoot = await mkdtemp(join(tmpdir(), "finish-"));
  store = memoryStore();
  const put = (stage: "ingest" | "analyze" | "highlights", key: string, ...objects: object[]) =>
    storeResult(
      store,
      stage,
      key,
      { objects: objects as ReturnType<typeof jsonObject>[], summary: {} },
      new AbortController().signal,
    );
  await put("ingest", KEY, jsonObject(PLAN, plan));
  await put("analyze", KEY, jsonObject("a.json", "of the first"));
  await put("analyze", OTHER_KEY, jsonObject("a.json", "other"), jsonObject("b.json", "more"));
  await put("highlights", KEY, highlightsObject({ chatDelaySec: 0, highlights: [] }));
});
afterEach(() => rm(scratchRoot, { recursive: true }));

const inputOf = (analyze: string, clips: OutputRef[] = []): TaskInput => ({
  ...TASK,
  videoId: "v1",
  ownerId: "o1",
  url: "https://example.com/a.mp4",
  options: AnalysisOptions.parse({ clips: false }),
  retryCount: 0,
  startedAt: 0,
  upstream: {
    ingest: [{ key: KEY, summary: {} }],
    analyze: [{ key: analyze, summary: {} }],
    highlights: [{ key: KEY, summary: {} }],
    clips,
  },
  warnings: [],
});

const unused = () => Promise.reject(new Error("Not of this test."));

const stageThatSays = (said: JobObjects[]): StageDefinition =>
  finishStage({
    store,
    assets: {
      openScenes: unused,
      beginUpload: unused,
      jobReady: async (_jobId, _scenes, objects) => void said.push(objects),
    },
    library: {
      publishOutline: async () => ({ kind: "over" }),
      beginTranscript: unused,
      appendTranscript: unused,
      activateTranscript: unused,
    },
    ffmpeg: unused,
  });

/** Runs the stage as a task of its own. @returns what it said is there */
const finish = async (analyze: string): Promise<JobObjects> => {
  const said: JobObjects[] = [];
  const input = inputOf(analyze);
  const definition = stageThatSays(said);
  const outcome = await runTask({ v: 1, ...TASK }, definition, {
    ledger: {
      claim: async () => ({ kind: "run", attempt: 1, leaseMs: 60_000, input }),
      heartbeat: async () => ({ kind: "ok" }),
      commit: async () => ({ kind: "committed", messages: [], deliveryIds: [] }),
      fail: unused,
      release: unused,
    },
    store,
    publish: async () => undefined,
    log: createLog({}, () => undefined),
    scratchRoot,
    scratchBytes: 1024 ** 2,
    taskTimeoutMs: 60_000,
    shutdown: new AbortController().signal,
  });
  expect(outcome).toBe("ack");
  return said[0] as JobObjects;
};

/** What was said, and what there is. */
const bothAccounts = async ({ session, outputs }: JobObjects) => {
  const said = [session.manifestAsset, ...outputs.map(({ object }) => object)];
  return {
    said: said.map(({ key, sha256 }) => `${key} ${sha256}`).toSorted(),
    stored: (await store.list(FOLDER)).map(({ name, sha256 }) => `${name} ${sha256}`).toSorted(),
  };
};

it("leaves what is there as it is", async () => {
  const first = await bothAccounts(await finish(KEY));
  expect(first.said).toEqual(first.stored);
  expect(first.stored).toHaveLength(3);
  expect(await bothAccounts(await finish(KEY))).toEqual(first);
});

it.each(["a.json", "manifest.json"])("makes a lost %s anew", async (name) => {
  await finish(KEY);
  await store.delete(FOLDER + name);
  const { said, stored } = await bothAccounts(await finish(KEY));
  expect(said).toEqual(stored);
  expect(stored).toHaveLength(3);
});

it("takes its folder back from a run in between that had other results", async () => {
  await finish(KEY);
  expect((await finish(OTHER_KEY)).outputs.map(({ name }) => name)).toContain("b.json");
  const again = await finish(KEY);
  expect(again.outputs.map(({ name }) => name)).not.toContain("b.json");
  expect(Buffer.from(await store.read(`${FOLDER}a.json`)).toString()).toContain("of the first");
});

it("says before it begins that clips and reel have no room together", async () => {
  const clip = { name: CLIP_VIDEO, contentType: "video/mp4", body: Buffer.alloc(600) };
  const whole = { objects: [clip], summary: {} };
  await storeResult(store, "clips", KEY, whole, new AbortController().signal);
  const clips = [
    { key: KEY, summary: {} },
    { key: KEY, summary: {} },
  ];
  const run = (scratchBytes: number) =>
    stageThatSays([]).run(inputOf(KEY, clips), {
      signal: new AbortController().signal,
      scratchDir: scratchRoot,
      scratchBytes,
      progress: () => undefined,
    });
  await expect(run(2399)).rejects.toMatchObject({ code: "resources_exhausted" });
  expect(await readdir(scratchRoot)).toEqual([]);
  // With room, the next thing is to read how the clips were made.
  await expect(run(2400)).rejects.toMatchObject({ code: "not_found" });
});
