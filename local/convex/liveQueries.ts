// The queries that one client watches: which of them a commit made out of date, and what has
// changed for the client once they were run again.
import type { Modification } from "./protocol.ts";
import type { UserIdentity } from "convex/server";
import { noSuchFunction } from "./runtime.ts";
import type { Commit, ConvexRuntime, FunctionCall, LiveOutcome } from "./runtime.ts";
import { modificationOf } from "./syncAnswers.ts";

interface Subscription {
  call: FunctionCall;
  journal: string | null;
  isDirty: boolean;
  /** Whether there is such a public query, found out before it is run. */
  isQuery?: boolean;
  live?: LiveOutcome;
  /** What the client was last told, to tell it only what changed. */
  told?: string;
}

export interface LiveQueries {
  size(): number;
  add(queryId: number, call: FunctionCall, journal: string | null): void;
  remove(queryId: number): void;
  /** Nothing is watched any more. */
  clear(): void;
  /** Every query is to run again, as after a change of who asks. */
  invalidate(): void;
  isOutOfDate(): boolean;
  /** @returns whether the commit made a query out of date */
  notice(commit: Commit): boolean;
  /**
   * Runs what is out of date, at one snapshot. One call at a time.
   * @returns the snapshot's time, and what changed for the client since the last call
   */
  refresh(identity: UserIdentity | null): Promise<{ ts: bigint; modifications: Modification[] }>;
}

export const createLiveQueries = (
  runtime: Pick<ConvexRuntime, "find" | "runQueries" | "latestTs">,
): LiveQueries => {
  const queries = new Map<number, Subscription>();
  const removed: number[] = [];
  /**
   * Commits that came while queries ran; they may have come too late for the snapshot. None are
   * kept between: a client that only listens would gather all there ever are.
   */
  let meanwhile: Commit[] | undefined;

  const dirtyQueries = () => [...queries].filter(([, subscription]) => subscription.isDirty);

  /**
   * Which queries are out of date is known only when the snapshot is taken: a commit that came
   * while it waited for its turn may concern others too, and the client must see all of a commit
   * or nothing.
   */
  const run = async (
    identity: UserIdentity | null,
  ): Promise<{
    ts: bigint;
    ran: [queryId: number, subscription: Subscription, live: LiveOutcome][];
    /** Commits that came after the snapshot. */
    during: Commit[];
  }> => {
    const outOfDate = dirtyQueries();
    if (outOfDate.length === 0) return { ts: runtime.latestTs(), ran: [], during: [] };
    for (const [, subscription] of outOfDate) {
      subscription.isQuery = (await runtime.find(subscription.call.path, "public")) === "query";
    }
    const during: Commit[] = [];
    let dirty: [number, Subscription][] = [];
    const { ts, results } = await runtime.runQueries(() => {
      dirty = dirtyQueries();
      for (const [, subscription] of dirty) subscription.isDirty = false;
      meanwhile = during;
      return dirty.flatMap(([, { isQuery, call, journal }]) =>
        isQuery ? [{ ...call, journal }] : [],
      );
    }, identity);
    let next = 0;
    return {
      ts,
      ran: dirty.map(([queryId, subscription]) => [
        queryId,
        subscription,
        subscription.isQuery ? results[next++]! : missingQuery(subscription.call.path),
      ]),
      during,
    };
  };

  return {
    size: () => queries.size,
    add(queryId, call, journal) {
      queries.set(queryId, { call, journal, isDirty: true });
    },
    remove(queryId) {
      if (queries.delete(queryId)) removed.push(queryId);
    },
    clear: () => queries.clear(),
    invalidate() {
      for (const subscription of queries.values()) subscription.isDirty = true;
    },
    isOutOfDate: () => dirtyQueries().length > 0,
    notice(commit) {
      meanwhile?.push(commit);
      let isAffected = false;
      for (const subscription of queries.values()) {
        if (!subscription.live?.isAffectedBy(commit)) continue;
        subscription.isDirty = true;
        isAffected = true;
      }
      return isAffected;
    },
    async refresh(identity) {
      const modifications: Modification[] = removed
        .splice(0)
        .map((queryId) => ({ type: "QueryRemoved", queryId }));
      const { ts, ran, during } = await run(identity);
      // Only now, as what follows makes the queries able to notice commits by themselves.
      meanwhile = undefined;
      for (const [queryId, subscription, live] of ran) {
        subscription.live = live;
        subscription.journal = live.journal;
        if (during.some((commit) => commit.ts > ts && live.isAffectedBy(commit))) {
          subscription.isDirty = true;
        }
        const news = JSON.stringify([live.outcome, live.journal]);
        if (news === subscription.told) continue;
        subscription.told = news;
        modifications.push(modificationOf(queryId, live));
      }
      return { ts, modifications };
    },
  };
};

const missingQuery = (path: string): LiveOutcome => ({
  outcome: { ok: false, message: noSuchFunction(path) },
  journal: null,
  isAffectedBy: () => false,
});
