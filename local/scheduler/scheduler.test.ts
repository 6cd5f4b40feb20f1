import { describe, expect, it } from "vitest";
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
  let arrived = (): void => {};
  const next = async (): Promise<Call> => {
    while (calls.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    return calls.shift()!;
  };
  const fetch = (async (url: string, init: RequestInit) =>
    await new Promise<Response>((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      calls.push({
        url,
        authorization: new Headers(init.headers).get("authorization"),
        answer: (status) => resolve(new Response(null, { status })),
      });
      arrived();
    })) as typeof globalThis.fetch;
  return { calls, next, fetch };
};

describe("the scheduler", () => {
  it("calls scheduled functions alone, with a token for each, and never twice at once", async () => {
    const { calls, next, fetch } = heldFetch();
    const reports: string[] = [];
    const scheduler = startScheduler({
      catalog: [SWEEP, OTHER],
      urlOf: (name) => `http://front/${name}`,
      mintIdToken: (audience) => Promise.resolve(`token for ${audience}`),
      everyMs: 5,
      fetch,
      report: (sentence) => reports.push(sentence),
    });
    const first = await next();
    expect(first).toMatchObject({
      url: "http://front/sweep",
      authorization: "Bearer token for http://front/sweep",
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls).toEqual([]);
    first.answer(500);
    const second = await next();
    expect(reports).toEqual(["scheduler: sweep answered 500."]);
    second.answer(200);
    await next();
    // One is under way: closing cuts it off, and says nothing of it.
    await scheduler.close();
    expect(reports).toHaveLength(1);
  });
});
