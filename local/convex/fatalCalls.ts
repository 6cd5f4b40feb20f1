// Calls that take their thread with them: they compute for ever, end it, or fill its memory. A client sends its
// mutation again, follows its query again, and what is scheduled stays due: so each would take the next thread,
// too. A thread says in memory that outlives it which call it is in. The call in which two were lost is not run
// any more, until there is new code; in one, it may have stood beside an action that was to blame.
import { hash } from "node:crypto";
import type { EnterCall } from "./engine/invoke.ts";

const DIGEST_BYTES = 32;
const MAX_LOST = 2;

/** Shared with the thread: which call of a query or mutation it is in; zeros where it is in none. */
export type CallMark = Uint8Array<SharedArrayBuffer>;

export const createCallMark = (): CallMark => new Uint8Array(new SharedArrayBuffer(DIGEST_BYTES));

/**
 * In the thread.
 * @param fatal  digests of the calls that are not to be run, as `createLosses` has them
 */
export const createEnterCall = (mark: CallMark, fatal: readonly string[]): EnterCall => {
  let isInside = false;
  return ({ target, args, identity }) => {
    // What is nested in another goes by that: it may be called with other arguments each time.
    if (isInside) return () => undefined;
    const caller = identity?.tokenIdentifier ?? null;
    const digest = hash("sha256", JSON.stringify([target, caller, args]), "buffer");
    if (fatal.includes(digest.toString("hex")))
      throw new Error(
        `${target.path} was ended ${MAX_LOST} times, computing for too long or taking Convex with it; with these arguments it is not run again until the code changes.`,
      );
    isInside = true;
    mark.set(digest);
    return () => {
      isInside = false;
      mark.fill(0);
    };
  };
};

/** Of all threads, one after another. */
export const createLosses = () => {
  const counts = new Map<string, number>();
  return {
    /** A thread was lost that had this mark. */
    note(mark: CallMark): void {
      if (mark.every((byte) => byte === 0)) return;
      const digest = Buffer.from(mark).toString("hex");
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
    },
    /** Digests of the calls that are not to be run any more. */
    fatal: (): string[] =>
      [...counts].flatMap(([digest, count]) => (count >= MAX_LOST ? [digest] : [])),
    /** The code is another. */
    forget: (): void => counts.clear(),
  };
};
