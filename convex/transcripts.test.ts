// Transcripts and outlines as the pipeline publishes them and people read them.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { api, internal } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { onTranscriptGiven } from "./model/library/generations.ts";
import { insertVideo } from "./model/library/status.ts";
import { hashPieces, inSpan, loadPieces } from "./model/library/transcript.ts";
import {
  type Backend,
  claimRun,
  createBackend,
  createJob,
  ownerIdOf,
  resultOf,
  runTask,
  standInEnvironment,
} from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

const PLAN = { media: 1, chat: 0, transcribe: 1, clips: 0 };
const ada = () => backend.user("ada");
const settle = () => backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);

/** A job whose last stage runs, as the task that publishes. */
const atFinish = async (over: Parameters<typeof createJob>[1] = {}) => {
  const { job, messages } = await createJob(backend, over);
  const queue = [...messages];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { jobId, stage, index } = next;
    if (stage === "finish") {
      const { attempt } = await claimRun(backend, next);
      const videoId = job.videoId as Id<"videos">;
      return { task: { jobId, stage, index, attempt }, videoId, message: next };
    }
    queue.push(...(await runTask(backend, next, resultOf(PLAN, stage))).messages);
  }
  throw new Error("no finish");
};
type Task = Awaited<ReturnType<typeof atFinish>>["task"];

const A = "a".repeat(64);
const B = "b".repeat(64);
const pieces = (...texts: string[]) =>
  texts.map((text, i) => ({ startSec: 60 * i, endSec: 60 * i + 58, text }));
const TALK = pieces("welcome everybody", "about leases", "and goodbye");
const begin = (task: Task, generation: string) =>
  backend.service.mutation(api.transcripts.beginTranscript, { ...task, generation });
const append = (task: Task, generation: string, first: number, some: typeof TALK) =>
  backend.service.mutation(api.transcripts.appendTranscript, {
    ...task,
    generation,
    first,
    pieces: some,
  });
const activate = (task: Task, generation: string, count: number) =>
  backend.service.mutation(api.transcripts.activateTranscript, {
    ...task,
    generation,
    count,
    language: "en",
  });
const publish = async (task: Task, generation = A, some = TALK) => {
  await begin(task, generation);
  await append(task, generation, 0, some);
  return activate(task, generation, some.length);
};
const search = (query: string, over: { videoId?: Id<"videos">; limit?: number } = {}) =>
  ada().query(api.transcripts.searchTranscripts, { query, ...over });
const read = async (videoId: Id<"videos">, numItems = 10) =>
  (
    await ada().query(api.transcripts.getTranscript, {
      videoId,
      paginationOpts: { numItems, cursor: null },
    })
  ).page.map(({ text }) => text);
const cues = () => backend.nobody.run((ctx) => ctx.db.query("transcriptCues").take(1000));

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

