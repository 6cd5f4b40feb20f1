// Transcripts and outlines as the pipeline publishes them, and the study that a job ends with.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { api, internal } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { type Backend, createBackend, createJob, standInEnvironment } from "./testing.setup.ts";
import { A, B, TALK, type Task, pieces, pipelineAt, readersAt } from "./transcripts.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});
const { atFinish, begin, append, activate, publish } = pipelineAt(() => backend);
const { ada, settle, search, read, cues } = readersAt(() => backend);

describe("a transcript from the pipeline", () => {
  it("is found and read by its owner once it is whole", async () => {
    const { task, videoId } = await atFinish();
    expect(await begin(task, A)).toEqual({ kind: "append", next: 0 });
    expect(await append(task, A, 0, TALK.slice(0, 2))).toEqual({ kind: "appended", next: 2 });
    expect(await search("leases")).toEqual([]);
    await expect(activate(task, A, 3)).rejects.toMatchObject({ data: { code: "conflict" } });
    expect(await append(task, A, 2, TALK.slice(2))).toEqual({ kind: "appended", next: 3 });
    expect(await activate(task, A, 3)).toEqual({ kind: "active" });
    expect(await search("leases")).toEqual([
      { videoId, title: "A talk", text: "about leases", startSec: 60, endSec: 118 },
    ]);
    expect(await read(videoId)).toEqual(TALK.map(({ text }) => text));
  });

  it("every call sent twice -> the same, and nothing twice", async () => {
    const { task, videoId } = await atFinish();
    await begin(task, A);
    await append(task, A, 0, TALK.slice(0, 2));
    expect(await append(task, A, 0, TALK.slice(0, 2))).toEqual({ kind: "appended", next: 2 });
    expect(await begin(task, A)).toEqual({ kind: "append", next: 2 });
    expect(await append(task, A, 1, TALK.slice(1))).toEqual({ kind: "appended", next: 3 });
    await activate(task, A, 3);
    expect(await activate(task, A, 3)).toEqual({ kind: "active" });
    expect(await begin(task, A)).toEqual({ kind: "active" });
    expect(await read(videoId)).toHaveLength(3);
    expect(await cues()).toHaveLength(3);
  });

  it("a newer generation -> the older one is read until then, and goes in steps", async () => {
    const { task, videoId } = await atFinish();
    const long = Array.from({ length: 3 }, (_, k) =>
      Array.from({ length: 64 }, (_, i) => ({
        startSec: 64 * k + i,
        endSec: 64 * k + i + 1,
        text: `word${64 * k + i}`,
      })),
    );
    await begin(task, A);
    for (const [k, some] of long.entries()) await append(task, A, 64 * k, some);
    await activate(task, A, 192);
    await settle();
    await begin(task, B);
    await append(task, B, 0, TALK);
    expect(await read(videoId, 1)).toEqual(["word0"]);
    await activate(task, B, 3);
    expect(await search("word1")).toEqual([]);
    expect(await read(videoId, 1)).toEqual(["welcome everybody"]);
    await settle();
    expect(await cues()).toHaveLength(3);
  });

  it("a generation that is given up -> goes, and may come back", async () => {
    const { task } = await atFinish();
    await begin(task, A);
    await append(task, A, 0, TALK.slice(0, 2));
    await publish(task, B);
    expect(await append(task, A, 2, TALK.slice(2))).toEqual({ kind: "over" });
    expect(await activate(task, A, 2)).toEqual({ kind: "over" });
    await settle();
    expect(await cues()).toHaveLength(3);
    expect(await begin(task, A)).toEqual({ kind: "append", next: 0 });
  });

  it("a generation that comes back while it is going -> has no gaps", async () => {
    const { task, videoId } = await atFinish();
    const long = pieces(...Array.from({ length: 150 }, (_, i) => `word${i}`));
    const send = async (from: number) => {
      for (let at = from; at < 150; at += 64) await append(task, A, at, long.slice(at, at + 64));
    };
    await begin(task, A);
    await send(0);
    await begin(task, B);
    await backend.nobody.mutation(internal.transcripts.tidy, { videoId });
    const begun = await begin(task, A);
    expect(begun).toEqual({ kind: "append", next: 22 });
    await send(22);
    await activate(task, A, 150);
    await settle();
    expect(await read(videoId, 200)).toEqual(long.map(({ text }) => text));
  });

  it("a task without its lease, an older job, a video that goes -> nothing is published", async () => {
    const { task, videoId } = await atFinish();
    expect(await begin({ ...task, attempt: 9 }, A)).toEqual({ kind: "over" });
    const outline = { chapters: [], highlights: [] };
    const put = (over: Partial<Task> = {}) =>
      backend.service.mutation(api.transcripts.publishOutline, { ...task, ...over, ...outline });
    expect(await put({ attempt: 9 })).toEqual({ kind: "over" });
    await createJob(backend, { idempotencyKey: "newer" });
    expect(await publish(task)).toEqual({ kind: "over" });
    await backend.nobody.run((ctx) =>
      ctx.db.patch("videos", videoId, { jobId: task.jobId, deletingAt: 1 }),
    );
    expect(await put()).toEqual({ kind: "over" });
    await backend.nobody.run((ctx) => ctx.db.delete("videos", videoId));
    expect(await begin(task, A)).toEqual({ kind: "over" });
    expect(await cues()).toEqual([]);
  });

  it.each<[string, (task: Task) => Promise<unknown>]>([
    ["a generation that is no hash", (task) => begin(task, "x")],
    ["a gap", (task) => append(task, A, 1, TALK)],
    ["half a number", (task) => append(task, A, 0.5, TALK)],
    ["no text", (task) => append(task, A, 0, pieces(" "))],
    ["4 KiB and more", (task) => append(task, A, 0, pieces("x".repeat(4097)))],
    ["too many", (task) => append(task, A, 0, pieces(...Array<string>(65).fill("x")))],
    ["NaN", (task) => append(task, A, 0, [{ startSec: Number.NaN, endSec: 1, text: "x" }])],
    ["backwards", (task) => append(task, A, 0, [{ startSec: 2, endSec: 1, text: "x" }])],
    ["out of order", (task) => append(task, A, 0, TALK.toReversed())],
    ["endless", (task) => append(task, A, 0, [{ startSec: 0, endSec: Infinity, text: "x" }])],
  ])("%s -> refused", async (_name, call) => {
    const { task } = await atFinish();
    await begin(task, A);
    await expect(call(task)).rejects.toMatchObject({ data: { code: "invalid_request" } });
  });
});

