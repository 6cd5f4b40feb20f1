// One transaction after another over one SQLite connection: what makes them serializable. A nested call
// is a savepoint, so that one that fails leaves nothing behind and its caller may go on.
import type { DatabaseSync } from "node:sqlite";
import { isFullDisk } from "../../fullDisk.ts";
import { breathe } from "./breath.ts";
import type { Changes, Range } from "./store.ts";
import { type Metric, type Usage, createUsage } from "./usage.ts";

export interface Transaction extends Changes {
  /** Of its commit, known from the start: nothing else commits meanwhile. Nanoseconds since 1970. */
  ts: bigint;
  canWrite: boolean;
  usage: Usage;
  /** What was read, for those who follow it. */
  reads: Range[];
  /** True where the schedule was changed. */
  hasScheduled: boolean;
  /** Of the outermost one, shared with all that are nested in it. */
  whole: { isOver: boolean };
}

export interface Transactions {
  /** Waits for its turn. What `work` throws rolls all of it back. */
  run<T>(canWrite: boolean, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** A nested call of one that runs. */
  nest<T>(
    transaction: Transaction,
    limits: Partial<Record<Metric, number>> | undefined,
    work: (nested: Transaction) => Promise<T>,
  ): Promise<T>;
  /**
   * A step of the transaction that is open. When the disk is full, SQLite undoes the transaction by
   * itself: every later step throws the same, or what the function goes on to write would be written
   * alone; and so does the whole, whose function hears of an error's text only.
   */
  step<T>(transaction: Transaction | undefined, work: () => T): T;
  /** Timestamp of the last commit. */
  latestTs(): bigint;
}

export interface TransactionOptions {
  db: DatabaseSync;
  /** Milliseconds since 1970. */
  clock: () => number;
  onCommit(transaction: Transaction): void;
  onRollback(): void;
}

export const NS_PER_MS = 1_000_000n;

/** One row, the timestamp of the last commit, written with each: they grow over restarts, too. */
export const TRANSACTION_TABLES = `
  CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY CHECK (id = 0), ts TEXT NOT NULL);
`;

export const createTransactions = ({
  db,
  clock,
  onCommit,
  onRollback,
}: TransactionOptions): Transactions => {
  const setTs = db.prepare("INSERT OR REPLACE INTO clock (id, ts) VALUES (0, ?)");
  const stored = db.prepare("SELECT ts FROM clock").get() as { ts: string } | undefined;
  let latest = BigInt(stored?.ts ?? 0);
  let last: Promise<unknown> = Promise.resolve();
  let savepoints = 0;
  let doomedBy: unknown;

  const mustBeOpen = (): void => {
    if (doomedBy !== undefined) throw doomedBy;
    if (!db.isTransaction) throw new Error("SQLite has undone the transaction.");
  };

  const nextTs = (): bigint => {
    const now = BigInt(Math.floor(clock())) * NS_PER_MS;
    return now > latest ? now : latest + 1n;
  };

  const runNow = async <T>(
    canWrite: boolean,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> => {
    const transaction: Transaction = {
      ts: nextTs(),
      canWrite,
      usage: createUsage(),
      reads: [],
      writes: new Map(),
      originals: new Map(),
      hasScheduled: false,
      whole: { isOver: false },
    };
    // Nobody writes while a query runs, so it needs no transaction of the file's.
    if (!canWrite) return await work(transaction).finally(() => (transaction.whole.isOver = true));
    doomedBy = undefined;
    db.exec("BEGIN IMMEDIATE");
    let result: T;
    try {
      result = await work(transaction);
      mustBeOpen();
      transaction.usage.check();
      transaction.whole.isOver = true;
      if (transaction.writes.size > 0) setTs.run(String(transaction.ts));
      db.exec("COMMIT");
    } catch (error) {
      transaction.whole.isOver = true;
      // A full disk has ended the transaction already.
      if (db.isTransaction) db.exec("ROLLBACK");
      onRollback();
      throw doomedBy ?? error;
    }
    if (transaction.writes.size > 0) latest = transaction.ts;
    onCommit(transaction);
    return result;
  };

  return {
    run(canWrite, work) {
      const turn = last.then(breathe).then(() => runNow(canWrite, work));
      last = turn.catch(() => undefined);
      return turn;
    },
    async nest(transaction, limits, work) {
      const name = `nested_${(savepoints += 1)}`;
      const nested: Transaction = {
        ...transaction,
        usage: transaction.usage.child(limits),
        writes: new Map(),
      };
      // Alone, a savepoint would begin a transaction of its own.
      if (transaction.canWrite) mustBeOpen();
      if (transaction.canWrite) db.exec(`SAVEPOINT ${name}`);
      let isGood = false;
      try {
        const result = await work(nested);
        nested.usage.check();
        isGood = true;
        return result;
      } finally {
        // One that took too long ends after the whole has, and another may have begun.
        if (transaction.canWrite && db.isTransaction && !transaction.whole.isOver) {
          if (!isGood) db.exec(`ROLLBACK TO ${name}`);
          db.exec(`RELEASE ${name}`);
        }
        transaction.usage.absorb(nested.usage, isGood);
        if (isGood) {
          for (const [index, keys] of nested.writes)
            transaction.writes.set(index, [...(transaction.writes.get(index) ?? []), ...keys]);
          transaction.hasScheduled ||= nested.hasScheduled;
        } else onRollback();
      }
    },
    step(transaction, work) {
      if (!transaction?.canWrite) return work();
      mustBeOpen();
      try {
        return work();
      } catch (error) {
        if (!db.isTransaction || isFullDisk(error)) doomedBy = error;
        throw error;
      }
    },
    latestTs: () => latest,
  };
};
