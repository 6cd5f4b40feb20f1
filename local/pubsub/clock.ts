// Time as Pub/Sub sees it, injected so that a test of a ten-minute backoff takes no time.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after `delayMs`. @returns a function that cancels it */
  after(delayMs: number, run: () => void): () => void;
}

/** Longest delay that a timer of Node takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. A timer does not keep the process alive: the server's socket does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
