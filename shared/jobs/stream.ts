// A job's events as server-sent events: numbered, resumable, ended by the last one.
import { setTimeout as delay } from "node:timers/promises";
import { toSnakeCase } from "../contract/case.ts";
import type { JobEvent } from "../contract/ledger.ts";
import { isTerminal } from "../contract/stages.ts";
import type { JobLedger, OwnedJob } from "./ledger.ts";

const POLL_MS = 500;
const PAGE = 100;
/** Proxies drop a connection on which nothing passes for long. */
const HEARTBEAT_MS = 15_000;

const isTerminalEvent = (event: JobEvent): boolean =>
  event.type === "status" && isTerminal(event.status);

export const formatEvent = ({ seq, at, ...body }: JobEvent): string => {
  const data = JSON.stringify({ ...(toSnakeCase(body) as object), at: new Date(at).toISOString() });
  return `id: ${seq}\nevent: ${body.type}\ndata: ${data}\n\n`;
};

/**
 * Text of the stream, from the event after `afterSeq` until the job's last one.
 * A stream that is cut before may be opened again after the last id it brought.
 */
export async function* streamJob(
  job: OwnedJob,
  afterSeq: number,
  ledger: Pick<JobLedger, "events">,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield "retry: 2000\n\n";
  let seq = afterSeq;
  let spokeAtMs = performance.now();
  while (!signal.aborted) {
    const events = (await ledger.events({ ...job, afterSeq: seq, limit: PAGE })) ?? [];
    for (const event of events) yield formatEvent(event);
    const last = events.at(-1);
    if (last) {
      seq = last.seq;
      spokeAtMs = performance.now();
    }
    if (events.length === PAGE) continue;
    // Only the newest event can be the last one: a retry goes on behind a terminal status.
    if (last && isTerminalEvent(last)) return;
    if (performance.now() - spokeAtMs >= HEARTBEAT_MS) {
      yield ": still here\n\n";
      spokeAtMs = performance.now();
    }
    await delay(POLL_MS, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
