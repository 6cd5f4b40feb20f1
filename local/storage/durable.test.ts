// Generations and files over restarts, and objects that are read while they go.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Catalog, openCatalog } from "./catalog.ts";
import { type ContentFiles, openContent } from "./content.ts";
import { createObjects, type Objects } from "./objects.ts";

let dataDir: string;
let catalog: Catalog;
let files: ContentFiles;
let objects: Objects;
let nowMs = 1_800_000_000_000;

const open = (): void => {
  catalog = openCatalog(dataDir, () => nowMs);
  files = openContent(dataDir);
  objects = createObjects(catalog, files, () => nowMs);
};
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-durable-"));
  open();
  objects.createBucket("media", {});
});
afterEach(async () => {
  catalog.close();
  await rm(dataDir, { recursive: true });
});

const put = (name: string, body: string, ifGenerationMatch?: number) =>
  objects.put(
    {
      bucket: "media",
      name,
      fields: {},
      conditions: ifGenerationMatch === undefined ? {} : { ifGenerationMatch },
    },
    Readable.from([Buffer.from(body)]),
  );
const read = (name: string) => text(files.read(objects.get("media", name).content.id));
const filesOf = async (): Promise<number> => {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && !entry.name.includes("sqlite")).length;
};

it("a generation is never given twice, though the clock is set back and the object is gone", async () => {
  const first = await put("a", "one");
  await objects.delete("media", "a", {});
  catalog.close();
  nowMs -= 3_600_000;
  open();
  const second = await put("a", "two");
  expect(second.generation).toBeGreaterThan(first.generation);
  await expect(put("a", "three", first.generation)).rejects.toMatchObject({ kind: "precondition" });
  expect(await read("a")).toBe("two");
});

it("files of a version before there were generations have theirs kept", async () => {
  const { generation } = await put("a", "one");
  catalog.close();
  const db = new DatabaseSync(join(dataDir, "storage.sqlite"));
  db.exec("DROP TABLE generations; PRAGMA user_version = 1");
  db.close();
  nowMs -= 3_600_000;
  open();
  expect((await put("b", "two")).generation).toBeGreaterThan(generation);
});

it("there is one file for each object, whatever was replaced, refused or deleted", async () => {
  const { generation } = await put("a", "one");
  await put("a", "two", generation);
  await expect(put("a", "three", generation)).rejects.toMatchObject({ kind: "precondition" });
  await put("b", "other");
  await objects.copy(objects.get("media", "b"), {
    bucket: "media",
    name: "c",
    fields: undefined,
    conditions: {},
  });
  expect(await filesOf()).toBe(3);
  for (const name of ["a", "b", "c"]) await objects.delete("media", name, {});
  expect(await filesOf()).toBe(0);
});

const target = { bucket: "media", name: "whole", fields: {}, conditions: {} };

it("what is composed is read to its end, though its parts are replaced and deleted meanwhile", async () => {
  for (const name of ["1", "2"]) await put(name, `part ${name};`);
  const composed = objects.compose(
    ["1", "2"].map((name) => objects.get("media", name)),
    target,
  );
  await Promise.all([put("1", "new"), objects.delete("media", "2", {})]);
  await composed;
  expect(await read("whole")).toBe("part 1;part 2;");
});

it("what is gone when it is copied is not found", async () => {
  const source = await put("a", "one");
  await objects.delete("media", "a", {});
  await expect(objects.copy(source, target)).rejects.toMatchObject({ kind: "noSuchKey" });
});
