// Whether a process still runs, for tests that kill one.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** False also for one that has ended and that nobody has asked about yet (a zombie). */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    // `pid (name) state …`; the name may hold anything but ends at the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/\) Z [^)]*$/.test(stat);
  } catch {
    return false;
  }
};

export const gone = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await delay(5);
};
