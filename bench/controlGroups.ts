// What a function's instances use, from Linux's control groups (version 1): ffmpeg and everything else
// they start counts, exactly, and nothing is slowed down. Files in /dev/shm count as memory of whoever
// wrote them, as /tmp does on Cloud Run.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
const SAMPLE_MS = 20;

export interface GroupUse {
  /** User and system time of all processes. */
  cpuSec: number;
  /** The most at once: memory of the processes, and files under /tmp. */
  peakBytes: number;
  /** The most files under /tmp at once; part of the above, though not at the same moment. */
  peakTmpBytes: number;
}

export interface ControlGroups extends Disposable {
  /** Folder in which each function has its group, for `BENCH_CPU`. */
  cpuFolder: string;
  /** A shell script that enters the group of `$FUNCTION_TARGET` and becomes the command after it. */
  enter: string;
  use(name: string): GroupUse | undefined;
}

export const hasControlGroups = (): boolean =>
  ["memory/memory.max_usage_in_bytes", "cpuacct/cpuacct.usage"].every((file) =>
    existsSync(join(ROOT, file)),
  );

const numberIn = (text: string, field: string): number =>
  Number(new RegExp(`^${field} (\\d+)$`, "m").exec(text)?.[1] ?? 0);

/** Needs root. All its processes must have ended when it is disposed of. */
export const makeControlGroups = (): ControlGroups => {
  const name = `klipstream-bench-${process.pid}`;
  const [memory, cpu] = [join(ROOT, "memory", name), join(ROOT, "cpuacct", name)];
  for (const folder of [memory, cpu]) mkdirSync(folder);
  const groups = (): string[] =>
    readdirSync(memory, { withFileTypes: true }).flatMap((one) =>
      one.isDirectory() ? [one.name] : [],
    );
  const peaks = new Map<string, { peakBytes: number; peakTmpBytes: number }>();
  const sample = (): void => {
    for (const group of groups()) {
      const stat = readFileSync(join(memory, group, "memory.stat"), "utf8");
      const tmpBytes = numberIn(stat, "total_shmem");
      const bytes = numberIn(stat, "total_rss") + tmpBytes;
      const { peakBytes = 0, peakTmpBytes = 0 } = peaks.get(group) ?? {};
      peaks.set(group, {
        peakBytes: Math.max(peakBytes, bytes),
        peakTmpBytes: Math.max(peakTmpBytes, tmpBytes),
      });
    }
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    cpuFolder: cpu,
    enter: [memory, cpu]
      .map(
        (folder) =>
          `mkdir -p ${folder}/$FUNCTION_TARGET; echo $$ >${folder}/$FUNCTION_TARGET/cgroup.procs`,
      )
      .concat('exec "$@"')
      .join("; "),
    use: (group) => {
      const peak = peaks.get(group);
      if (!peak) return undefined;
      const usage = readFileSync(join(cpu, group, "cpuacct.usage"), "utf8");
      return { ...peak, cpuSec: Number(usage) / 1e9 };
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      for (const group of groups())
        for (const folder of [memory, cpu]) rmdirSync(join(folder, group));
      for (const folder of [memory, cpu]) rmdirSync(folder);
    },
  };
};
