// Starts over one file with one schema after another: what becomes of its tables and indexes.
import { defineSchema, defineTable } from "convex/server";
import { type Validator, v } from "convex/values";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Schema } from "./declared.ts";
import { openDatabase } from "./format.ts";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

let db: DatabaseSync;
beforeEach(() => {
  db = openDatabase();
});
afterEach(() => db.close());

const text = { name: v.string(), text: v.optional(v.string()) };
const rows = () => defineTable(text);
/** A start over the same file with another schema. */
const start = (tables: Parameters<typeof defineSchema>[0], components: Mounted[] = []) =>
  openEngine({ db, schema: defineSchema(tables), components });
type Mounted = { path: string; schema: Schema; modules: Record<string, never> };

const entriesOf = (): number =>
  (db.prepare("SELECT count(*) AS count FROM entries").get() as { count: number }).count;
const namesBy = (engine: OpenEngine, index: string) =>
  engine.query(async (ctx) => {
    const found = await ctx.db.query("rows").withIndex(index).collect();
    return found.map(({ name }: { name: string }) => name);
  });
const fill = (engine: OpenEngine, names: string[]) =>
  engine.mutation(async (ctx) => {
    for (const name of names) await ctx.db.insert("rows", { name, text: `${name} there` });
  });

it("a new index is filled, a changed one is filled anew, one that is gone is emptied", async () => {
  await fill(start({ rows: rows() }), ["b", "c", "a"]);
  const entries = entriesOf();
  const withIndex = start({ rows: rows().index("by_name", ["name"]) });
  expect(await namesBy(withIndex, "by_name")).toEqual(["a", "b", "c"]);
  expect(entriesOf()).toBe(entries + 3);
  const changed = start({ rows: rows().index("by_name", ["text", "name"]) });
  expect(entriesOf()).toBe(entries + 3);
  await changed.mutation((ctx) => ctx.db.insert("rows", { name: "z" }));
  expect(await namesBy(changed, "by_name")).toEqual(["z", "a", "b", "c"]);
  const without = start({ rows: rows() });
  expect(entriesOf()).toBe(entries + 2);
  await expect(namesBy(without, "by_name")).rejects.toThrow('Cannot use index "by_name"');
});

it("a table that the schema no longer names keeps its documents and loses its indexes", async () => {
  await fill(start({ rows: rows().index("by_name", ["name"]) }), ["b", "a"]);
  const without = start({ others: rows() });
  await expect(namesBy(without, "by_name")).rejects.toThrow('Cannot use index "by_name"');
  await without.mutation((ctx) => ctx.db.insert("rows", { name: 5 }));
  expect(await namesBy(without, "by_creation_time")).toEqual(["b", "a", 5]);
  const numbered = { name: v.union(v.string(), v.number()), text: v.optional(v.string()) };
  const again = start({ rows: defineTable(numbered).index("by_name", ["name"]) });
  expect(await namesBy(again, "by_name")).toEqual([5, "a", "b"]);
});

it("a search index is filled, changed and dropped", async () => {
  const search = (engine: OpenEngine, word: string) =>
    engine.query((ctx) =>
      ctx.db
        .query("rows")
        .withSearchIndex("search", (q: { search(field: string, text: string): unknown }) =>
          q.search("text", word),
        )
        .collect(),
    );
  await fill(start({ rows: rows() }), ["here"]);
  const over = (filterFields: "name"[]) =>
    rows().searchIndex("search", { searchField: "text", filterFields });
  expect(await search(start({ rows: over([]) }), "there")).toHaveLength(1);
  expect(await search(start({ rows: over(["name"]) }), "there")).toHaveLength(1);
  await expect(search(start({ rows: rows() }), "there")).rejects.toThrow("no search index");
  expect(await search(start({ rows: over([]) }), "there")).toHaveLength(1);
});

