// Server-sent events as they come: cut anywhere, and over connections that are lost.
import { createServer, type ServerResponse } from "node:http";
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
  ["a line's end cut in two", ["id: 1\r", "\nevent: a\r\ndata: x\r", "\n\r", "\n"]],
  ["carriage returns", ["id: 1\r\nevent: a\r\ndata: x\r\n\r\n"]],
  ["comments and an event without its end", [": hi\nid: 1\nevent: a\ndata: x\n\ndata: lost"]],
])("reads %s", async (_name, texts) => {
  expect(await collect(decodeEvents(chunks(...texts)))).toEqual([
    { id: "1", event: "a", data: "x" },
  ]);
});

const serve = async (answer: (last: string | undefined, res: ServerResponse) => void) => {
  const server = createServer((req, res) =>
    answer(req.headers["last-event-id"] as string | undefined, res),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    read: (onLost = () => {}, signal = new AbortController().signal) =>
      collect(readEvents(`http://127.0.0.1:${port}/`, {}, signal, { reconnectMs: 0, onLost })),
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

it("resumes a lost connection after the last event it saw, and ends at 204", async () => {
  const asked: (string | undefined)[] = [];
  using server = await serve((last, res) => {
    asked.push(last);
    if (last === "2") {
      res.writeHead(204).end();
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    const id = Number(last ?? 0) + 1;
    res.write(`id: ${id}\ndata: ${id}\n\n`, () => res.destroy());
  });
  expect((await server.read()).map(({ data }) => data)).toEqual(["1", "2"]);
  expect(asked).toEqual([undefined, "1", "2"]);
});

it("comes back as long as there are heartbeats, also where no instance is free", async () => {
  let asked = 0;
  using server = await serve((_last, res) => {
    asked += 1;
    if (asked === 20) res.writeHead(204).end();
    else if (asked % 3 === 0) res.writeHead(503).end();
    else res.write(": still here\n\n", () => res.destroy());
  });
  expect(await server.read()).toEqual([]);
  expect(asked).toBe(20);
});

it("tells once that nothing answers, each time until something does", async () => {
  let asked = 0;
  let told = 0;
  using server = await serve((_last, res) => {
    asked += 1;
    if (asked === 10) res.writeHead(204).end();
    else if (asked === 5) res.write(": still here\n\n", () => res.destroy());
    else res.destroy();
  });
  await server.read(() => (told += 1));
  expect(told).toBe(2);
});

it("says so where nothing comes any more, or the server refuses", async () => {
  using silent = await serve((_last, res) => res.destroy());
  await expect(silent.read()).rejects.toThrow("followed no longer");
  using refusing = await serve((_last, res) => res.writeHead(404).end());
  await expect(refusing.read()).rejects.toThrow("404");
});
