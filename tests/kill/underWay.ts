// What was being done when a cloud was killed, read from copies of the files it left.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { STAGES, type Stage } from "#shared/contract/stages.ts";

/** A database as it was left; reading the file itself would already mend it. */
const readCopy = <T>(dataDir: string, name: string, read: (db: DatabaseSync) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), "left-"));
  try {
    for (const suffix of ["", "-wal"]) {
      const from = join(dataDir, `${name}.sqlite${suffix}`);
      if (existsSync(from)) copyFileSync(from, join(folder, `${name}.sqlite${suffix}`));
    }
    const db = new DatabaseSync(join(folder, `${name}.sqlite`));
    try {
      return read(db);
    } finally {
      db.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export interface UnderWay {
  /** Of the job; undefined before it was submitted. */
  status: string | undefined;
  /** With a task that was claimed and not committed. */
  running: Stage[];
  /** With a task whose message was published, or about to be, and nobody had claimed. */
  due: Stage[];
}

export const underWay = (dataDir: string): UnderWay =>
  readCopy(dataDir, "convex", (db) => {
    const rows = <T>(table: string): T[] =>
      db
        .prepare(
          "SELECT d.value FROM documents d JOIN tables t ON t.number = d.table_number WHERE t.component = '' AND t.name = ?",
        )
        .all(table)
        .map(({ value }) => JSON.parse(value as string) as T);
    const [job] = rows<{ status: string }>("jobs");
    const tasks = rows<{ stage: Stage; state: string }>("tasks");
    const inState = (wanted: string) =>
      STAGES.filter((stage) => tasks.some((t) => t.stage === stage && t.state === wanted));
    return { status: job?.status, running: inState("running"), due: inState("due") };
  });
