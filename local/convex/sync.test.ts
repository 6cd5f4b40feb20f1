// A session by itself, on a socket and a runtime of the test's own.
import { EventEmitter } from "node:events";
import { setImmediate as soon } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import type { Commit, ConvexRuntime } from "./runtime.ts";
import { serveSync } from "./sync.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MIB = 1024 ** 2;

/** A socket that does as it is told, and a runtime that does what the test says and nothing else. */
const startSession = (does: Partial<ConvexRuntime>) => {
  const never = () => Promise.reject(new Error("not asked for"));
  const sent: { type: string }[] = [];
  const socket = Object.assign(new EventEmitter(), {
    bufferedAmount: 0,
    isPaused: false,
    wasCut: false,
    send: (text: string) => void sent.push(JSON.parse(text) as { type: string }),
    pause: () => (socket.isPaused = true),
    resume: () => (socket.isPaused = false),
    close: () => socket.emit("close"),
    terminate() {
      socket.wasCut = true;
      socket.emit("close");
    },
  });
  serveSync(socket as unknown as WebSocket, {
    runtime: {
      find: never,
      runQueries: never,
      runMutation: never,
      runAction: never,
      latestTs: () => 1n,
      onCommit: () => () => true,
      start: never,
      close: () => undefined,
      ...does,
    },
    verify: never,
    clock: Date.now,
  });
  const say = (message: object): boolean =>
    socket.emit("message", Buffer.from(JSON.stringify(message)));
  const connect = () =>
    say({ type: "Connect", sessionId: "one", connectionCount: 0, lastCloseReason: null });
  const types = () => sent.map(({ type }) => type);
  return { socket, say, connect, types };
};

it("keeps no commits for a client that has asked for nothing", async () => {
  let tell: (commit: Commit) => void = () => undefined;
  const { socket } = startSession({
    onCommit: (listener) => {
      tell = listener;
      return () => true;
    },
  });
  const refs = Array.from({ length: 100 }, (_, i) => {
    const commit: Commit = { ts: BigInt(i), writes: new Set(["jobs"]) };
    tell(commit);
    return new WeakRef(commit);
  });
  await soon();
  collectGarbage();
  expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(5);
  socket.emit("close");
});

describe("a client that reads slowly, or sends fast", () => {
  const action = (requestId: number) => {
    return { type: "Action", requestId, udfPath: "a:b", args: [{}] };
  };
  const startSlow = () => {
    let ran = 0;
    const session = startSession({
      find: () => Promise.resolve("action"),
      runAction: () => {
        ran += 1;
        return Promise.resolve({ ok: true, value: null });
      },
    });
    session.connect();
    session.socket.bufferedAmount = 2 * MIB;
    return { ...session, ran: () => ran };
  };
  const passMs = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  afterEach(() => void vi.useRealTimers());

  it("has nothing run for it until it has read", async () => {
    vi.useFakeTimers();
    const { socket, say, ran } = startSlow();
    for (let i = 0; i < 5; i++) say(action(i));
    await passMs(1_000);
    expect(ran()).toBe(0);
    socket.bufferedAmount = 0;
    await passMs(1_000);
    expect(ran()).toBe(5);
    socket.emit("close");
  });

  it("is cut off when it has read nothing for long, and not while it reads slowly", async () => {
    vi.useFakeTimers();
    const { socket, say } = startSlow();
    say(action(0));
    await passMs(25_000);
    socket.bufferedAmount -= 1_000;
    await passMs(25_000);
    expect(socket.wasCut).toBe(false);
    await passMs(10_000);
    expect(socket.wasCut).toBe(true);
  });

  it("is read no further while much of what it sent waits", async () => {
    let answer = (): void => undefined;
    const { socket, say, connect, types } = startSession({
      find: () => Promise.resolve("mutation"),
      runMutation: () =>
        new Promise((resolve) => {
          answer = () => resolve({ outcome: { ok: true, value: null }, ts: 1n });
        }),
    });
    connect();
    const mutation = (requestId: number, text: string) =>
      say({ type: "Mutation", requestId, udfPath: "a:b", args: [{ text }] });
    mutation(0, "");
    await soon();
    for (let i = 1; i <= 4; i++) mutation(i, "x".repeat(1.25 * MIB));
    expect(socket.isPaused).toBe(true);
    answer();
    await soon();
    answer();
    await soon();
    expect(socket.isPaused).toBe(false);
    expect(types()).toEqual(["MutationResponse", "Transition", "MutationResponse", "Transition"]);
    socket.emit("close");
  });
});
