// Transcripts as people find, read, give and cite them, and what is stale when one says something else.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { onTranscriptGiven } from "./model/library/generations.ts";
import { insertVideo } from "./model/library/status.ts";
import { hashPieces, inSpan, loadPieces } from "./model/library/transcript.ts";
import { type Backend, createBackend, ownerIdOf, standInEnvironment } from "./testing.setup.ts";
import { A, B, TALK, pieces, pipelineAt, readersAt } from "./transcripts.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});
const { atFinish, publish } = pipelineAt(() => backend);
const { ada, settle, search, read, cues } = readersAt(() => backend);

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
