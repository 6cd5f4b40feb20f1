// A session by itself, on a socket and a runtime of the test's own.
import { EventEmitter } from "node:events";
import { setImmediate as soon } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import type { WebSocket } from "ws";
import { createMutationMemory } from "./mutationMemory.ts";
import type { Commit, ConvexRuntime } from "./runtime.ts";
import { serveSync } from "./sync.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

it("keeps no commits for a client that has asked for nothing", async () => {
  let tell: (commit: Commit) => void = () => undefined;
  const never = () => Promise.reject(new Error("not asked for"));
  const runtime: ConvexRuntime = {
    find: never,
    runQueries: never,
    runMutation: never,
    runAction: never,
    latestTs: () => 1n,
    onCommit: (listener) => {
      tell = listener;
      return () => true;
    },
    start: never,
    close: () => undefined,
  };
  const socket = new EventEmitter();
  serveSync(socket as WebSocket, {
    runtime,
    verify: never,
    mutations: createMutationMemory(),
    clock: Date.now,
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
