// One process per data folder. The lock is a transaction that stays open on a SQLite file: the
// system lets go of it however the process ends, so there is no stale lock to reason about.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Lock {
  release(): void;
}

/** @returns undefined where another process, or another part of this one, holds the folder */
export const lockFolder = (dataDir: string): Lock | undefined => {
  mkdirSync(dataDir, { recursive: true });
  const database = new DatabaseSync(join(dataDir, "lock.db"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/.test(error.message)) return undefined;
    throw error;
  }
  return { release: () => database.close() };
};
