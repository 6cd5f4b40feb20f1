// What a search finds, in which order, whatever is searched for.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
import { beforeEach, describe, expect, it } from "vitest";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

const schema = defineSchema({
  notes: defineTable({
    title: v.string(),
    body: v.optional(v.string()),
    owner: v.any(),
    kind: v.optional(v.string()),
  }).searchIndex("by_body", { searchField: "body", filterFields: ["owner", "kind"] }),
});
type Filters = Record<string, unknown>;

let engine: OpenEngine;
const add = (title: string, body: string | undefined, more: Record<string, unknown> = {}) =>
  engine.mutation<string>((ctx) =>
    ctx.db.insert("notes", {
      title,
      owner: null,
      ...(body === undefined ? {} : { body }),
      ...more,
    }),
  );
const search = (text: string, filters: Filters = {}) =>
  engine.query<string[]>(async (ctx) => {
    const found = (await ctx.db
      .query("notes")
      .withSearchIndex("by_body", (q: { search(f: string, t: string): never }) =>
        Object.entries(filters).reduce<{ eq(f: string, v: unknown): never }>(
          (range, [field, value]) => range.eq(field, value),
          q.search("body", text),
        ),
      )
      .collect()) as { title: string }[];
    return found.map(({ title }) => title);
  });

beforeEach(() => {
  engine = openEngine({ schema });
});

describe("a search", () => {
  it("finds any of the words, the last also as a beginning", async () => {
    await add("both", "The quick brown fox");
    await add("one", "a slow brownie");
    await add("none", "something else");
    await add("no text", undefined);
    expect((await search("quick brown")).toSorted()).toEqual(["both", "one"]);
    expect(await search("brown quick")).toEqual(["both"]);
    expect(await search("QUI")).toEqual(["both"]);
    expect(await search("qui quick")).toEqual(["both"]);
    expect(await search("uick")).toEqual([]);
  });

  it("puts first what matches best, and of equals the later one", async () => {
    await add("once", "apple and many other words that are not it at all");
    await add("twice", "apple apple");
    await add("rare too", "apple zebra");
    expect((await search("zebra apple"))[0]).toBe("rare too");
    expect((await search("apple")).slice(-1)).toEqual(["once"]);
    await add("same a", "lemon");
    await add("same b", "lemon");
    expect(await search("lemon")).toEqual(["same b", "same a"]);
  });

  it("takes only what is equal to its filters, of every type", async () => {
    const owners: [string, unknown][] = [
      ["text", "1"],
      ["number", 1],
      ["long", 1n],
      ["null", null],
      ["list", ["1"]],
      ["missing kind", "k"],
    ];
    for (const [title, owner] of owners)
      await add(title, "word", { owner, ...(title === "missing kind" ? {} : { kind: "x" }) });
    for (const [title, owner] of owners) expect(await search("word", { owner })).toEqual([title]);
    expect(await search("word", { kind: undefined })).toEqual(["missing kind"]);
    expect(await search("word", { kind: "x", owner: 1 })).toEqual(["number"]);
    expect(await search("word", { kind: "y" })).toEqual([]);
  });

  it("follows changes of the text and of the filter fields, and deletes", async () => {
    const id = await add("note", "before", { owner: "ada" });
    const patch = (fields: Record<string, unknown>) =>
      engine.mutation((ctx) => ctx.db.patch(id, fields));
    await patch({ body: "after" });
    expect([await search("before"), await search("after")]).toEqual([[], ["note"]]);
    await patch({ owner: "bo" });
    expect([
      await search("after", { owner: "ada" }),
      await search("after", { owner: "bo" }),
    ]).toEqual([[], ["note"]]);
    await patch({ title: "renamed" });
    expect(await search("after")).toEqual(["renamed"]);
    await patch({ body: undefined });
    expect(await search("after")).toEqual([]);
    await patch({ body: "back" });
    expect(await search("back")).toEqual(["renamed"]);
    await engine.mutation((ctx) => ctx.db.delete(id));
    expect(await search("back")).toEqual([]);
  });

  it("sees what its own transaction wrote, and nothing that was rolled back", async () => {
    const failing = engine.mutation(async (ctx) => {
      await ctx.db.insert("notes", { title: "gone", body: "fleeting", owner: null });
      const seen = await ctx.db
        .query("notes")
        .withSearchIndex("by_body", (q: { search(f: string, t: string): unknown }) =>
          q.search("body", "fleeting"),
        )
        .collect();
      throw new Error(`saw ${seen.length}`);
    });
    await expect(failing).rejects.toThrow("saw 1");
    expect(await search("fleeting")).toEqual([]);
  });

  it("knows words of other scripts, and letters with marks of their own", async () => {
    await add("accent", "un café serré");
    await add("decomposed", "el cafe\u0301s");
    await add("greek", "Αθήνα σήμερα");
    await add("han", "東京 タワー");
    await add("emoji", "party 🎉 time");
    expect(await search("café")).toEqual(["accent"]);
    expect(await search("cafe\u0301s")).toEqual(["decomposed"]);
    expect(await search("αθή")).toEqual(["greek"]);
    expect(await search("東京")).toEqual(["han"]);
    expect(await search("🎉 tim")).toEqual(["emoji"]);
  });

  it.each([
    '"',
    '"""',
    'word" OR title : *',
    "NEAR(word other, 5)",
    "word NOT other",
    "word AND",
    "* ^ : - + ( )",
    "filters : f0",
    "{text filters} : word",
    "word;DROP TABLE notes",
    "\0word",
    "''",
    "🎉",
    "",
    "   ",
    "\ud800word",
    "x ".repeat(10_000),
    "y".repeat(100_000),
  ])("takes hostile text for words: %j", async (text) => {
    await add("note", "word near other not and or");
    const found = await search(text);
    expect(found.length).toBeLessThanOrEqual(1);
    expect(await search("word")).toEqual(["note"]);
  });

  it("of no words finds nothing", async () => {
    await add("note", "word");
    for (const text of ["", '"*"', "🎉"]) expect(await search(text)).toEqual([]);
  });

  it("says which filter, field or index is wrong", async () => {
    await expect(search("word", { title: "x" })).rejects.toThrow('no filter field "title"');
    const over = (index: string, field: string) =>
      engine.query((ctx) =>
        ctx.db
          .query("notes")
          .withSearchIndex(index, (q: { search(f: string, t: string): unknown }) =>
            q.search(field, "x"),
          )
          .first(),
      );
    await expect(over("by_body", "title")).rejects.toThrow('is over the field "body", not "title"');
    await expect(over("by_title", "title")).rejects.toThrow('no search index "by_title"');
  });
});
