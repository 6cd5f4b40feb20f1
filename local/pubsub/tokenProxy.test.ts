// The proxy in front of the front: what Google's emulator leaves out is added, the rest is kept.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import { startTokenProxy } from "./tokenProxy.ts";
import type { TokenRequest } from "./tokens.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const startFront = async (status = 204) => {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ url: request.url, headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

const account = { serviceAccountEmail: "push@klipstream.iam.gserviceaccount.com" };

it("adds the token of the account for the endpoint behind it", async () => {
  const front = await startFront();
  const asked: TokenRequest[] = [];
  const proxy = await startTokenProxy({
    ...account,
    target: front.origin,
    mintIdToken: (request) => {
      asked.push(request);
      return Promise.resolve("the-token");
    },
  });
  closers.push(() => proxy.close());
  const response = await fetch(`${proxy.origin}/media?x=1`, {
    method: "POST",
    headers: { authorization: "Bearer forged", "content-type": "application/json" },
    body: '{"message":{}}',
  });
  expect(response.status).toBe(204);
  expect(asked).toEqual([{ ...account, audience: `${front.origin}/media` }]);
  expect(front.seen).toMatchObject([
    {
      url: "/media?x=1",
      body: '{"message":{}}',
      headers: { authorization: "Bearer the-token", "content-type": "application/json" },
    },
  ]);
});

it("passes the front's refusal on, and says when there is no front", async () => {
  const front = await startFront(503);
  const mintIdToken = () => Promise.resolve("t");
  const proxy = await startTokenProxy({ ...account, target: front.origin, mintIdToken });
  closers.push(() => proxy.close());
  const post = () => fetch(`${proxy.origin}/media`, { method: "POST", body: "{}" });
  expect((await post()).status).toBe(503);
  await closers.shift()?.();
  expect((await post()).status).toBe(502);
});

it("without a token nothing is passed on", async () => {
  const front = await startFront();
  const mintIdToken = () => Promise.reject(new Error("no key"));
  const proxy = await startTokenProxy({ ...account, target: front.origin, mintIdToken });
  closers.push(() => proxy.close());
  const response = await fetch(`${proxy.origin}/media`, { method: "POST", body: "{}" });
  expect(response.status).toBe(502);
  expect(front.seen).toEqual([]);
});
