// When scheduled functions are called, on a clock and a network of the test's own.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { FunctionSpec } from "#functions/catalog.ts";
import { startScheduler } from "./scheduler.ts";

const SWEEP: FunctionSpec = {
  name: "sweep",
  trigger: { kind: "schedule", cron: "* * * * *", everySec: 60 },
  public: false,
  memoryMiB: 128,
  cpu: 1,
  timeoutSec: 5,
  concurrency: 1,
  maxInstances: 1,
  account: "worker",
  secrets: [],
};
const OTHER: FunctionSpec = {
  ...SWEEP,
  name: "other",
  trigger: { kind: "topic", topic: "other" },
};

interface Call {
  url: string;
  authorization: string | null;
  answer: (status: number) => void;
}

/** A fetch whose calls wait until they are answered. */
const heldFetch = () => {
  const calls: Call[] = [];
  const fetch = (async (url: string, init: RequestInit) =>
    await new Promise<Response>((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      calls.push({
        url,
        authorization: new Headers(init.headers).get("authorization"),
        answer: (status) => resolve(new Response(null, { status })),
      });
    })) as typeof globalThis.fetch;
  return { calls, fetch };
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("calls scheduled functions alone, with a token for each, and never twice at once", async () => {
  const { calls, fetch } = heldFetch();
  const reports: string[] = [];
  const scheduler = startScheduler({
    catalog: [SWEEP, OTHER],
    urlOf: (name) => `http://front/${name}`,
    mintIdToken: (audience) => Promise.resolve(`token for ${audience}`),
    fetch,
    report: (sentence) => reports.push(sentence),
  });
  const pass = (sec: number) => vi.advanceTimersByTimeAsync(sec * 1000);
  await pass(59);
  expect(calls).toEqual([]);
  await pass(1);
  expect(calls).toMatchObject([
    { url: "http://front/sweep", authorization: "Bearer token for http://front/sweep" },
  ]);

  // Two beats pass while it is under way, and are left out.
  await pass(150);
  expect(calls).toHaveLength(1);
  calls[0]?.answer(500);
  await pass(29);
  expect(calls).toHaveLength(1);
  expect(reports).toEqual(["scheduler: sweep answered 500."]);
  await pass(1);
  expect(calls).toHaveLength(2);

  // One is under way: closing cuts it off, and says nothing of it.
  await scheduler.close();
  expect(reports).toHaveLength(1);
});

it("takes another period for a function where one is given, and for no other", async () => {
  const { calls, fetch } = heldFetch();
  const scheduler = startScheduler({
    catalog: [SWEEP, { ...SWEEP, name: "daily" }],
    urlOf: (name) => `http://front/${name}`,
    mintIdToken: () => Promise.resolve("token"),
    everyMs: { sweep: 5 },
    fetch,
  });
  await vi.advanceTimersByTimeAsync(5);
  expect(calls).toHaveLength(1);
  await scheduler.close();
});

it("calls at once what shall not wait for the first beat", async () => {
  const { calls, fetch } = heldFetch();
  const scheduler = startScheduler({
    catalog: [SWEEP],
    urlOf: (name) => name,
    mintIdToken: (audience) => Promise.resolve(audience),
    atOnce: ["sweep"],
    fetch,
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(calls).toHaveLength(1);
  calls[0]?.answer(200);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toHaveLength(2);
  await scheduler.close();
});
