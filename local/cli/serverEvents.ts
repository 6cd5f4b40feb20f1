// Server-sent events over fetch, resumed by Last-Event-ID as a browser's EventSource would.
import { setTimeout as delay } from "node:timers/promises";

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Decodes a stream of text; an event that the stream cuts off is dropped, as the standard says. */
export async function* decodeEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let pending = "";
  let id = "";
  let event = "";
  let data: string[] = [];
  for await (const chunk of chunks) {
    pending += chunk;
    // A carriage return at the end may be half of a line's end.
    const lines = pending.split(/\r\n|\r(?!$)|\n/);
    pending = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { id, event: event || "message", data: data.join("\n") };
        event = "";
        data = [];
        continue;
      }
      const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === "id") id = value;
      else if (field === "event") event = value;
      else if (field === "data") data.push(value);
    }
  }
}

/**
 * Connections in a row that bring nothing at all, not even a heartbeat, before it gives up: with a second
 * between them long enough to stop the service and start it again.
 */
const MAX_EMPTY = 30;
const RECONNECT_MS = 1_000;
/** One that fails is nothing to speak of: a stream ends with its instance. */
const EMPTY_TO_TELL = 2;

/** What another try may mend: no instance is free, or one ended. */
const isPassing = (status: number): boolean => status === 429 || status >= 500;

/**
 * Ends when the server says 204: nothing more will come. A lost connection is resumed.
 * The reader stops it by `signal`, or by leaving its loop after the last event.
 * @param options.reconnectMs  before a connection is opened again; default 1 s
 * @param options.onLost  called where it goes on trying though nothing answers, once until something does
 * @throws {Error} where the server refuses, or cannot be reached any more
 */
export async function* readEvents(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  { reconnectMs = RECONNECT_MS, onLost }: { reconnectMs?: number; onLost?: () => void } = {},
): AsyncGenerator<ServerEvent> {
  let lastId = "";
  let empty = 0;
  let lost: unknown;
  const heard = async function* (chunks: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const chunk of chunks) {
      empty = 0;
      yield chunk;
    }
  };
  for (; empty < MAX_EMPTY; await delay(reconnectMs, undefined, { signal })) {
    if (empty === EMPTY_TO_TELL) onLost?.();
    empty += 1;
    try {
      const response = await fetch(url, {
        headers: {
          ...headers,
          accept: "text/event-stream",
          ...(lastId ? { "last-event-id": lastId } : {}),
        },
        signal,
      });
      if (response.status === 204) return;
      if (!response.ok || !response.body) {
        lost = new Error(`The event stream was answered with ${response.status}.`);
        await response.body?.cancel();
        if (isPassing(response.status)) continue;
        throw lost;
      }
      const text = response.body.pipeThrough(new TextDecoderStream());
      for await (const event of decodeEvents(heard(text))) {
        lastId = event.id || lastId;
        yield event;
      }
    } catch (error) {
      // A connection that broke is opened again; anything else is the caller's to know.
      if (signal.aborted || !(error instanceof TypeError)) throw error;
      lost = error;
    }
  }
  throw new Error("The job can be followed no longer.", { cause: lost });
}
