// The SQLite file: its tables and the version of its layout. An older one is brought up step by step, a
// newer one is left alone.
import { DatabaseSync } from "node:sqlite";
import { openExclusively } from "../../exclusiveDatabase.ts";
import { CATALOG_TABLES } from "./catalog.ts";
import { SCHEDULER_TABLES } from "./scheduler.ts";
import { SESSION_TABLES } from "./sessions.ts";
import { TRANSACTION_TABLES } from "./transaction.ts";

const TABLES = [CATALOG_TABLES, TRANSACTION_TABLES, SCHEDULER_TABLES, SESSION_TABLES].join("\n");

/** Each brings the file from the version of its place to the next; the last makes `VERSION`. */
const UPGRADES: readonly string[] = [TABLES];
const VERSION = UPGRADES.length;

/**
 * Makes or brings up the tables.
 * @throws {Error} for a file of a later version
 */
const upgrade = (db: DatabaseSync): void => {
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version > VERSION)
    throw new Error(
      `The database was written by a later version of the local Convex (${version}, this is ${VERSION}).`,
    );
  for (const [at, statements] of UPGRADES.entries()) {
    if (at < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${statements}; PRAGMA user_version = ${at + 1}; COMMIT;`);
  }
};

/**
 * @param dataDir  where `convex.sqlite` is, or is made; without one, the database is in memory
 * @throws {Error} where another process has it open, or it is of a later version
 */
export const openDatabase = (dataDir?: string): DatabaseSync => {
  const db =
    dataDir === undefined
      ? new DatabaseSync(":memory:")
      : openExclusively(dataDir, "convex", "PRAGMA user_version");
  try {
    upgrade(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
};
