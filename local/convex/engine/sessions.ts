// What was answered to the mutations of clients' sessions, kept in the transaction that did the work. A
// client whose connection broke sends its mutations again, also after a restart, and each runs once.
import type { DatabaseSync } from "node:sqlite";
import type { SessionRequest } from "../runtime.ts";

/** Written with a mutation, read when a client sends it; the oldest are deleted as others come. */
export const SESSION_TABLES = `
  CREATE TABLE IF NOT EXISTS session_requests (
    seq INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    request INTEGER NOT NULL,
    value TEXT NOT NULL,
    ts TEXT NOT NULL,
    UNIQUE (session, request)
  );
`;

/** A client sends again only what it has no answer for, so the last ones do. */
const KEPT = 20_000;

export interface SessionAnswer {
  /** JSON of the value. */
  value: string;
  ts: bigint;
}

export interface Sessions {
  find(request: SessionRequest): SessionAnswer | undefined;
  /** Inside the transaction of the mutation. */
  add(request: SessionRequest, answer: SessionAnswer): void;
}

/** @param kept  answers, of all sessions together */
export const createSessions = (db: DatabaseSync, kept = KEPT): Sessions => {
  const find = db.prepare(
    "SELECT value, ts FROM session_requests WHERE session = ? AND request = ?",
  );
  const add = db.prepare(
    "INSERT INTO session_requests (session, request, value, ts) VALUES (?, ?, ?, ?)",
  );
  const prune = db.prepare("DELETE FROM session_requests WHERE seq <= ?");
  return {
    find({ session, request }) {
      const row = find.get(session, request) as { value: string; ts: string } | undefined;
      return row && { value: row.value, ts: BigInt(row.ts) };
    },
    add({ session, request }, { value, ts }) {
      const { lastInsertRowid } = add.run(session, request, value, String(ts));
      prune.run(Number(lastInsertRowid) - kept);
    },
  };
};