describe("search and reading", () => {
  it("finds one's own alone; an admin finds in the video named", async () => {
    const { task, videoId } = await atFinish();
    await publish(task);
    const ben = backend.user("ben");
    const eve = backend.user("eve", "admin");
    const find = (who: typeof ben, over = {}) =>
      who.query(api.transcripts.searchTranscripts, { query: "leases", ...over });
    expect(await find(ben)).toEqual([]);
    expect(await find(ada(), { query: " " })).toEqual([]);
    await expect(find(ben, { videoId })).rejects.toMatchObject({ data: { code: "not_found" } });
    expect(await find(eve)).toEqual([]);
    expect(await find(eve, { videoId })).toHaveLength(1);
    const paginationOpts = { numItems: 5, cursor: null };
    await expect(
      ben.query(api.transcripts.getTranscript, { videoId, paginationOpts }),
    ).rejects.toMatchObject({ data: { code: "not_found" } });
    await expect(ben.query(api.transcripts.getOutline, { videoId })).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    await expect(
      ada().mutation(api.transcripts.beginTranscript, { ...task, generation: A }),
    ).rejects.toMatchObject({ data: { code: "forbidden" } });
  });

  it.each([{ query: "x".repeat(501) }, { query: "x", limit: 0 }, { query: "x", limit: 51 }])(
    "%o -> refused",
    async (args) => {
      await expect(ada().query(api.transcripts.searchTranscripts, args)).rejects.toMatchObject({
        data: { code: "invalid_request" },
      });
    },
  );

  it("gives pages, however many are asked for", async () => {
    const { task, videoId } = await atFinish();
    await publish(task);
    const page = (numItems: number, cursor: string | null) =>
      ada().query(api.transcripts.getTranscript, { videoId, paginationOpts: { numItems, cursor } });
    const first = await page(2, null);
    expect([first.page.length, first.isDone]).toEqual([2, false]);
    expect((await page(2, first.continueCursor)).page).toEqual([TALK[2]]);
    expect((await page(1e9, null)).page).toHaveLength(3);
    expect((await page(-1, null)).page).toHaveLength(1);
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

const addVideo = (transcript: string) =>
  backend.nobody.run((ctx) =>
    insertVideo(ctx, { ownerId: ownerIdOf("ada"), title: "Mine", transcript }),
  );
const give = (videoId: Id<"videos">, transcript: string | undefined) =>
  backend.nobody.run(async (ctx) => {
    await ctx.db.patch("videos", videoId, { transcript });
    await onTranscriptGiven(ctx, videoId);
  });
const textOf = (videoId: Id<"videos">, span = {}) =>
  backend.nobody.run(async (ctx) => {
    const video = await ctx.db.get("videos", videoId);
    const pieces = video ? await loadPieces(ctx, video) : [];
    return inSpan(pieces, span)
      .map(({ text }) => text)
      .join(" ");
  });

describe("a transcript that comes with its video", () => {
  const long = Array.from({ length: 15_000 }, (_, i) => `w${i}`).join(" ");

  it("is read at once, and found a little later", async () => {
    const videoId = await addVideo(long);
    await give(videoId, long);
    expect(await read(videoId)).toEqual([long]);
    expect(await textOf(videoId, { startSec: 5, endSec: 6 })).toBe(long);
    await settle();
    expect((await cues()).length).toBeGreaterThan(64);
    expect((await cues()).map(({ text }) => text).join(" ")).toBe(long);
    expect((await search("w14999"))[0]?.text).toContain("w14999");
    expect(await textOf(videoId)).toBe(long);
  });

  it("edited -> the new one counts; taken away -> nothing is left", async () => {
    const videoId = await addVideo("old words");
    await give(videoId, "old words");
    await settle();
    await give(videoId, "new words");
    expect(await read(videoId)).toEqual(["new words"]);
    await settle();
    expect(await search("old")).toEqual([]);
    expect(await search("new")).toHaveLength(1);
    await give(videoId, undefined);
    expect(await read(videoId)).toEqual([]);
    await settle();
    expect(await cues()).toEqual([]);
  });
});

describe("spans and what cites them", () => {
  it("a span has the pieces that are said in it", async () => {
    const { task, videoId } = await atFinish();
    await publish(task);
    expect(await textOf(videoId)).toBe("welcome everybody about leases and goodbye");
    expect(await textOf(videoId, { startSec: 70, endSec: 110 })).toBe("about leases");
    expect(await textOf(videoId, { startSec: 110 })).toBe("about leases and goodbye");
    expect(await textOf(videoId, { endSec: 60 })).toBe("welcome everybody");
    expect(await textOf(videoId, { startSec: 119, endSec: 120 })).toBe("");
    expect(await textOf(videoId, { startSec: 500 })).toBe("");
  });

  it("an item is stale while the span it cites says something else, and no other item", async () => {
    const { task, videoId } = await atFinish();
    await publish(task);
    const spans = [{ endSec: 60 }, { startSec: 60, endSec: 118 }, { startSec: 65, endSec: 70 }, {}];
    const ids = await backend.nobody.run(async (ctx) => {
      const video = (await ctx.db.get("videos", videoId)) as Doc<"videos">;
      const courseId = await ctx.db.insert("courses", { name: "C", createdAt: 0, updatedAt: 0 });
      const chapterId = await ctx.db.insert("chapters", {
        courseId,
        name: "c",
        order: 1,
        createdAt: 0,
      });
      const all = await loadPieces(ctx, video);
      const made: Id<"contentItems">[] = [];
      // More than one step looks at.
      for (let order = 0; order < 20; order += 1) {
        const span = spans[order % spans.length]!;
        const textHash = await hashPieces(inSpan(all, span));
        made.push(
          await ctx.db.insert("contentItems", {
            chapterId,
            type: "text",
            order,
            citation: { videoId, ...span, textHash },
            createdAt: 0,
          }),
        );
      }
      return made;
    });
    const stale = () =>
      backend.nobody.run(async (ctx) => {
        const items = await Promise.all(ids.map((id) => ctx.db.get("contentItems", id)));
        return items.map((item) => item?.staleAt !== undefined);
      });
    await settle();
    expect(await stale()).toEqual(ids.map(() => false));
    await publish(task, B, pieces("welcome everybody", "about  caches", "and goodbye"));
    await settle();
    expect(await stale()).toEqual(ids.map((_, i) => i % 4 !== 0));
    await publish(task, A);
    await settle();
    expect(await stale()).toEqual(ids.map(() => false));
    await give(videoId, "something else");
    await settle();
    expect(await stale()).toEqual(ids.map(() => true));
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
