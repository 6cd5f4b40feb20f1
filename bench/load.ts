// Requests at a steady rate, sent from a thread of their own, so that the sender does not wait for
// the servers of this process, nor they for it. This file is both: the thread, and who starts it.
import { once } from "node:events";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

export interface Load {
  url: string;
  /** A request for each, in turn. */
  requests: { headers: Record<string, string>; body: string }[];
  perSec: number;
  /** Any other is an error. */
  status: number;
}

const send = async ({ url, requests, perSec, status }: Load): Promise<number[]> => {
  const tookMs: number[] = [];
  const startMs = performance.now();
  await Promise.all(
    requests.map(async (request, i) => {
      const dueMs = startMs + (i * 1000) / perSec;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      // From when it was due: a sender that falls behind must not make the servers look better.
      const response = await fetch(url, { method: "POST", ...request });
      const answer = await response.text();
      tookMs.push(performance.now() - dueMs);
      if (response.status !== status)
        throw new Error(`${url} answered ${response.status}: ${answer.slice(0, 500)}`);
    }),
  );
  return tookMs;
};

/** @returns how long each took, ms */
export const applyLoad = async (load: Load): Promise<number[]> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: load });
  try {
    const [tookMs] = (await once(worker, "message")) as [number[]];
    return tookMs;
  } finally {
    await worker.terminate();
  }
};

// oxlint-disable-next-line require-post-message-target-origin -- a thread's port has none
if (!isMainThread) parentPort?.postMessage(await send(workerData as Load));
