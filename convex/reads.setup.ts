// Counts what functions read and write, as Convex counts it against its limits. Functions reach their
// runtime only through the global `Convex`, so its system calls are watched there.

interface Syscalls {
  syscall(op: string, args: string): string;
  asyncSyscall(op: string, args: string): Promise<string>;
  jsSyscall(op: string, args: Record<string, unknown>): unknown;
}

export interface Usage {
  documentsRead: number;
  documentsWritten: number;
  databaseQueries: number;
}
type Metrics = Record<keyof Usage, { used: number }>;

/** What a transaction used so far; none outside of one. */
const usageNow = async (inner: Syscalls): Promise<Usage | undefined> => {
  let answer: string;
  try {
    answer = await inner.asyncSyscall("1.0/getTransactionMetrics", "{}");
  } catch {
    // An action is no transaction; what it runs is.
    return undefined;
  }
  const metrics = JSON.parse(answer) as Metrics;
  return {
    documentsRead: metrics.documentsRead.used,
    documentsWritten: metrics.documentsWritten.used,
    databaseQueries: metrics.databaseQueries.used,
  };
};

/** The most that a transaction used while `run` ran, component's functions included. */
export const measureUsage = async <T>(
  run: () => Promise<T>,
): Promise<{ usage: Usage; result: T }> => {
  const holder = globalThis as unknown as { Convex: Syscalls };
  const inner = holder.Convex;
  const usage: Usage = { documentsRead: 0, documentsWritten: 0, databaseQueries: 0 };
  holder.Convex = {
    syscall: (op, args) => inner.syscall(op, args),
    asyncSyscall: async (op, args) => {
      const answer = await inner.asyncSyscall(op, args);
      const now = await usageNow(inner);
      for (const name of Object.keys(usage) as (keyof Usage)[]) {
        usage[name] = Math.max(usage[name], now?.[name] ?? 0);
      }
      return answer;
    },
    jsSyscall: (op, args) => inner.jsSyscall(op, args),
  };
  try {
    return { result: await run(), usage };
  } finally {
    holder.Convex = inner;
  }
};
