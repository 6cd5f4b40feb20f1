// Runs scheduled functions and crons when they are due. Asking for one is part of the transaction that
// asks; running a mutation and noting that it ran is one transaction, so that it runs once whatever
// happens. An action is begun at most once: whether it did its work before a crash, nobody can know.
import { AsyncLocalStorage } from "node:async_hooks";
import type { DatabaseSync } from "node:sqlite";
import { type JSONValue, type Value, jsonToConvex } from "convex/values";
import { isFullDisk } from "../../fullDisk.ts";
import type { Catalog } from "./catalog.ts";
import type { DeclaredCron } from "./crons.ts";
import { type Document, withoutSystemFields } from "./document.ts";
import { argumentsJson, type FunctionPath } from "./functions.ts";
import { type Job, createSchedule } from "./schedule.ts";
import type { Store } from "./store.ts";
import type { Transaction, Transactions } from "./transaction.ts";

const TABLE = "_scheduled_functions";
/** Node's longest timer; a later one is set when that has gone off. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** As long as Convex tells what became of a scheduled function. */
const KEEP_MS = 7 * 24 * 3600 * 1000;
const FORGET_AT_ONCE = 20;
/** As many actions as Convex runs of them; mutations run one after another anyway. */
const MAX_AT_ONCE = 64;
/** Before what could not be run, or said to be over, is tried again: the disk is full, for one. */
const PAUSE_MS = 1_000;

type State = "pending" | "inProgress" | "success" | "failed" | "canceled";

export interface SchedulerOptions {
  db: DatabaseSync;
  catalog: Catalog;
  store: Store;
  transactions: Transactions;
  /** Milliseconds since 1970. */
  clock: () => number;
  isAction(target: FunctionPath): Promise<boolean>;
  /** Runs a mutation inside a transaction. */
  runMutation(job: Job, transaction: Transaction): Promise<void>;
  runAction(job: Job): Promise<void>;
}

export interface Scheduler {
  /** @param component  whose function asks @returns the id of the job */
  add(
    transaction: Transaction,
    component: string,
    request: { target: FunctionPath; args: JSONValue; dueMs: number },
  ): string;
  /** Does nothing for one that is over. */
  cancel(transaction: Transaction, id: string): void;
  /** Sets the timer for what is due next. */
  arm(): void;
  /** Says that actions that a crash cut off have failed, and goes on with the rest and these crons. */
  start(crons: readonly DeclaredCron[]): Promise<void>;
  isRunning(): boolean;
  /** Whether anything waits for its time that is not being run. */
  hasPending(): boolean;
  /** Until nothing is being run. */
  idle(): Promise<void>;
  stop(): void;
}

