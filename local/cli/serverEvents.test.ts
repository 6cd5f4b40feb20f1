import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, it } from "vitest";
import { decodeEvents, readEvents, type ServerEvent } from "./serverEvents.ts";

const collect = async (events: AsyncIterable<ServerEvent>) => {
  const all: ServerEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
};

const chunks = async function* (...texts: string[]) {
  yield* texts;
};

it.each([
  ["an event cut anywhere", ["id: 1\nev", "ent: a\nda", "ta: x\n", "\n"]],
  ["carriage returns", ["id: 1\r\nevent: a\r\ndata: x\r\n\r\n"]],
  ["comments and an event without its end", [": hi\nid: 1\nevent: a\ndata: x\n\ndata: lost"]],
])("reads %s", async (_name, texts) => {
  expect(await collect(decodeEvents(chunks(...texts)))).toEqual([
    { id: "1", event: "a", data: "x" },
  ]);
});

it("resumes a lost connection after the last event it saw, and ends at 204", async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((req, res) => {
    const last = req.headers["last-event-id"] as string | undefined;
    asked.push(last);
    if (last === "2") {
      res.writeHead(204).end();
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    const id = Number(last ?? 0) + 1;
    res.write(`id: ${id}\ndata: ${id}\n\n`, () => res.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const events = readEvents(`http://127.0.0.1:${port}/`, {}, new AbortController().signal);
    expect((await collect(events)).map(({ data }) => data)).toEqual(["1", "2"]);
    expect(asked).toEqual([undefined, "1", "2"]);
  } finally {
    server.close();
  }
});
