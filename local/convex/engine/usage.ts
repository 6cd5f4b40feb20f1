// What a transaction has used of the limits that Convex sets for one
// (https://docs.convex.dev/production/state/limits). A nested call counts towards all that it is in;
// what is rolled back was read all the same.

const MIB = 1024 ** 2;

export const LIMITS = {
  bytesRead: 16 * MIB,
  bytesWritten: 16 * MIB,
  documentsRead: 32_000,
  documentsWritten: 16_000,
  databaseQueries: 4_096,
  functionsScheduled: 1_000,
  scheduledFunctionArgsBytes: 16 * MIB,
} as const;
export type Metric = keyof typeof LIMITS;

export const MAX_NESTED_CALLS = 64;

const TOO_MUCH: Record<Metric, string> = {
  bytesRead: "Too many bytes read",
  bytesWritten: "Too many bytes written",
  documentsRead: "Too many documents read",
  documentsWritten: "Too many documents written",
  databaseQueries: "Too many reads of an index range",
  functionsScheduled: "Too many functions scheduled",
  scheduledFunctionArgsBytes: "Too large arguments of scheduled functions",
};
const READS = ["bytesRead", "documentsRead", "databaseQueries"] as const;
/** Counted when it is done: how large a document is, is known then. */
const WRITES = ["bytesWritten", "documentsWritten"] as const;

export interface Usage {
  /** @throws {Error} where the limit is passed */
  add(metric: Metric, amount: number): void;
  /**
   * Once more at the end: who caught the error of a write has written all the same.
   * @throws {Error} where a limit was passed
   */
  check(): void;
  /** For a nested call; `limits` may only lower what is left. */
  child(limits?: Partial<Record<Metric, number>>): Usage;
  /** Takes what a nested call used; of one that was rolled back, what it read. */
  absorb(child: Usage, wasCommitted: boolean): void;
  used(metric: Metric): number;
  /** As `ctx.meta.getTransactionMetrics()` answers. */
  metrics(): Record<Metric, { used: number; remaining: number }>;
}

const METRICS = Object.keys(LIMITS) as Metric[];

export const createUsage = (
  limits: Readonly<Record<Metric, number>> = LIMITS,
  from?: Usage,
): Usage => {
  const used = Object.fromEntries(
    METRICS.map((metric) => [metric, from?.used(metric) ?? 0]),
  ) as Record<Metric, number>;
  const checkOne = (metric: Metric): void => {
    if (used[metric] <= limits[metric]) return;
    throw new Error(
      `${TOO_MUCH[metric]} in a single function execution (limit: ${limits[metric]}).`,
    );
  };
  return {
    add(metric, amount) {
      used[metric] += amount;
      checkOne(metric);
    },
    check: () => WRITES.forEach(checkOne),
    child(lower = {}) {
      const childLimits = Object.fromEntries(
        METRICS.map((metric) => {
          const wanted = lower[metric];
          const most = limits[metric];
          return [metric, wanted === undefined ? most : Math.min(most, used[metric] + wanted)];
        }),
      ) as Record<Metric, number>;
      return createUsage(childLimits, this);
    },
    absorb(child, wasCommitted) {
      for (const metric of wasCommitted ? METRICS : READS) used[metric] = child.used(metric);
    },
    used: (metric) => used[metric],
    metrics: () =>
      Object.fromEntries(
        METRICS.map((metric) => [
          metric,
          { used: used[metric], remaining: limits[metric] - used[metric] },
        ]),
      ) as Record<Metric, { used: number; remaining: number }>,
  };
};
