// The SQLite file: its tables and the version of its layout. An older one is brought up step by step, a
// newer one is left alone.
import { DatabaseSync } from "node:sqlite";
import { openExclusively, upgrade } from "../../exclusiveDatabase.ts";
import { CATALOG_TABLES } from "./catalog.ts";
import { SCHEDULE_TABLES, SCHEDULE_WITH_CRONS } from "./schedule.ts";
import { SESSION_TABLES } from "./sessions.ts";
import { DOCUMENT_TABLES } from "./store.ts";
import { TRANSACTION_TABLES } from "./transaction.ts";

const TABLES = [
  CATALOG_TABLES,
  DOCUMENT_TABLES,
  TRANSACTION_TABLES,
  SCHEDULE_TABLES,
  SESSION_TABLES,
].join("\n");

/** Each brings the file from the version of its place to the next. */
const STEPS: readonly string[] = [TABLES, SCHEDULE_WITH_CRONS];

/**
 * @param dataDir  where `convex.sqlite` is, or is made; without one, the database is in memory
 * @throws {DiskFull}
 * @throws {Error} where another process has it open, or it is of a later version
 */
export const openDatabase = (dataDir?: string): DatabaseSync => {
  if (dataDir !== undefined) {
    const db = openExclusively(dataDir, "convex", STEPS);
    // In KiB. Entries of indexes lie all over the file: SQLite's own 2 MiB miss from some 80,000 rows on.
    db.exec("PRAGMA cache_size = -65536");
    return db;
  }
  const db = new DatabaseSync(":memory:");
  upgrade(db, "convex", STEPS);
  return db;
};
