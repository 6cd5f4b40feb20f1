// Leases by themselves, on instances that are no processes.
import { expect, it } from "vitest";
import type { FunctionSpec } from "#functions/catalog.ts";
import type { Instance } from "./instance.ts";
import { createPool } from "./pool.ts";

const SPEC: FunctionSpec = {
  name: "open",
  trigger: { kind: "topic", topic: "open" },
  public: false,
  memoryMiB: 128,
  cpu: 1,
  timeoutSec: 10,
  concurrency: 3,
  maxInstances: 1,
  account: "api",
  secrets: [],
};

const instance = (): Instance => ({
  pid: 0,
  port: 0,
  ready: Promise.resolve(),
  ended: new Promise(() => undefined),
  isOver: false,
  inFlight: 0,
  stop: () => Promise.resolve(),
});

it("fills an instance with those who came while it was being started", async () => {
  const pool = createPool({
    spec: SPEC,
    maxInstances: 1,
    maxWaiting: 10,
    maxWaitMs: 60_000,
    start: async () => instance(),
  });
  const leases = Array.from({ length: 4 }, () => pool.lease());
  const held = await Promise.all(leases.slice(0, 3));
  expect(held.map(({ kind }) => kind)).toEqual(["leased", "leased", "leased"]);
  expect(pool.instances().map(({ inFlight }) => inFlight)).toEqual([3]);
  const [first] = held;
  if (first?.kind === "leased") first.release();
  expect(await leases[3]).toMatchObject({ kind: "leased" });
});
