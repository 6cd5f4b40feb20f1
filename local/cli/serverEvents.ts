// Server-sent events over fetch, resumed by Last-Event-ID as a browser's EventSource would.

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
    const lines = pending.split(/\r\n|\r|\n/);
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

/** Connections in a row that bring nothing before it gives up. */
const MAX_EMPTY = 5;

/**
 * Ends when the server says 204 (nothing more will come) or refuses; a lost connection is resumed.
 * The reader stops it by `signal`, or by leaving its loop after the last event.
 */
export async function* readEvents(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  let lastId = "";
  for (let empty = 0; empty < MAX_EMPTY; empty += 1) {
    const response = await fetch(url, {
      headers: {
        ...headers,
        accept: "text/event-stream",
        ...(lastId ? { "last-event-id": lastId } : {}),
      },
      signal,
    });
    if (response.status === 204 || !response.body) return;
    if (!response.ok) throw new Error(`The event stream was answered with ${response.status}.`);
    try {
      for await (const event of decodeEvents(response.body.pipeThrough(new TextDecoderStream()))) {
        empty = 0;
        lastId = event.id;
        yield event;
      }
    } catch (error) {
      // A connection that broke is opened again; anything else is the caller's to know.
      if (signal.aborted || !(error instanceof TypeError)) throw error;
    }
  }
}
