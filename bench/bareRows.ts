// The same rows in SQLite with nothing above it, set as the local Convex sets its own: what a write and
// a read cost at the least.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { anyPlace, placeOf } from "./convexPlaces.ts";

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
  for (let i = 0; i < rows; i++) {
    const { group, rank } = placeOf(i);
    insert.run(group, rank, value);
  }
  db.exec("COMMIT");
  const find = db.prepare("SELECT id, value FROM rows WHERE place = ? AND rank = ?");
  const set = db.prepare("UPDATE rows SET value = ? WHERE id = ?");
  const inOrder = db.prepare("SELECT value FROM rows WHERE place = ? ORDER BY rank LIMIT 10");
  let edits = 0;
  return {
    edit() {
      const { group, rank } = anyPlace(rows);
      db.exec("BEGIN IMMEDIATE");
      const row = find.get(group, rank) as { id: number; value: string };
      const document = { ...(JSON.parse(row.value) as object), text: `edited ${(edits += 1)}` };
      set.run(JSON.stringify(document), row.id);
      db.exec("COMMIT");
    },
    inGroup: () =>
      inOrder.all(anyPlace(rows).group).map((row) => JSON.parse(row["value"] as string) as unknown),
    close: () => db.close(),
  };
};
