// How much of this project's is in a database that is not running, for whoever asks before it is run or
// deleted. It reads the engine's file past the engine, which would bring it up to date first.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Census {
  videos: number;
  jobs: number;
  /** Of the jobs, those that have not ended. */
  unfinished: number;
}

const ENTRIES = `
  FROM entries e JOIN indexes i ON i.number = e.index_number AND i.name = 'by_creation_time'
  JOIN tables t ON t.number = i.table_number AND t.component = '' AND t.name = ?`;

/**
 * @param dataDir  locked by this process
 * @returns undefined where there is no database yet, or none that can be read so: whoever opens it
 *   says what is wrong with it
 */
export const takeCensus = (dataDir: string): Census | undefined => {
  const path = join(dataDir, "convex.sqlite");
  if (!existsSync(path)) return undefined;
  let db: DatabaseSync | undefined;
  try {
    const opened = (db = new DatabaseSync(path));
    const hasTables = opened.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'entries'").get();
    if (!hasTables) return undefined;
    const count = (sql: string, table: string): number =>
      (opened.prepare(sql).get(table) as { count: number }).count;
    return {
      videos: count(`SELECT count(*) AS count ${ENTRIES}`, "videos"),
      jobs: count(`SELECT count(*) AS count ${ENTRIES}`, "jobs"),
      unfinished: count(
        `SELECT count(*) AS count ${ENTRIES} JOIN documents d ON d.seq = e.seq
         WHERE json_extract(d.value, '$.admission') <> 'ended'`,
        "jobs",
      ),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SQLITE_ERROR") throw error;
    return undefined;
  } finally {
    db?.close();
  }
};
