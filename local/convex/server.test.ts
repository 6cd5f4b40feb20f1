// The official live client against the local Convex.
import { once } from "node:events";
import { connect, createServer as createTcpServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { ConvexError, Value } from "convex/values";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import {
  add,
  addAndFail,
  addInternal,
  addLater,
  addNote,
  addTwice,
  failPlainly,
  follow,
  get,
  notes,
  startServing,
} from "./testing/serving.ts";

const serving = await startServing();

describe("ConvexClient", () => {
  it("sees every change of a query, and nothing twice", async () => {
    const client = serving.live();
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "live" }, onValue));
    await counter.untilLast(0);
    await serving.http().mutation(add, { name: "another", by: 1 });
    await serving.http().mutation(add, { name: "live", by: 1 });
    await counter.untilLast(1);
    await serving.http().mutation(add, { name: "live", by: 1 });
    await counter.untilLast(2);
    expect(counter.seen).toEqual([0, 1, 2]);
  });

  it("resolves a mutation after the update that shows it", async () => {
    const client = serving.live();
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "own" }, onValue));
    await counter.untilLast(0);
    for (let value = 1; value <= 20; value++) {
      expect(await client.mutation(add, { name: "own", by: 1 })).toBe(value);
      expect(counter.seen.at(-1)).toBe(value);
    }
    // One that changes nothing we follow resolves as well.
    await client.mutation(add, { name: "not followed", by: 1 });
  });

  it("sends the response of a mutation before the transition that shows it", async () => {
    const types: string[] = [];
    class Recording extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        this.addEventListener("message", ({ data }) => {
          const message = JSON.parse(String(data)) as { type: string };
          if (message.type !== "Ping") types.push(message.type);
        });
      }
    }
    const client = serving.live({ webSocketConstructor: Recording });
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "order" }, onValue));
    await counter.untilLast(0);
    types.length = 0;
    await Promise.all([1, 1, 1].map((by) => client.mutation(add, { name: "order", by })));
    const once = ["MutationResponse", "Transition"];
    expect(types).toEqual([...once, ...once, ...once]);
  });

  it("shows what scheduled functions and actions do", async () => {
    const client = serving.live();
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "later" }, onValue));
    await counter.untilLast(0);
    await client.mutation(addLater, { name: "later", delayMs: 10 });
    await counter.untilLast(1);
    expect(await client.action(addTwice, { name: "later" })).toBe(3);
    await counter.untilLast(3);
  });

  it("rejects with what functions throw, with its data", async () => {
    const client = serving.live();
    const refused = await client
      .mutation(addAndFail, { name: "x" })
      .catch((error: unknown) => error);
    expect((refused as ConvexError<Value>).data).toEqual({ code: "refused", detail: 7n });
    const failing = follow<null>((onValue, onError) =>
      client.onUpdate(failPlainly, {}, onValue, onError),
    );
    await failing.until(() => failing.errors.length > 0);
    expect(failing.errors[0]?.message).toContain("plain trouble");
    await expect(client.mutation(addInternal, { name: "x", by: 1 })).rejects.toThrow(
      "Could not find public function",
    );
  });

  it("comes back after its socket was cut, and runs each mutation once", async () => {
    const sockets: Socket[] = [];
    const target = new URL(serving.url);
    let isCuttingAnswers = false;
    const proxy = createTcpServer((socket) => {
      const upstream = connect(Number(target.port), target.hostname);
      sockets.push(socket);
      socket.pipe(upstream);
      upstream.on("data", (data) => {
        // The mutation was received and committed; its answer is lost on the way.
        if (isCuttingAnswers && data.includes("MutationResponse")) {
          isCuttingAnswers = false;
          socket.destroy();
        } else socket.write(data);
      });
      for (const one of [socket, upstream]) {
        one.on("error", () => {});
        one.on("close", () => [socket, upstream].forEach((end) => end.destroy()));
      }
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    onTestFinished(() => void proxy.close());
    const client = serving.live({
      url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    });
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "cut" }, onValue));
    await counter.untilLast(0);
    isCuttingAnswers = true;
    expect(await client.mutation(add, { name: "cut", by: 1 })).toBe(1);
    expect(sockets.length).toBe(2);
    await serving.http().mutation(add, { name: "cut", by: 1 });
    await counter.untilLast(2);
    expect(counter.seen).toEqual([0, 1, 2]);
  });

  it("keeps the end of a page while rows are added", async () => {
    for (const text of ["a", "b", "c", "d"]) await serving.http().mutation(addNote, { text });
    const client = serving.live();
    const first = { numItems: 2, cursor: null };
    const page = follow<{ page: { text: string }[] }>((onValue) =>
      client.onUpdate(notes, { paginationOpts: first }, onValue),
    );
    const texts = () => page.seen.at(-1)?.page.map((note) => note.text) ?? [];
    await page.until(() => texts().join("") === "dc");
    await serving.http().mutation(addNote, { text: "e" });
    await page.until(() => texts().length === 3);
    expect(texts()).toEqual(["e", "d", "c"]);
  });

  it("sends a slow client the newest state, not every state", async () => {
    const big = "x".repeat(300_000);
    const socket = new WsWebSocket(`${serving.url.replace("http", "ws")}/api/1.48.0/sync`);
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
    const transitions: { modifications: { value: { page: { text: string }[] } }[] }[] = [];
    let last = "";
    let reached = (): void => {};
    socket.on("message", (data) => {
      const message = JSON.parse((data as Buffer).toString()) as { type: string };
      if (message.type !== "Transition") return;
      const transition = message as unknown as (typeof transitions)[number];
      transitions.push(transition);
      last = transition.modifications[0]?.value.page[0]?.text.slice(0, 4) ?? "";
      if (last === "last") reached();
    });
    const send = (message: object) => socket.send(JSON.stringify(message));
    send({ type: "Connect", sessionId: "slow", connectionCount: 0, lastCloseReason: null });
    const args = [{ paginationOpts: { numItems: 1, cursor: null } }];
    send({
      type: "ModifyQuerySet",
      baseVersion: 0,
      newVersion: 1,
      modifications: [{ type: "Add", queryId: 0, udfPath: "counters:newest", args }],
    });
    await once(socket, "message");
    socket.pause();
    // More than the socket's own buffers hold, so that it must be noticed.
    for (let i = 0; i < 60; i++) await serving.http().mutation(addNote, { text: `${i} ${big}` });
    await serving.http().mutation(addNote, { text: "last" });
    const done = new Promise<void>((resolve) => (reached = resolve));
    socket.resume();
    await done;
    expect(transitions.length).toBeLessThan(60);
  });

  it("pings an idle client", async () => {
    const socket = new WebSocket(`${serving.url.replace("http", "ws")}/api/1.48.0/sync`);
    const [event] = (await once(socket, "message")) as [MessageEvent];
    expect(JSON.parse(String(event.data))).toEqual({ type: "Ping" });
    socket.close();
  });

  it.each(["/", "//", "/api/1.48.0/other"])("has no socket at %s", async (path) => {
    const socket = new WsWebSocket(serving.url.replace("http", "ws") + path);
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("404");
    expect((await fetch(`${serving.url}//`, { method: "POST" })).status).toBe(404);
  });

  /** A ping may come at any time. */
  const nextAnswer = async (socket: WebSocket): Promise<string> => {
    for (;;) {
      const [event] = (await once(socket, "message")) as [MessageEvent];
      const text = String(event.data);
      if (text !== '{"type":"Ping"}') return text;
    }
  };

  it("ends a connection that breaks the protocol, and goes on serving", async () => {
    const changes = `{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":`;
    const many = `${changes}[${"1,".repeat(200_000)}1]}`;
    for (const text of ["{", '{"type":"Nonsense"}', '{"type":"ModifyQuerySet"}', many]) {
      const socket = new WebSocket(`${serving.url.replace("http", "ws")}/api/1.48.0/sync`);
      await once(socket, "open");
      socket.send(text);
      const answer = await nextAnswer(socket);
      expect(JSON.parse(answer)).toMatchObject({ type: "FatalError" });
      expect(answer.length).toBeLessThan(1_000);
      await once(socket, "close");
    }
    expect(await serving.http().query(get, { name: "nothing" })).toBe(0);
  });

  it("answers a call whose arguments are nested deeper than the stack, and goes on serving", async () => {
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    const socket = new WebSocket(`${serving.url.replace("http", "ws")}/api/1.48.0/sync`);
    await once(socket, "open");
    socket.send('{"type":"Connect","sessionId":"deep","connectionCount":0,"lastCloseReason":null}');
    const call = `"udfPath":"counters:add","args":[{"name":${nested},"by":1}]`;
    socket.send(`{"type":"Mutation","requestId":1,${call}}`);
    expect(JSON.parse(await nextAnswer(socket))).toMatchObject({ requestId: 1, success: false });
    socket.close();
    expect(await serving.http().query(get, { name: "nothing" })).toBe(0);
  });
});
