// Files of each version, and who may open them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openExclusively } from "./exclusiveDatabase.ts";

const FIRST = "CREATE TABLE IF NOT EXISTS messages (data TEXT)";
const SECOND = "ALTER TABLE messages ADD COLUMN size INTEGER NOT NULL DEFAULT 1";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exclusive-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const withFile = <T>(work: (db: DatabaseSync) => T): T => {
  const db = new DatabaseSync(join(folder, "pubsub.sqlite"));
  try {
    return work(db);
  } finally {
    db.close();
  }
};
const versionOf = (db: DatabaseSync): unknown => db.prepare("PRAGMA user_version").get();

it("a file from before there were versions keeps what is in it, and takes every step", () => {
  withFile((db) => db.exec(`${FIRST}; INSERT INTO messages VALUES ('kept')`));
  const db = openExclusively(folder, "pubsub", [FIRST, SECOND]);
  expect(db.prepare("SELECT * FROM messages").all()).toEqual([{ data: "kept", size: 1 }]);
  expect(versionOf(db)).toEqual({ user_version: 2 });
  db.close();
  openExclusively(folder, "pubsub", [FIRST, SECOND]).close();
});

it("a step that fails changes nothing, and is taken the next time", () => {
  openExclusively(folder, "pubsub", [FIRST]).close();
  const broken = `${SECOND}; INSERT INTO missing VALUES (1)`;
  expect(() => openExclusively(folder, "pubsub", [FIRST, broken])).toThrow("no such table");
  withFile((db) => expect(versionOf(db)).toEqual({ user_version: 1 }));
  openExclusively(folder, "pubsub", [FIRST, SECOND]).close();
});

it("a file of a later version is refused and left as it is", () => {
  withFile((db) => db.exec("PRAGMA user_version = 9"));
  expect(() => openExclusively(folder, "pubsub", [FIRST])).toThrow(
    "The pubsub data was written by a later version of KlipStream (9; this one knows 1).",
  );
  withFile((db) => expect(db.prepare("SELECT * FROM sqlite_schema").all()).toEqual([]));
});

it("is one opener's at a time", () => {
  const db = openExclusively(folder, "pubsub", [FIRST]);
  expect(() => openExclusively(folder, "pubsub", [FIRST])).toThrow("Another process uses");
  db.close();
  openExclusively(folder, "pubsub", [FIRST]).close();
});

it("says which file cannot be read, and leaves it as it is", () => {
  const path = join(folder, "pubsub.sqlite");
  const open = () => openExclusively(folder, "pubsub", [FIRST]);
  writeFileSync(path, "no database".repeat(1_000));
  expect(open).toThrow(`${path} cannot be read`);
  expect(readFileSync(path, "utf8")).toMatch(/^no database/);
  rmSync(path);
  mkdirSync(path);
  expect(open).toThrow(`${path} cannot be read`);
});

it("keeps the log of a file that was emptied", () => {
  const path = join(folder, "pubsub.sqlite");
  writeFileSync(path, "");
  writeFileSync(`${path}-wal`, "what was committed last");
  expect(() => openExclusively(folder, "pubsub", [FIRST])).toThrow(`${path} cannot be read`);
  expect(readFileSync(`${path}-wal`, "utf8")).toBe("what was committed last");
  rmSync(`${path}-wal`);
  openExclusively(folder, "pubsub", [FIRST]).close();
});
