// An SQLite file of one process: state that survives `kill -9`. A commit is in the operating system's
// hands before the answer goes out (write-ahead log); only a power cut can lose the last ones.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Opens `<dataDir>/<name>.sqlite`, made where it is missing, and takes it for this process alone.
 * @param schema statements that make what is missing
 * @throws {Error} when another process has it open, or it is no database
 */
export const openExclusively = (dataDir: string, name: string, schema: string): DatabaseSync => {
  mkdirSync(dataDir, { recursive: true });
  const db = new DatabaseSync(join(dataDir, `${name}.sqlite`));
  try {
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
    );
    db.exec(schema);
  } catch (cause) {
    db.close();
    throw new Error(`Another process uses the ${name} data in ${dataDir}, or it is damaged.`, {
      cause,
    });
  }
  return db;
};
