// A local cloud that can be killed: alone, so that its instances notice and end by themselves, or with
// everything it started, as a machine that loses its power would.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { CloudOptions } from "#local/cloud.ts";
import { gone } from "#local/front/testing/processes.ts";

const PROCESS = fileURLToPath(new URL("cloudProcess.ts", import.meta.url));

const Up = z.object({
  origin: z.url(),
  convexUrl: z.url(),
  storageOrigin: z.url(),
  apiKey: z.string(),
  bucket: z.string(),
  projectId: z.string(),
  personToken: z.string(),
  serviceToken: z.string(),
});
export type Up = z.infer<typeof Up>;

export const KILLS = ["everything", "the main process"] as const;
export type Kill = (typeof KILLS)[number];

export interface KillableCloud extends Up {
  /** Resolves when the main process is gone; what was not killed with it may last a little longer. */
  kill(what: Kill): Promise<void>;
  /** Tells it to end, and waits until it and all it started are gone. */
  stop(): Promise<void>;
}

/** Process ids by that of their parent; Linux's. */
const children = (): Map<number, number[]> => {
  const byParent = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // `pid (name) state parent …`; the name may hold anything but ends at the last parenthesis.
      const [, parent = "0"] = /\) \S (\d+) [^)]*$/.exec(
        readFileSync(`/proc/${name}/stat`, "utf8"),
      ) ?? [undefined, "0"];
      byParent.set(Number(parent), [...(byParent.get(Number(parent)) ?? []), Number(name)]);
    } catch {
      continue; // it ended meanwhile
    }
  }
  return byParent;
};

const descendants = (pid: number, byParent = children()): number[] =>
  (byParent.get(pid) ?? []).flatMap((child) => [child, ...descendants(child, byParent)]);

const killAll = (pids: readonly number[]): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
};

/** @throws {Error} where it ends before it is up */
export const startKillable = async (options: CloudOptions): Promise<KillableCloud> => {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const first = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const ended = exited.then((): never => {
    throw new Error("The cloud ended before it was up.");
  });
  const [line] = await Promise.race([first, ended]);
  ended.catch(() => undefined);
  const pid = child.pid ?? 0;
  return {
    ...Up.parse(JSON.parse(line)),
    async kill(what) {
      // It starts nothing more while it is looked at.
      if (what === "everything") process.kill(pid, "SIGSTOP");
      killAll(what === "everything" ? [...descendants(pid), pid] : [pid]);
      await exited;
    },
    async stop() {
      const started = descendants(pid);
      child.kill("SIGTERM");
      await exited;
      await Promise.all(started.map(gone));
    },
  };
};