export const createScheduler = (options: SchedulerOptions): Scheduler => {
  const { db, catalog, store, transactions, clock } = options;
  const schedule = createSchedule(db);
  /** Timers must not go off inside the function that happened to set them. */
  const outside = AsyncLocalStorage.snapshot();
  const running = new Set<Promise<void>>();
  const begun = new Set<string>();
  let lookups: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  /** Milliseconds since 1970. */
  let pausedUntil = 0;

  const setState = (transaction: Transaction, id: string, kind: State): void => {
    const found = store.get(id);
    if (!found) return;
    const document = jsonToConvex(JSON.parse(found.json)) as Document;
    const isOver = kind !== "pending" && kind !== "inProgress";
    store.put(
      id,
      {
        ...withoutSystemFields(document),
        state: { kind },
        ...(isOver ? { completedTime: clock() } : {}),
      },
      transaction,
    );
    if (isOver) forget(transaction);
  };

  /** A few of the oldest at a time, so that no transaction is long. */
  const forget = (transaction: Transaction): void => {
    for (const id of schedule.forget(clock() - KEEP_MS, FORGET_AT_ONCE))
      if (store.get(id)) store.remove(id, transaction);
  };

  const runMutation = async (job: Job): Promise<void> => {
    try {
      await transactions.run(true, async (transaction) => {
        if (!schedule.isWaiting(job.id)) return;
        schedule.end(job.id, clock());
        setState(transaction, job.id, "inProgress");
        await options.runMutation(job, transaction);
        setState(transaction, job.id, "success");
      });
    } catch (error) {
      // Nothing of it was written, so it has not run.
      if (isFullDisk(error)) throw error;
      console.error(`Scheduled function ${job.target.path} failed:`, error);
      await over(job.id, "failed");
    }
  };

  const over = (id: string, kind: State): Promise<void> =>
    transactions.run(true, (transaction) => {
      // Of what was canceled meanwhile, nothing more is told.
      if (schedule.end(id, clock())) setState(transaction, id, kind);
      return Promise.resolve();
    });

  const runAction = async (job: Job): Promise<void> => {
    const isOurs = await transactions.run(true, (transaction) => {
      if (!schedule.isWaiting(job.id)) return Promise.resolve(false);
      schedule.begin(job.id);
      setState(transaction, job.id, "inProgress");
      return Promise.resolve(true);
    });
    if (!isOurs) return;
    let kind: State = "success";
    try {
      await options.runAction(job);
    } catch (error) {
      console.error(`Scheduled function ${job.target.path} failed:`, error);
      kind = "failed";
    }
    await finallyOver(job.id, kind);
  };

  /** An action that has done its work is not to be taken for one that was cut off. */
  const finallyOver = async (id: string, kind: State): Promise<void> => {
    for (;;) {
      try {
        return await over(id, kind);
      } catch (error) {
        if (isStopped || !isFullDisk(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref?.());
      }
    }
  };

  const run = async (job: Job): Promise<void> => {
    try {
      // Loading a function for the first time takes a while; none overtakes the one before it.
      const kind = lookups.then(() => options.isAction(job.target));
      lookups = kind.catch(() => undefined);
      await ((await kind) ? runAction(job) : runMutation(job));
    } catch (error) {
      // Not the function's fault: it stays due.
      pausedUntil = clock() + PAUSE_MS;
      console.error(`Scheduled function ${job.target.path} could not be run:`, error);
    } finally {
      begun.delete(job.id);
    }
  };

  const track = (work: Promise<void>): void => {
    running.add(work);
    void work.finally(() => {
      running.delete(work);
      arm();
    });
  };

  /** What cannot be read now is read later: who commits or a timer has no use for the error. */
  const read = <T>(ask: () => T): T | undefined => {
    try {
      return ask();
    } catch (error) {
      console.error("The schedule could not be read:", error);
      pausedUntil = clock() + PAUSE_MS;
      return undefined;
    }
  };

  const goOff = (): void => {
    timer = undefined;
    const free = MAX_AT_ONCE - running.size;
    const due = read(() => schedule.due(clock(), free + begun.size)) ?? [];
    for (const job of due.filter(({ id }) => !begun.has(id)).slice(0, free)) {
      begun.add(job.id);
      track(run(job));
    }
    arm();
  };

  const arm = (): void => {
    if (isStopped) return;
    if (timer) clearTimeout(timer);
    timer = undefined;
    // What ends sets it again.
    if (running.size >= MAX_AT_ONCE) return;
    // What was begun is still there until it commits.
    const due = read(() => ({ ms: schedule.nextDueMs(begun) })) ?? { ms: pausedUntil };
    if (due.ms === undefined) return;
    const dueMs = due.ms;
    outside(() => {
      const waitMs = Math.max(0, dueMs - clock(), pausedUntil - clock());
      timer = setTimeout(goOff, Math.min(waitMs, MAX_TIMER_MS));
      timer.unref?.();
    });
  };

  return {
    add(transaction, component, { target, args, dueMs }) {
      const table = catalog.table(component, TABLE);
      const { id } = store.insert(
        table,
        {
          name: target.path,
          args: [jsonToConvex(args)] as Value,
          scheduledTime: dueMs,
          state: { kind: "pending" },
        },
        transaction,
      );
      schedule.add({ id, target, args: argumentsJson(args) }, dueMs);
      transaction.hasScheduled = true;
      return id;
    },
    cancel(transaction, id) {
      const found = store.get(id);
      if (!found || found.table.name !== TABLE)
        throw new Error(`There is no scheduled function with ID "${id}".`);
      const { state } = JSON.parse(found.json) as { state: { kind: State } };
      if (state.kind !== "pending" && state.kind !== "inProgress") return;
      if (schedule.end(id, clock())) setState(transaction, id, "canceled");
      transaction.hasScheduled = true;
    },
    arm,
    async start(crons) {
      for (const id of schedule.running()) await over(id, "failed");
      await transactions.run(true, () => {
        schedule.setCrons(crons, clock());
        return Promise.resolve();
      });
      arm();
    },
    isRunning: () => running.size > 0,
    hasPending: () => schedule.nextDueMs(begun) !== undefined,
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
    stop() {
      isStopped = true;
      if (timer) clearTimeout(timer);
    },
  };
};
