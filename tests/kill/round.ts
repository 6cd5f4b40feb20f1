// One round: a fresh folder, a cloud, a client (client.ts); a kill, a restart; and when the job is
// done, everything that the client was told is looked up.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CloudOptions } from "#local/cloud.ts";
import { checkFiles, checkTold } from "./checks.ts";
import type { ClientTask } from "./client.ts";
import { type Kill, type KillableCloud, startKillable } from "./cloud.ts";
import { only, readLog } from "./told.ts";
import { type UnderWay, underWay } from "./underWay.ts";

const CLIENT = fileURLToPath(new URL("client.ts", import.meta.url));
/** Ten times what a round takes on a quiet machine. */
const ROUND_MS = 300_000;

export interface RoundOptions {
  /** Made new, and removed where nothing was wrong. */
  folder: string;
  files: ClientTask["files"];
  cloud: Omit<CloudOptions, "dataDir">;
  /** Milliseconds after the client's start, and what is killed; none in an undisturbed round. */
  kill?: { afterMs: number; what: Kill };
  /** The undisturbed job's. */
  hashes?: Record<string, string>;
}

export interface Round {
  /** Sentences for what was lost or changed; empty in a good round. */
  wrong: string[];
  hashes: Record<string, string>;
  /** Lines of the client's log, by kind. */
  told: Record<string, number>;
  /** From the client's start to its end. */
  clientMs: number;
  /** Of the job, from its submission to its last event. */
  jobMs: number;
  killed?: UnderWay & {
    /** From the job's submission, or the client's start where it was not submitted. */
    jobAfterMs: number;
    /** From the kill until the cloud was up again. */
    upMs: number;
    /** From then until the job's next event; absent where it had ended. */
    nextEventMs: number | undefined;
    /** From then until its last one. */
    restMs: number;
  };
}

/** @throws {Error} where the client fails, or the job does not end in time */
export const runRound = async (options: RoundOptions): Promise<Round> => {
  const { folder, kill, hashes } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const [dataDir, log] = [join(folder, "data"), join(folder, "told.jsonl")];
  const start = (): Promise<KillableCloud> => startKillable({ ...options.cloud, dataDir });
  await using stack = new AsyncDisposableStack();
  let cloud = await start();
  let isUp = true;
  stack.defer(() => (isUp ? cloud.kill("everything") : undefined));

  const task: ClientTask = {
    cloud,
    log,
    files: options.files,
    options: { highlights: { count: 1 } },
    pauseMs: 400,
  };
  const startedMs = Date.now();
  const client = fork(CLIENT, [JSON.stringify(task)]);
  stack.defer(() => void client.kill());
  const ended = once(client, "exit", { signal: AbortSignal.timeout(ROUND_MS) });
  ended.catch(() => undefined);

  let killed: Pick<NonNullable<Round["killed"]>, "upMs"> & UnderWay = {
    upMs: 0,
    status: undefined,
    running: [],
    due: [],
  };
  let killedMs = 0;
  if (kill) {
    await delay(kill.afterMs);
    isUp = false;
    killedMs = Date.now();
    await cloud.kill(kill.what);
    const left = underWay(dataDir);
    cloud = await start();
    isUp = true;
    killed = { ...left, upMs: Date.now() - killedMs };
  }
  const [code] = (await ended) as [number | null];
  const clientMs = Date.now() - startedMs;
  if (code !== 0) throw new Error(`The client ended with ${code}; its log is ${log}.`);

  const lines = readLog(log);
  const { wrong, hashes: made } = await checkTold(lines, cloud, hashes);
  await cloud.stop();
  isUp = false;
  wrong.push(...checkFiles(dataDir));
  if (wrong.length === 0) await rm(folder, { recursive: true, maxRetries: 3 });

  const submittedMs = only(lines, "submitted")[0]?.at ?? startedMs;
  const events = only(lines, "event");
  const lastMs = events.at(-1)?.at ?? startedMs;
  const upAgainMs = killedMs + killed.upMs;
  const next = events.find(({ at }) => at > killedMs)?.at;
  const told: Round["told"] = {};
  for (const { kind } of lines) told[kind] = (told[kind] ?? 0) + 1;
  return {
    wrong,
    hashes: made,
    told,
    clientMs,
    jobMs: lastMs - submittedMs,
    ...(kill
      ? {
          killed: {
            ...killed,
            jobAfterMs: Math.max(0, killedMs - submittedMs),
            nextEventMs: next === undefined ? undefined : Math.max(0, next - upAgainMs),
            restMs: Math.max(0, lastMs - upAgainMs),
          },
        }
      : {}),
  };
};
