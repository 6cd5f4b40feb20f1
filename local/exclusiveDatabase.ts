// An SQLite file of one process: state that survives `kill -9`. A commit is in the operating system's
// hands before the answer goes out (write-ahead log); only a power cut can lose the last ones.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fullDisk } from "./fullDisk.ts";

/**
 * Brings the file from its version to that of the last step; each step is all or nothing.
 * @throws {Error} for a file of a later version, which is left as it is
 */
export const upgrade = (db: DatabaseSync, name: string, steps: readonly string[]): void => {
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version > steps.length)
    throw new Error(
      `The ${name} data was written by a later version of KlipStream (${version}; this one knows ${steps.length}).`,
    );
  for (const [at, statements] of steps.entries()) {
    if (at < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${statements}; PRAGMA user_version = ${at + 1}; COMMIT;`);
  }
};

const SQLITE_BUSY = 5;

/** An error of SQLite's without its details, as `5` for all ways in which a file is taken. */
const sqliteCodeOf = (error: unknown): number | undefined => {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
};

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * Opens `<dataDir>/<name>.sqlite`, made where it is missing, and takes it for this process alone.
 * @param steps statements that bring the file from the version of their place to the next
 * @throws {DiskFull}
 * @throws {Error} when another process has it open, when it is no database, or of a later version
 */
export const openExclusively = (
  dataDir: string,
  name: string,
  steps: readonly string[],
): DatabaseSync => {
  const path = join(dataDir, `${name}.sqlite`);
  const take = (): DatabaseSync => {
    mkdirSync(dataDir, { recursive: true });
    // SQLite takes an empty file for a new one, and deletes the log beside it, which may hold everything.
    if (sizeOf(path) === 0 && sizeOf(`${path}-wal`) > 0)
      throw new Error("It is empty or missing, and its log is not.");
    const db = new DatabaseSync(path);
    try {
      db.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
      );
      // Takes the lock: reading alone does.
      db.exec("SELECT count(*) FROM sqlite_schema");
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  };
  let db: DatabaseSync;
  try {
    db = take();
  } catch (cause) {
    const sentence =
      sqliteCodeOf(cause) === SQLITE_BUSY
        ? `Another process uses the ${name} data in ${dataDir}.`
        : `${path} cannot be read; it is left as it is. Put a copy in its place, or use another folder.`;
    throw fullDisk(cause, dataDir) ?? new Error(sentence, { cause });
  }
  try {
    upgrade(db, name, steps);
  } catch (error) {
    db.close();
    throw fullDisk(error, dataDir) ?? error;
  }
  return db;
};

/**
 * All of `work`, or nothing. What SQLite has undone by itself, since the disk is full, is left undone.
 * @throws what `work` or the commit throws
 */
export const inTransaction = <T>(db: DatabaseSync, work: () => T): T => {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
};
