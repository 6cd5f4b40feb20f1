// Which live queries a commit has run again: those that read what it wrote, and no other. One client's
// session over the engine, on a socket of the test's own that says what was run for each transition.
import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { openDatabase } from "./engine/format.ts";
import { createEngineRuntime } from "./engineRuntime.ts";
import { findModules, loadSchema } from "./modules.ts";
import type { Modification, ServerMessage } from "./protocol.ts";
import type { ConvexRuntime } from "./runtime.ts";
import { serveSync } from "./sync.ts";

const modules = await findModules(fileURLToPath(new URL("testProject", import.meta.url)));
const schema = await loadSchema(modules);

type Json = Record<string, unknown>;
interface Asked {
  path: string;
  args: Json;
}

const startClient = () => {
  const runtime = createEngineRuntime({ db: openDatabase(), modules, schema });
  /** Arguments of the queries that were run since it was last emptied. */
  const ran: unknown[] = [];
  /** What goes on while a snapshot waits for its turn. */
  let beforeSnapshot = (): unknown => undefined;
  const counting: ConvexRuntime = {
    ...runtime,
    async runQueries(ask, identity) {
      await beforeSnapshot();
      return await runtime.runQueries(() => {
        const calls = ask();
        ran.push(...calls.map(({ args }) => args));
        return calls;
      }, identity);
    },
  };
  const socket = new EventEmitter();
  const arrived: ServerMessage[] = [];
  let wake = (): void => undefined;
  Object.assign(socket, {
    bufferedAmount: 0,
    isPaused: false,
    close: () => undefined,
    terminate: () => undefined,
    send(text: string) {
      arrived.push(JSON.parse(text) as ServerMessage);
      wake();
    },
  });
  serveSync(socket as WebSocket, {
    runtime: counting,
    verify: () => Promise.reject(new Error("nobody signs in")),
    clock: Date.now,
  });
  const send = (message: object): boolean =>
    socket.emit("message", Buffer.from(JSON.stringify(message)));
  send({ type: "Connect", sessionId: "one", connectionCount: 0, lastCloseReason: null });

  /** What changed with the next transition, by query. */
  const transition = async (): Promise<Map<number, Modification>> => {
    for (;;) {
      const at = arrived.findIndex(({ type }) => type === "Transition");
      const [message] = at < 0 ? [] : arrived.splice(at, 1);
      if (message?.type === "Transition")
        return new Map(message.modifications.map((one) => [one.queryId, one]));
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  let version = 0;
  const follow = async (...asked: Asked[]): Promise<Map<number, Modification>> => {
    const modifications = asked.map(({ path, args }, queryId) => {
      return { type: "Add", queryId, udfPath: path, args: [args] };
    });
    send({
      type: "ModifyQuerySet",
      baseVersion: version,
      newVersion: (version += 1),
      modifications,
    });
    const first = await transition();
    ran.length = 0;
    return first;
  };
  /** Somebody else's mutation. */
  const mutate = async (path: string, args: Json): Promise<unknown> => {
    const { outcome } = await runtime.runMutation({ path, args: args as never }, null);
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.value;
  };
  return {
    runtime,
    arrived,
    send,
    transition,
    follow,
    mutate,
    ran,
    onceBeforeSnapshot(work: () => unknown) {
      beforeSnapshot = () => {
        beforeSnapshot = () => undefined;
        return work();
      };
    },
    close: () => socket.emit("close"),
  };
};

const valueOf = (one: Modification | undefined): unknown =>
  one?.type === "QueryUpdated" ? one.value : one;

describe("a commit", () => {
  let client: ReturnType<typeof startClient>;
  /** A query that every mutation of these tests but the one under test leaves alone. */
  const SENTINEL: Asked = { path: "counters:get", args: { name: "sentinel" } };
  const touchSentinel = () => client.mutate("counters:add", { name: "sentinel", by: 1 });
  const put = (list: string, rank: number, text = ""): Promise<string> =>
    client.mutate("rows:insert", { list, rank, text }) as Promise<string>;
  /** Follows one query beside the sentinel, and tells whether the mutation had it run again. */
  const isRunAgainBy = async (asked: Asked, mutation: () => Promise<unknown>): Promise<boolean> => {
    await client.follow(asked, SENTINEL);
    await mutation();
    await touchSentinel();
    while (!(await client.transition()).has(1));
    const others = client.ran.filter(
      (args) => JSON.stringify(args) !== JSON.stringify(SENTINEL.args),
    );
    return others.length > 0;
  };

  beforeEach(() => {
    client = startClient();
    return () => client.close();
  });

  it("that touches one of many queries has one run again", async () => {
    const asked = Array.from({ length: 500 }, (_, i) => {
      return { path: "counters:get", args: { name: `c${i}` } };
    });
    await client.follow(...asked);
    await client.mutate("counters:add", { name: "c77", by: 5 });
    const changed = await client.transition();
    expect([...changed.keys()]).toEqual([77]);
    expect(valueOf(changed.get(77))).toBe(5);
    expect(client.ran).toEqual([{ name: "c77" }]);
  });

  const range: Asked = { path: "rows:inList", args: { list: "a", from: 10, to: 20 } };
  it.each([
    ["at its beginning", "a", 10, true],
    ["before its end", "a", 19.5, true],
    ["at its end", "a", 20, false],
    ["before its beginning", "a", 9.5, false],
    ["of the same rank in another list", "b", 15, false],
  ])("with a row %s: a range", async (_, list, rank, expected) => {
    await put("a", 12);
    expect(await isRunAgainBy(range, () => put(list, rank))).toBe(expected);
  });

  it("that moves a row into a range, and out, concerns it", async () => {
    const id = await put("a", 30);
    const edit = (rank: number) => () => client.mutate("rows:edit", { id, rank, text: "" });
    expect(await isRunAgainBy(range, edit(15))).toBe(true);
    expect(await isRunAgainBy(range, edit(40))).toBe(true);
    expect(await isRunAgainBy(range, edit(41))).toBe(false);
  });

  it("behind what a query took is none of its business", async () => {
    for (const rank of [1, 2, 3, 4]) await put("a", rank);
    const asked: Asked = { path: "rows:lowest", args: { list: "a", count: 2 } };
    expect(await isRunAgainBy(asked, () => put("a", 2.5))).toBe(false);
    expect(await isRunAgainBy(asked, () => put("a", 1.5))).toBe(true);
  });

  it("inside a page has that page run again, and not its neighbour", async () => {
    for (const rank of [1, 2, 3, 4]) await put("a", rank);
    const pageAt = (cursor: string | null): Asked => {
      return { path: "rows:page", args: { list: "a", paginationOpts: { numItems: 2, cursor } } };
    };
    const first = await client.follow(pageAt(null));
    const { continueCursor } = valueOf(first.get(0)) as { continueCursor: string };
    await client.follow(pageAt(null), pageAt(continueCursor));
    await put("a", 1.5);
    const changed = await client.transition();
    expect([...changed.keys()]).toEqual([0]);
    expect((valueOf(changed.get(0)) as { page: unknown[] }).page).toHaveLength(3);
    await put("a", 3.5);
    expect([...(await client.transition()).keys()]).toEqual([1]);
    expect(client.ran).toHaveLength(2);
  });

  it("to one document concerns who read it, also when it goes and while it is not there", async () => {
    const [id, other] = [await put("a", 1), await put("a", 2)];
    const one: Asked = { path: "rows:one", args: { id } };
    const edit = (which: string) => () =>
      client.mutate("rows:edit", { id: which, rank: 1, text: "edited" });
    expect(await isRunAgainBy(one, edit(other))).toBe(false);
    expect(await isRunAgainBy(one, edit(id))).toBe(true);
    expect(await isRunAgainBy(one, () => client.mutate("rows:remove", { id }))).toBe(true);
    expect(await isRunAgainBy(one, edit(other))).toBe(false);
  });

  it("that makes what a query missed concerns it", async () => {
    const missing: Asked = { path: "counters:get", args: { name: "not yet" } };
    const add = (name: string) => () => client.mutate("counters:add", { name, by: 1 });
    expect(await isRunAgainBy(missing, add("not yeT"))).toBe(false);
    expect(await isRunAgainBy(missing, add("not yet"))).toBe(true);
  });

  it("to searched text has the search run again", async () => {
    await put("a", 1, "green apples");
    const search: Asked = { path: "rows:found", args: { list: "a", words: "apples" } };
    const followed = await client.follow(search);
    expect(valueOf(followed.get(0))).toHaveLength(1);
    await put("a", 2, "red apples");
    expect(valueOf((await client.transition()).get(0))).toHaveLength(2);
    const counting = () => client.mutate("counters:add", { name: "another table", by: 1 });
    expect(await isRunAgainBy(search, counting)).toBe(false);
  });

  it("is shown whole, also where another came before it and was about to be shown", async () => {
    const inList: Asked = { path: "rows:inList", args: { list: "a" } };
    const counter: Asked = { path: "counters:get", args: { name: "a" } };
    const append = () => client.mutate("rows:append", { list: "a", text: "" });
    await append();
    const first = await client.follow(inList, counter);
    const [{ _id: id }] = valueOf(first.get(0)) as [{ _id: string }];
    // The edit has the list read again; the row concerns both queries.
    client.onceBeforeSnapshot(append);
    await client.mutate("rows:edit", { id, rank: 1, text: "edited" });
    let [length, count] = [1, 1];
    while (length < 2) {
      const changed = await client.transition();
      if (changed.has(0)) length = (valueOf(changed.get(0)) as unknown[]).length;
      if (changed.has(1)) count = valueOf(changed.get(1)) as number;
      expect(length).toBe(count);
    }
  });
});
