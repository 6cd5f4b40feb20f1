// Stands for Cloud Scheduler: calls each scheduled function at its period, with an ID token of the
// scheduler's account. A call that takes longer than the period is not overlapped; the next one
// comes at the next beat of the period.
import type { FunctionSpec } from "#functions/catalog.ts";

export interface SchedulerOptions {
  catalog: readonly FunctionSpec[];
  urlOf: (functionName: string) => string;
  mintIdToken: (audience: string) => Promise<string>;
  /** Periods by function, instead of the catalog's. */
  everyMs?: Readonly<Record<string, number>>;
  /** Functions whose first call does not wait for the first beat. */
  atOnce?: readonly string[];
  fetch?: typeof fetch;
  /** Hears of calls that failed; default standard error. */
  report?: (sentence: string) => void;
}

export interface Scheduler {
  /** No more calls; one under way is cut off. */
  close(): Promise<void>;
}

export const startScheduler = (options: SchedulerOptions): Scheduler => {
  const report = options.report ?? ((sentence) => console.error(sentence));
  const call = options.fetch ?? fetch;
  const stopping = new AbortController();

  const callOnce = async (spec: FunctionSpec): Promise<void> => {
    const url = options.urlOf(spec.name);
    const signal = AbortSignal.any([
      stopping.signal,
      AbortSignal.timeout((spec.timeoutSec + 5) * 1000),
    ]);
    try {
      const response = await call(url, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${await options.mintIdToken(url)}`,
          "User-Agent": "Google-Cloud-Scheduler",
          "X-CloudScheduler": "true",
          "Content-Type": "application/octet-stream",
        },
        signal,
      });
      await response.body?.cancel();
      if (!response.ok) report(`scheduler: ${spec.name} answered ${response.status}.`);
    } catch (error) {
      if (!stopping.signal.aborted) report(`scheduler: ${spec.name} failed: ${String(error)}`);
    }
  };

  const keepCalling = async (spec: FunctionSpec, everyMs: number): Promise<void> => {
    const startedAtMs = performance.now();
    for (let beat = options.atOnce?.includes(spec.name) ? 0 : 1; !stopping.signal.aborted;) {
      await sleep(startedAtMs + beat * everyMs - performance.now(), stopping.signal);
      if (stopping.signal.aborted) return;
      await callOnce(spec);
      // Beats that passed during a long call are left out.
      beat = Math.max(beat, Math.floor((performance.now() - startedAtMs) / everyMs)) + 1;
    }
  };

  const loops = options.catalog.flatMap((spec) =>
    spec.trigger.kind === "schedule"
      ? [keepCalling(spec, options.everyMs?.[spec.name] ?? spec.trigger.everySec * 1000)]
      : [],
  );
  return {
    close: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
};

/** Resolves after the time, or at once when the signal is given. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.max(0, ms));
    signal.addEventListener("abort", wake);
  });
