// Scheduled functions, on a clock of the test's own and over restarts.
import { actionGeneric, makeFunctionReference, mutationGeneric } from "convex/server";
import { v } from "convex/values";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openDatabase } from "./format.ts";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

const note = makeFunctionReference<"mutation">("m:note");
const DAY_MS = 24 * 3600 * 1000;
/** What runs in actions: they write nothing of their own here. */
let acted: string[];
let gate: Promise<void>;
const functions = {
  note: mutationGeneric({
    args: { text: v.string() },
    handler: async (ctx, { text }) => {
      await ctx.db.insert("notes", { text });
      if (text.startsWith("fail")) throw new Error(text);
    },
  }),
  act: actionGeneric({
    args: { text: v.string() },
    handler: async (_, { text }) => {
      acted.push(text);
      await gate;
      if (text.startsWith("fail")) throw new Error(text);
    },
  }),
};

let folder: string;
let engine: OpenEngine;
const open = async () => {
  engine = openEngine({ db: openDatabase(folder), functions });
  await engine.engine.start();
};
const restart = async () => {
  engine.close();
  await open();
};
beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  acted = [];
  gate = Promise.resolve();
  folder = mkdtempSync(join(tmpdir(), "scheduler-"));
  await open();
});
afterEach(() => {
  engine.close();
  rmSync(folder, { recursive: true });
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const schedule = (path: string, text: string, delayMs = 0) =>
  engine.mutation<string>((ctx) =>
    ctx.scheduler.runAfter(delayMs, makeFunctionReference(`m:${path}`), { text }),
  );
const cancel = (id: string) => engine.mutation((ctx) => ctx.scheduler.cancel(id));
const notes = async () =>
  (await engine.query<{ text: string }[]>((ctx) => ctx.db.query("notes").collect())).map(
    ({ text }) => text,
  );
const stateOf = async (id: string) =>
  (
    await engine.query<{ state: { kind: string } } | null>((ctx) =>
      ctx.db.system.get("_scheduled_functions", id),
    )
  )?.state.kind ?? null;
/** Lets time pass, and what is due then run to its end. */
const pass = async (ms: number) => {
  vi.advanceTimersByTime(ms);
  await engine.engine.scheduler.idle();
};

describe("scheduled functions", () => {
  it("run when the schedule can be read again", async () => {
    await schedule("note", "late", 100);
    engine.db.exec("ALTER TABLE schedule RENAME TO elsewhere");
    await pass(100);
    expect(console.error).toHaveBeenCalledWith(expect.stringContaining("read"), expect.any(Error));
    engine.db.exec("ALTER TABLE elsewhere RENAME TO schedule");
    await pass(1_000);
    expect(await notes()).toEqual(["late"]);
  });

  it("run when they are due, in that order, the first asked for first", async () => {
    await schedule("note", "late", 20);
    await schedule("note", "early", 10);
    await schedule("note", "early too", 10);
    await pass(9);
    expect(await notes()).toEqual([]);
    await pass(1);
    expect(await notes()).toEqual(["early", "early too"]);
    await pass(10);
    expect(await notes()).toEqual(["early", "early too", "late"]);
  });

  it("are not asked for by what is rolled back", async () => {
    const failing = engine.mutation(async (ctx) => {
      await ctx.scheduler.runAfter(0, note, { text: "no" });
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    await pass(1);
    expect(await notes()).toEqual([]);
  });

  it("say what became of them", async () => {
    const ids = [
      await schedule("note", "good"),
      await schedule("note", "fails"),
      await schedule("act", "good"),
      await schedule("act", "fails"),
      await schedule("gone", "there is none"),
      await schedule("note", "waits", 10),
    ];
    await pass(1);
    expect(await Promise.all(ids.map(stateOf))).toEqual([
      "success",
      "failed",
      "success",
      "failed",
      "failed",
      "pending",
    ]);
    expect(await notes()).toEqual(["good"]);
    expect(acted).toEqual(["good", "fails"]);
  });

  it("that are canceled do not run", async () => {
    const id = await schedule("note", "no", 10);
    await cancel(id);
    await pass(20);
    expect([await notes(), await stateOf(id)]).toEqual([[], "canceled"]);
    await cancel(id);
    await expect(
      cancel(await engine.mutation((ctx) => ctx.db.insert("notes", { text: "x" }))),
    ).rejects.toThrow("no scheduled function");
  });

  it("that are canceled while they run stay so", async () => {
    let release!: () => void;
    gate = new Promise((resolve) => (release = resolve));
    const id = await schedule("act", "slow");
    vi.advanceTimersByTime(0);
    await vi.waitFor(() => expect(acted).toEqual(["slow"]));
    expect(await stateOf(id)).toBe("inProgress");
    await cancel(id);
    release();
    await engine.engine.scheduler.idle();
    expect(await stateOf(id)).toBe("canceled");
  });

  it("due in the distant future do not run at once, and run then", async () => {
    const farMs = 2 ** 31 + 5_000;
    const id = await schedule("note", "far", farMs);
    vi.advanceTimersByTime(farMs - 1);
    expect(await stateOf(id)).toBe("pending");
    await pass(1);
    expect(await stateOf(id)).toBe("success");
  });

  it("run once, however often everything is begun anew", async () => {
    const soon = await schedule("note", "soon", 10);
    await schedule("note", "later", 1000);
    await restart();
    expect(await notes()).toEqual([]);
    engine.close();
    vi.setSystemTime(1_000_500);
    await open();
    await pass(0);
    expect([await notes(), await stateOf(soon)]).toEqual([["soon"], "success"]);
    await restart();
    await pass(0);
    await pass(10_000);
    await restart();
    await pass(10_000);
    expect(await notes()).toEqual(["soon", "later"]);
  });

  it("that were actions, and cut off, have failed, and do not run again", async () => {
    gate = new Promise(() => undefined);
    const id = await schedule("act", "cut off");
    vi.advanceTimersByTime(0);
    await vi.waitFor(() => expect(acted).toEqual(["cut off"]));
    expect(await stateOf(id)).toBe("inProgress");
    await restart();
    await pass(10_000);
    expect([acted, await stateOf(id)]).toEqual([["cut off"], "failed"]);
  });

  it("are forgotten a week after their end, whatever still waits", async () => {
    const waits = await schedule("note", "waits", 30 * DAY_MS);
    const over = await schedule("note", "over");
    const canceled = await schedule("note", "canceled", 5);
    await cancel(canceled);
    await pass(1);
    await schedule("note", "next", 6 * DAY_MS);
    await pass(6 * DAY_MS);
    expect(await stateOf(over)).toBe("success");
    await schedule("note", "after", 2 * DAY_MS);
    await pass(2 * DAY_MS);
    expect(await Promise.all([over, canceled, waits].map(stateOf))).toEqual([
      null,
      null,
      "pending",
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, new Date(Number.NaN), 1e15, -1e15])(
    "are due at a time, and within five years of now: not at %s",
    async (time) => {
      const scheduled = engine.mutation((ctx) =>
        ctx.scheduler.runAt(time, makeFunctionReference("m:note"), { text: "never" }),
      );
      await expect(scheduled).rejects.toThrow(/at a time|5 years/);
    },
  );

  it("are 64 at a time at most", async () => {
    let release!: () => void;
    gate = new Promise((resolve) => (release = resolve));
    await engine.mutation(async (ctx) => {
      for (let i = 0; i < 70; i++)
        await ctx.scheduler.runAfter(0, makeFunctionReference("m:act"), { text: String(i) });
    });
    vi.advanceTimersByTime(0);
    await vi.waitFor(() => expect(acted).toHaveLength(64));
    await vi.advanceTimersByTimeAsync(10);
    expect(acted).toHaveLength(64);
    release();
    while (engine.engine.scheduler.isRunning()) {
      await engine.engine.scheduler.idle();
      vi.advanceTimersByTime(0);
    }
    expect(acted).toHaveLength(70);
  });
});
