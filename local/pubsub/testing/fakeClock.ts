// A clock for tests: time passes when told to, and everything due in it happens in order.
import type { Clock } from "../clock.ts";

export interface FakeClock extends Clock {
  /** Lets time pass; promises that settle at a moment are waited for before the next. */
  advance(ms: number): Promise<void>;
}

export const createFakeClock = (startMs = 1_800_000_000_000): FakeClock => {
  let nowMs = startMs;
  let serial = 0;
  const timers = new Map<number, { atMs: number; run: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  return {
    now: () => nowMs,
    after(delayMs, run) {
      const id = (serial += 1);
      timers.set(id, { atMs: nowMs + Math.max(0, delayMs), run });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        await settle();
        const [next] = Array.from(timers)
          .filter(([, { atMs }]) => atMs <= untilMs)
          .sort(([a, { atMs: aMs }], [b, { atMs: bMs }]) => aMs - bMs || a - b);
        if (!next) break;
        const [id, { atMs, run }] = next;
        timers.delete(id);
        nowMs = Math.max(nowMs, atMs);
        run();
      }
      nowMs = untilMs;
    },
  };
};
