// When crons are due, and that they run then, over restarts and changes of `crons.ts`.
import { actionGeneric, cronJobs, makeFunctionReference, mutationGeneric } from "convex/server";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CronSchedule, declaredCrons, nextDueMs } from "./crons.ts";
import { openDatabase } from "./format.ts";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

const DAY_MS = 24 * 3600_000;
const NOW = Date.UTC(2026, 0, 30, 12, 30, 15); // a Friday
const CASES: [string, CronSchedule, string][] = [
  ["hourly", { type: "hourly", minuteUTC: 31 }, "2026-01-30T12:31"],
  ["hourly, just missed", { type: "hourly", minuteUTC: 30 }, "2026-01-30T13:30"],
  ["daily", { type: "daily", hourUTC: 3, minuteUTC: 0 }, "2026-01-31T03:00"],
  ["weekly", { type: "weekly", dayOfWeek: "sunday", hourUTC: 0, minuteUTC: 5 }, "2026-02-01T00:05"],
  [
    "weekly, the same day",
    { type: "weekly", dayOfWeek: "friday", hourUTC: 23, minuteUTC: 5 },
    "2026-01-30T23:05",
  ],
  ["monthly", { type: "monthly", day: 1, hourUTC: 0, minuteUTC: 0 }, "2026-02-01T00:00"],
  [
    "monthly, on a day that February has not",
    { type: "monthly", day: 30, hourUTC: 0, minuteUTC: 0 },
    "2026-03-30T00:00",
  ],
  ["a string", { type: "cron", cron: "*/20 8-10 * * 1-5" }, "2026-02-02T08:00"],
  ["a string with names", { type: "cron", cron: "0 0 29 FEB *" }, "2028-02-29T00:00"],
  ["days of month and of week: either", { type: "cron", cron: "0 0 15 * MON" }, "2026-02-02T00:00"],
];

describe("a cron is due next", () => {
  it.each(CASES)("%s", (name, schedule, expected) => {
    const next = nextDueMs({ name, schedule }, NOW);
    expect(new Date(next).toISOString()).toBe(`${expected}:00.000Z`);
    expect(nextDueMs({ name, schedule }, next)).toBeGreaterThan(next);
  });

  it("at its interval's steps from the first, those that are missed left out", () => {
    const cron = { name: "x", schedule: { type: "interval", minutes: 5 } } as const;
    expect(nextDueMs(cron, NOW)).toBe(NOW);
    expect(nextDueMs(cron, NOW, NOW)).toBe(NOW + 300_000);
    expect(nextDueMs(cron, NOW + 299_999, NOW)).toBe(NOW + 300_000);
    expect(nextDueMs(cron, NOW + 300_000, NOW)).toBe(NOW + 600_000);
    expect(nextDueMs(cron, NOW + 86_400_001, NOW)).toBe(NOW + 86_400_000 + 300_000);
  });

  it("in a minute that is its own, where none is said", () => {
    const minutes = ["a", "b", "c", "d"].map((name) =>
      new Date(nextDueMs({ name, schedule: { type: "daily", hourUTC: 1 } }, NOW)).getUTCMinutes(),
    );
    expect(new Set(minutes).size).toBeGreaterThan(1);
  });

  it.each([["* * * *"], ["* * * * * *"], ["61 * * * *"], ["every day"], [""], ["0 0 31 2 *"]])(
    "never, for a string that says no time: %j",
    (cron) => {
      expect(() => nextDueMs({ name: "bad", schedule: { type: "cron", cron } }, NOW)).toThrow(
        'The cron "bad" is',
      );
    },
  );
});

it("crons.ts must have crons, and right ones", () => {
  expect(() => declaredCrons({}, "")).toThrow("no `cronJobs()`");
  const crons = cronJobs();
  crons.cron("bad", "* *", makeFunctionReference<"mutation">("m:tick"));
  expect(() => declaredCrons({ default: crons }, "")).toThrow('The cron "bad" is wrong');
});

