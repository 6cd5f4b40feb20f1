// The same rows in SQLite with nothing above it, set as the local Convex sets its own: what a write and
// a read cost at the least.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface BareRows {
  /** One row, in a transaction. */
  edit(): void;
  /** Ten rows of a group. */
  inGroup(): unknown;
  close(): void;
}

export const openBareRows = (folder: string, rows: number): BareRows => {
  const db = new DatabaseSync(join(folder, "bare.sqlite"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  db.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, place INTEGER, rank INTEGER, value TEXT)");
  db.exec("CREATE INDEX by_place ON rows (place, rank); BEGIN");
  const insert = db.prepare("INSERT INTO rows (place, rank, value) VALUES (?, ?, ?)");
  const value = JSON.stringify({ text: "x".repeat(100), _id: "x".repeat(32), _creationTime: 1.5 });
  for (let i = 0; i < rows; i++) insert.run(Math.floor(i / 10), i % 10, value);
  db.exec("COMMIT");
  const find = db.prepare("SELECT id, value FROM rows WHERE place = ? AND rank = ?");
  const set = db.prepare("UPDATE rows SET value = ? WHERE id = ?");
  const group = db.prepare("SELECT value FROM rows WHERE place = ? ORDER BY rank LIMIT 10");
  const any = (): number => Math.floor(Math.random() * rows);
  let edits = 0;
  return {
    edit() {
      const i = any();
      db.exec("BEGIN IMMEDIATE");
      const row = find.get(Math.floor(i / 10), i % 10) as { id: number; value: string };
      const document = { ...(JSON.parse(row.value) as object), text: `edited ${(edits += 1)}` };
      set.run(JSON.stringify(document), row.id);
      db.exec("COMMIT");
    },
    inGroup: () =>
      group.all(Math.floor(any() / 10)).map((row) => JSON.parse(row["value"] as string) as unknown),
    close: () => db.close(),
  };
};
