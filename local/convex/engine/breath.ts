// Lets timers and sockets have their turn between transactions. All that waits for its turn is run in one go
// otherwise, since nothing in a transaction waits for anything outside: while hundreds of mutations wait, no
// client would be heard or written to, and the thread be taken for one in which a function computes for ever.

/** As long as nobody notices. */
const MAX_HELD_MS = 20;
// Taken before tests put their own clock in place, and before queries are kept from it.
const { setImmediate: soon } = globalThis;
const nowMs = performance.now.bind(performance);
let turnedAtMs = nowMs();

/** Resolves at once, unless the thread has had no turn for long. */
export const breathe = async (): Promise<void> => {
  if (nowMs() - turnedAtMs < MAX_HELD_MS) return;
  await new Promise((resolve) => soon(resolve));
  turnedAtMs = nowMs();
};
