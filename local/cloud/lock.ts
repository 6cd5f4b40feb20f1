// One process per data folder. The lock is a transaction that stays open on a SQLite file: the
// system lets go of it however the process ends, so there is no stale lock to reason about.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Lock {
  release(): void;
}

const unwritable = (dataDir: string, cause: unknown): Error =>
  new Error(`The data folder ${dataDir} cannot be written to.`, { cause });

const openDatabase = (dataDir: string): DatabaseSync => {
  try {
    // People's videos are in it.
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(dataDir, "lock.db"), { timeout: 0 });
  } catch (cause) {
    throw unwritable(dataDir, cause);
  }
};

/**
 * @returns undefined where another process, or another part of this one, holds the folder
 * @throws {Error} where the folder cannot be written to
 */
export const lockFolder = (dataDir: string): Lock | undefined => {
  const database = openDatabase(dataDir);
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/.test(error.message)) return undefined;
    throw unwritable(dataDir, error);
  }
  return { release: () => database.close() };
};
