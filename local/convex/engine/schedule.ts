// What is to be run and when, in the file: functions that were scheduled, each of which runs once, and
// crons, which are due again when they have run.
import type { DatabaseSync } from "node:sqlite";
import { type DeclaredCron, nextDueMs } from "./crons.ts";
import type { FunctionPath } from "./functions.ts";

/** Read and written here alone; what is over is deleted when the scheduler forgets it. */
export const SCHEDULE_TABLES = `
  CREATE TABLE IF NOT EXISTS schedule (
    seq INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    due_ms REAL NOT NULL,
    component TEXT NOT NULL,
    path TEXT NOT NULL,
    args TEXT NOT NULL,
    is_running INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX IF NOT EXISTS schedule_by_due ON schedule (is_running, due_ms);
`;

/** Version 2: what is over stays until it is forgotten, and crons are there. */
export const SCHEDULE_WITH_CRONS = `
  ALTER TABLE schedule RENAME COLUMN is_running TO phase;
  ALTER TABLE schedule ADD COLUMN cron TEXT;
`;

/** Of a row; what is over has the time of its end in place of the time that it was due. */
const PHASE = { waiting: 0, running: 1, over: 2 } as const;

export interface Job {
  id: string;
  target: FunctionPath;
  /** JSON of a list with the one argument. */
  args: string;
}

export interface Schedule {
  add(job: Job, dueMs: number): void;
  isWaiting(id: string): boolean;
  /** Marks what cannot be run a second time: an action. */
  begin(id: string): void;
  /** It ran, or it failed: a cron waits for its next time. @returns false for what was canceled */
  end(id: string, nowMs: number): boolean;
  /** What is due by now, first come first served. */
  due(nowMs: number, limit: number): Job[];
  /** When the first is due that is not among those left out; undefined where none waits. */
  nextDueMs(leftOut: ReadonlySet<string>): number | undefined;
  /** What was begun and did not end. */
  running(): string[];
  /** Ids of jobs that ended before then, which are forgotten; at most `limit`. */
  forget(beforeMs: number, limit: number): string[];
  /** Takes these crons and no others; those that are as they were stay due when they were. */
  setCrons(crons: readonly DeclaredCron[], nowMs: number): void;
}

interface Row {
  job_id: string;
  component: string;
  path: string;
  args: string;
}

/** Ids of jobs have no colon. */
const cronId = ({ name, target }: DeclaredCron): string => `cron:${target.component}:${name}`;

/** What of a cron decides when it is due. */
type Timing = Pick<DeclaredCron, "name" | "schedule">;

export const createSchedule = (db: DatabaseSync): Schedule => {
  const insert = db.prepare(
    "INSERT INTO schedule (job_id, due_ms, component, path, args, cron) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const waiting = db.prepare(
    `SELECT 1 FROM schedule WHERE job_id = ? AND phase = ${PHASE.waiting}`,
  );
  const begin = db.prepare(`UPDATE schedule SET phase = ${PHASE.running} WHERE job_id = ?`);
  const comeForward = db.prepare(
    "UPDATE schedule SET due_ms = $dueMs WHERE job_id = $id AND due_ms > $dueMs",
  );
  const find = db.prepare(
    `SELECT due_ms, cron FROM schedule WHERE job_id = ? AND phase <> ${PHASE.over}`,
  );
  const waitUntil = db.prepare(
    `UPDATE schedule SET phase = ${PHASE.waiting}, due_ms = ? WHERE job_id = ?`,
  );
  const endAt = db.prepare(
    `UPDATE schedule SET phase = ${PHASE.over}, due_ms = ?, args = '' WHERE job_id = ?`,
  );
  const allDue = db.prepare(
    `SELECT job_id, component, path, args FROM schedule
     WHERE phase = ${PHASE.waiting} AND due_ms <= ? ORDER BY due_ms, seq LIMIT ?`,
  );
  const next = db.prepare(
    `SELECT job_id, due_ms FROM schedule WHERE phase = ${PHASE.waiting} ORDER BY due_ms, seq LIMIT ?`,
  );
  const running = db.prepare(`SELECT job_id FROM schedule WHERE phase = ${PHASE.running}`);
  const old = db.prepare(
    `SELECT job_id FROM schedule WHERE phase = ${PHASE.over} AND due_ms < ? ORDER BY due_ms LIMIT ?`,
  );
  const remove = db.prepare("DELETE FROM schedule WHERE job_id = ?");
  const idsOf = (rows: Record<string, unknown>[]): string[] =>
    rows.map(({ job_id }) => String(job_id));

  return {
    add({ id, target: { component, path }, args }, dueMs) {
      insert.run(id, dueMs, component, path, args, null);
    },
    isWaiting: (id) => waiting.get(id) !== undefined,
    begin(id) {
      begin.run(id);
    },
    end(id, nowMs) {
      const row = find.get(id) as { due_ms: number; cron: string | null } | undefined;
      if (!row) return false;
      if (row.cron === null) endAt.run(nowMs, id);
      else waitUntil.run(nextDueMs(JSON.parse(row.cron) as Timing, nowMs, row.due_ms), id);
      return true;
    },
    due: (nowMs, limit) =>
      (allDue.all(nowMs, limit) as unknown as Row[]).map(({ job_id, component, path, args }) => ({
        id: job_id,
        target: { component, path },
        args,
      })),
    nextDueMs(leftOut) {
      const rows = next.all(leftOut.size + 1) as unknown as { job_id: string; due_ms: number }[];
      return rows.find(({ job_id }) => !leftOut.has(job_id))?.due_ms;
    },
    running: () => idsOf(running.all()),
    forget(beforeMs, limit) {
      const ids = idsOf(old.all(beforeMs, limit));
      for (const id of ids) remove.run(id);
      return ids;
    },
    setCrons(crons, nowMs) {
      const there = new Map(
        db
          .prepare("SELECT job_id, path, args, cron FROM schedule WHERE cron IS NOT NULL")
          .all()
          .map(({ job_id, path, args, cron }) => [String(job_id), [path, args, cron].join("\n")]),
      );
      for (const cron of crons) {
        const id = cronId(cron);
        const { name, target, args, schedule } = cron;
        const timing = JSON.stringify({ name, schedule } satisfies Timing);
        const isSame = there.get(id) === [target.path, args, timing].join("\n");
        there.delete(id);
        if (isSame) {
          // Where the clock was put back, what it had waited for may be a long way off.
          comeForward.run({ id, dueMs: nextDueMs(cron, nowMs, nowMs) });
          continue;
        }
        remove.run(id);
        insert.run(id, nextDueMs(cron, nowMs), target.component, target.path, args, timing);
      }
      for (const id of there.keys()) remove.run(id);
    },
  };
};
