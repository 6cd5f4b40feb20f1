// Cloud Run ends a process with SIGTERM, and kills it 10 s later.

const GRACE_MS = 9_000;

/**
 * Aborts `shutdown` on SIGTERM or SIGINT, then calls `wrapUp`. Where the process has not ended by itself
 * shortly before it would be killed, it ends with status 1.
 */
export const abortOnSignal = (
  shutdown: AbortController,
  wrapUp: () => void = () => undefined,
): void => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      shutdown.abort();
      setTimeout(() => process.exit(1), GRACE_MS).unref();
      wrapUp();
    });
  }
};