describe("the crons of an app", () => {
  let folder: string;
  let engine: OpenEngine;
  let acted: number;
  let gate: Promise<void>;
  const functions = {
    tick: mutationGeneric({
      handler: async (ctx, args: { who?: string }) => {
        await ctx.db.insert("ticks", { who: args.who ?? "nobody" });
        if (args.who === "fails") throw new Error("tick");
      },
    }),
    act: actionGeneric({
      handler: async () => {
        acted += 1;
        await gate;
      },
    }),
  };
  const tick = makeFunctionReference<"mutation", { who?: string }>("m:tick");
  const every = (seconds: number, who: string, name = "ticking") => {
    const crons = cronJobs();
    crons.interval(name, { seconds }, tick, { who });
    return crons;
  };
  const open = async (crons: unknown) => {
    engine = openEngine({ db: openDatabase(folder), functions, crons });
    await engine.engine.start();
  };
  const restart = async (crons: unknown, afterMs = 0) => {
    engine.close();
    vi.setSystemTime(Date.now() + afterMs);
    await open(crons);
  };
  const pass = async (ms: number, stepMs = 1000) => {
    for (let passed = 0; passed <= ms; passed += stepMs) {
      vi.advanceTimersByTime(passed === 0 ? 0 : stepMs);
      await engine.engine.scheduler.idle();
    }
  };
  const ticks = () => engine.query<number>((ctx) => ctx.db.query("ticks").count());

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    folder = mkdtempSync(join(tmpdir(), "crons-"));
    acted = 0;
    gate = Promise.resolve();
  });
  afterEach(() => {
    engine.close();
    rmSync(folder, { recursive: true });
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("run when they are due, with their arguments, and leave no record among scheduled functions", async () => {
    await open(every(10, "ada"));
    await pass(30_000);
    expect(await engine.query((ctx) => ctx.db.query("ticks").collect())).toMatchObject([
      { who: "ada" },
      { who: "ada" },
      { who: "ada" },
      { who: "ada" },
    ]);
    expect(
      await engine.query((ctx) => ctx.db.system.query("_scheduled_functions").collect()),
    ).toEqual([]);
  });

  it("go on after a run that failed", async () => {
    await open(every(10, "fails"));
    await pass(20_000);
    expect(console.error).toHaveBeenCalledTimes(3);
    expect(await ticks()).toBe(0);
  });

  it("are due after a restart when they were before it, and make up for one run of those missed", async () => {
    await open(every(10, "ada"));
    await pass(0);
    await restart(every(10, "ada"), 4_000);
    await pass(5_000);
    expect(await ticks()).toBe(1);
    await pass(1_000);
    expect(await ticks()).toBe(2);
    await restart(every(10, "ada"), 3600_000);
    await pass(0);
    expect(await ticks()).toBe(3);
    await pass(10_000);
    expect(await ticks()).toBe(4);
  });

  it("wait no longer than from one run to the next where the clock was put back", async () => {
    await open(every(10, "ada"));
    await pass(0);
    await restart(every(10, "ada"), -DAY_MS);
    await pass(10_000);
    expect(await ticks()).toBe(2);
  });

  it("begin anew when they change, and end when they are gone", async () => {
    await open(every(3600, "ada"));
    await pass(0);
    await restart(every(10, "ada"));
    await pass(10_000);
    expect(await ticks()).toBe(3);
    await restart(every(10, "bo"));
    await pass(0);
    expect(await ticks()).toBe(4);
    await restart(undefined);
    await pass(60_000);
    expect(await ticks()).toBe(4);
  });

  it("never run twice at once: what comes due meanwhile is left out", async () => {
    let release!: () => void;
    gate = new Promise((resolve) => (release = resolve));
    const crons = cronJobs();
    crons.interval("acting", { seconds: 10 }, makeFunctionReference<"action">("m:act"));
    await open(crons);
    vi.advanceTimersByTime(0);
    await vi.waitFor(() => expect(acted).toBe(1));
    vi.advanceTimersByTime(35_000);
    expect(acted).toBe(1);
    release();
    await engine.engine.scheduler.idle();
    await pass(4_000);
    expect(acted).toBe(1);
    await pass(1_000);
    expect(acted).toBe(2);
  });

  it("whose action a restart cut off run at their next time", async () => {
    gate = new Promise(() => undefined);
    const crons = cronJobs();
    crons.interval("acting", { seconds: 10 }, makeFunctionReference<"action">("m:act"));
    await open(crons);
    vi.advanceTimersByTime(0);
    await vi.waitFor(() => expect(acted).toBe(1));
    await restart(crons);
    gate = Promise.resolve();
    await pass(9_000);
    expect(acted).toBe(1);
    await pass(1_000);
    expect(acted).toBe(2);
  });
});
