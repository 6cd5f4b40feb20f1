// Keeps a claimed task's lease while it runs, and stops it when it should not go on: its time is
// up, the job was cancelled, another attempt took over, or the instance is being shut down.
import { StageError, describeError } from "../contract/errors.ts";
import type { Claimed } from "./ledger.ts";
import type { StopReason, TaskDeps } from "./runTask.ts";

/** What became of the work: an outcome, never an exception. */
export type WorkOutcome<T> =
  | { kind: "made"; value: T }
  | { kind: "stopped"; reason: StopReason }
  | { kind: "failed"; error: unknown };

/** At most this often is progress sent, however often it is reported. */
const MIN_REPORT_MS = 1000;

/** At least this often, also under a long lease: a heartbeat is how a task hears of a cancel. */
const MAX_SILENCE_MS = 10_000;

class Stopped extends Error {
  readonly reason: StopReason;
  constructor(reason: StopReason) {
    super(`stopped: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Runs `work` with a signal and a progress report.
 * @param leaseMs how long the claim is good for without a heartbeat
 */
export const withHeartbeat = async <T>(
  task: Claimed,
  leaseMs: number,
  deps: Pick<TaskDeps, "ledger" | "log" | "shutdown" | "taskTimeoutMs">,
  work: (signal: AbortSignal, progress: (fraction: number) => void) => Promise<T>,
): Promise<WorkOutcome<T>> => {
  const stop = new AbortController();
  let latest = 0;
  let sent = 0;
  let sentAtMs = 0;
  let sending: Promise<void> | undefined;

  const beat = async () => {
    sent = latest;
    sentAtMs = performance.now();
    try {
      const answer = await deps.ledger.heartbeat(task, latest);
      if (answer.kind !== "ok") stop.abort(new Stopped(answer.kind));
    } catch (error) {
      // The lease outlives a missed heartbeat; the commit finds out if it did not.
      deps.log.warn("heartbeat not sent", { error: describeError(error) });
    }
  };
  const send = () => {
    sending ??= beat().finally(() => {
      sending = undefined;
    });
  };
  const progress = (fraction: number) => {
    latest = Math.max(latest, Math.min(1, fraction));
    if (latest - sent >= 0.01 && performance.now() - sentAtMs >= MIN_REPORT_MS) send();
  };

  const onShutdown = () => stop.abort(new Stopped("shutdown"));
  if (deps.shutdown.aborted) onShutdown();
  deps.shutdown.addEventListener("abort", onShutdown, { once: true });
  const beatTimer = setInterval(send, Math.min(leaseMs / 3, MAX_SILENCE_MS));
  const timeout = setTimeout(() => stop.abort(new StageError("stage_timeout")), deps.taskTimeoutMs);
  try {
    return { kind: "made", value: await work(stop.signal, progress) };
  } catch (error) {
    const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
    return cause instanceof Stopped
      ? { kind: "stopped", reason: cause.reason }
      : { kind: "failed", error: cause };
  } finally {
    clearInterval(beatTimer);
    clearTimeout(timeout);
    deps.shutdown.removeEventListener("abort", onShutdown);
    await sending;
  }
};