const outlineOf = (videoId: Id<"videos">) => ada().query(api.transcripts.getOutline, { videoId });

describe("an outline", () => {
  const chapter = { title: "Start", startSec: 0, endSec: 60 };
  const highlight = { rank: 1, startSec: 3, endSec: 9, score: 2.5, title: "Leases" };

  it("takes the place of the one before", async () => {
    const { task, videoId } = await atFinish();
    expect(await outlineOf(videoId)).toBeNull();
    const put = (chapters: (typeof chapter)[]) =>
      backend.service.mutation(api.transcripts.publishOutline, {
        ...task,
        chapters,
        highlights: [highlight],
      });
    await put([chapter, chapter]);
    expect(await put([chapter])).toEqual({ kind: "published" });
    expect(await outlineOf(videoId)).toEqual({ chapters: [chapter], highlights: [highlight] });
  });

  it.each([
    { chapters: Array.from({ length: 201 }, () => chapter), highlights: [] },
    { chapters: [], highlights: Array.from({ length: 101 }, () => highlight) },
    { chapters: [{ ...chapter, title: "x".repeat(301) }], highlights: [] },
    { chapters: [{ ...chapter, startSec: -1 }], highlights: [] },
    { chapters: [{ ...chapter, endSec: Infinity }], highlights: [] },
    { chapters: [], highlights: [{ ...highlight, score: Number.NaN }] },
  ])("beyond its limits -> refused", async (outline) => {
    const { task } = await atFinish();
    await expect(
      backend.service.mutation(api.transcripts.publishOutline, { ...task, ...outline }),
    ).rejects.toMatchObject({ data: { code: "invalid_request" } });
  });
});

describe("a job that ends with `study`", () => {
  const end = async (options = {}) => {
    const { task, videoId, message } = await atFinish({ options: AnalysisOptions.parse(options) });
    await publish(task);
    await backend.service.mutation(api.ledger.commit, {
      ...task,
      output: { key: A, summary: {} },
      warnings: [],
    });
    expect(message.stage).toBe("finish");
    return backend.nobody.run((ctx) => ctx.db.get("videos", videoId));
  };
  const configure = () => {
    vi.stubEnv("NOTES_GENERATION_ENDPOINT", "http://127.0.0.1:9/notes");
    vi.stubEnv("QUIZ_GENERATION_ENDPOINT", "http://127.0.0.1:9/quiz");
  };

  it("has notes and quiz made, where that is set up", async () => {
    configure();
    expect(await end()).toMatchObject({
      status: "Completed",
      libraryStatus: "processing",
      study: { state: "processing", run: 1 },
    });
  });

  it("without endpoints, or without the option -> no study, and no failure", async () => {
    expect(await end()).toMatchObject({ libraryStatus: "completed" });
    configure();
    const video = await end({ study: false });
    expect(video?.libraryStatus).toBe("completed");
    expect(video?.study).toBeUndefined();
  });
});