it("a document that does not fit is named, and nothing is changed", async () => {
  const first = start({ rows: rows().index("by_name", ["name"]) });
  await fill(first, ["a", "b"]);
  const [{ _id: id }] = (await first.query<{ _id: string }[]>((ctx) =>
    ctx.db.query("rows").collect(),
  )) as [{ _id: string }];
  const dump = () =>
    JSON.stringify(
      ["tables", "indexes", "search_indexes", "entries"].map((table) =>
        db.prepare(`SELECT * FROM ${table}`).all(),
      ),
    );
  const before = dump();
  const strict = {
    rows: defineTable({ name: v.string(), text: v.number() as unknown as Validator<string> })
      .index("by_text", ["text"])
      .searchIndex("search", { searchField: "name" }),
    more: rows(),
  };
  expect(() => start(strict)).toThrow(
    `Document ${id} in table rows does not match the schema: Validator error: Expected number at .text, got "a there".`,
  );
  expect(dump()).toBe(before);
  expect(db.isTransaction).toBe(false);
});

it("without validation, documents may be as they like", async () => {
  await fill(start({ rows: rows() }), ["a"]);
  const schema = defineSchema(
    { rows: defineTable({ name: v.number() }) },
    { schemaValidation: false },
  );
  const engine = openEngine({ db, schema });
  await engine.mutation((ctx) => ctx.db.insert("rows", { any: [1] }));
  expect(await engine.query((ctx) => ctx.db.query("rows").count())).toBe(2);
});

it("a table that no schema names is there when it is written, and gone when that is rolled back", async () => {
  const engine = start({});
  await expect(
    engine.mutation(async (ctx) => {
      await ctx.db.insert("loose", { a: 1 });
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  const id = await engine.mutation((ctx) => ctx.db.insert("loose", { a: 2 }));
  expect(await engine.query((ctx) => ctx.db.query("loose").collect())).toMatchObject([
    { _id: id, a: 2 },
  ]);
  expect(await start({}).query((ctx) => ctx.db.get(id))).toMatchObject({ a: 2 });
});

it("a table that a query is the first to name is there with its indexes, or not at all", async () => {
  const engine = start({});
  const read = () => engine.query((ctx) => ctx.db.query("loose").collect());
  db.exec(
    "CREATE TRIGGER cut_off BEFORE INSERT ON indexes WHEN new.name = 'by_id' BEGIN SELECT RAISE(ABORT, 'cut off'); END",
  );
  await expect(read()).rejects.toThrow("cut off");
  db.exec("DROP TRIGGER cut_off");
  expect(await read()).toEqual([]);
});

it("a component's tables are its own, and stay when it is not mounted for a while", async () => {
  const schema = defineSchema({ rows: rows().index("by_name", ["name"]) });
  const mounted = [{ path: "part", schema, modules: {} }];
  const both = start({ rows: rows() }, mounted);
  await fill(both, ["a"]);
  const counts = () =>
    db
      .prepare(
        "SELECT component, count(i.number) AS indexes FROM tables t JOIN indexes i ON i.table_number = t.number GROUP BY t.number ORDER BY component",
      )
      .all()
      .map((row) => ({ ...row }));
  const expected = [
    { component: "", indexes: 2 },
    { component: "part", indexes: 3 },
  ];
  expect(counts()).toEqual(expected);
  start({ rows: rows() });
  expect(counts()).toEqual(expected);
});

it("a vector index is refused by name", () => {
  const schema = {
    rows: defineTable({ vector: v.array(v.float64()) }).vectorIndex("by_vector", {
      vectorField: "vector",
      dimensions: 2,
    }),
  };
  expect(() => start(schema)).toThrow("no vector indexes; table rows declares one");
});

it.each(["", "two words", "dots.too", "9lives", "ä", "line\n", "n".repeat(65)])(
  "a table is not called %j",
  async (name) => {
    const engine = start({ rows: rows() });
    const wrong = `Invalid table name ${JSON.stringify(name)}`;
    await expect(engine.mutation((ctx) => ctx.db.insert(name, {}))).rejects.toThrow(wrong);
    await expect(engine.query((ctx) => ctx.db.query(name).first())).rejects.toThrow(wrong);
  },
);
