// Files of an earlier and of a later version.
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFunctionReference, mutationGeneric } from "convex/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openDatabase } from "./format.ts";
import { openEngine } from "./testing/openEngine.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "format-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.useRealTimers();
});

it("a file of the first version is brought up, and what it had scheduled runs", async () => {
  const functions = { note: mutationGeneric((ctx) => ctx.db.insert("notes", {})) };
  const first = openEngine({ db: openDatabase(folder), functions });
  await first.mutation((ctx) => ctx.scheduler.runAfter(0, makeFunctionReference("m:note"), {}));
  first.engine.close();
  first.db.exec(
    "ALTER TABLE schedule RENAME COLUMN phase TO is_running; ALTER TABLE schedule DROP COLUMN cron; PRAGMA user_version = 1",
  );
  first.db.close();
  const second = openEngine({ db: openDatabase(folder), functions });
  const ran = new Promise<void>((resolve) => void second.engine.onCommit(() => resolve()));
  await second.engine.start();
  await ran;
  expect(await second.query((ctx) => ctx.db.query("notes").count())).toBe(1);
  second.close();
});

it("a file of a later version is left alone", () => {
  openDatabase(folder).close();
  const db = new DatabaseSync(join(folder, "convex.sqlite"));
  db.exec("PRAGMA user_version = 99");
  db.close();
  expect(() => openDatabase(folder)).toThrow("later version");
});
