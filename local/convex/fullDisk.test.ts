// What the local Convex does when the disk is full; the limit is SQLite's own on the file's pages.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFunctionReference, mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createEngineRuntime } from "./engineRuntime.ts";
import { openDatabase } from "./engine/format.ts";
import type { Outcome } from "./runtime.ts";

const LARGE = "x".repeat(100_000);
const modules = {
  "./rows.ts": () =>
    Promise.resolve({
      add: mutationGeneric({
        args: { text: v.string() },
        handler: (ctx, { text }) => ctx.db.insert("rows", { text }),
      }),
      addInSpite: mutationGeneric({
        args: {},
        handler: async (ctx) => {
          for (const text of [LARGE, "small"]) {
            try {
              await ctx.db.insert("rows", { text });
            } catch {
              // As somebody might write it.
            }
          }
        },
      }),
      addLater: mutationGeneric({
        args: {},
        handler: (ctx) =>
          ctx.scheduler.runAfter(0, makeFunctionReference<"mutation">("rows:add"), { text: LARGE }),
      }),
      texts: queryGeneric({
        args: {},
        handler: async (ctx) =>
          (await ctx.db.query("rows").collect()).map(({ text }) => text.length),
      }),
    }),
};

let folder: string;
let close: () => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "full-disk-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  close();
  await rm(folder, { recursive: true });
});

const open = async () => {
  const db = openDatabase(folder);
  const runtime = createEngineRuntime({ db, modules });
  await runtime.start();
  close = () => {
    runtime.close();
    db.close();
  };
  const setPages = (pages: number) => db.exec(`PRAGMA max_page_count = ${pages}`);
  const call = async (path: string, args = {}): Promise<Outcome> =>
    (await runtime.runMutation({ path, args }, null)).outcome;
  const lengths = async (): Promise<unknown> => {
    const { results } = await runtime.runQueries(() => [{ path: "rows:texts", args: {} }], null);
    return results[0]?.outcome;
  };
  return { runtime, setPages, call, lengths };
};
const FULL = { ok: false, message: expect.stringContaining("is full.") as string };

it("a call that finds no room fails with a sentence and writes nothing; the next one finds room again", async () => {
  const { setPages, call, lengths } = await open();
  expect(await call("rows:add", { text: "first" })).toEqual({
    ok: true,
    value: expect.any(String),
  });
  setPages(1);
  expect(await call("rows:add", { text: LARGE })).toMatchObject({
    ok: false,
    message: `Uncaught DiskFull: The disk that holds ${folder} is full.`,
  });
  expect(await call("rows:addInSpite")).toMatchObject(FULL);
  expect(await lengths()).toEqual({ ok: true, value: [5] });
  setPages(100_000);
  expect(await call("rows:add", { text: LARGE })).toMatchObject({ ok: true });
  expect(await lengths()).toEqual({ ok: true, value: [5, LARGE.length] });
});

it("what was scheduled stays due, and runs once when there is room", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { runtime, setPages, call, lengths } = await open();
  expect(await call("rows:add", { text: "first" })).toEqual({
    ok: true,
    value: expect.any(String),
  });
  const failedOnce = new Promise<void>((resolve) => told.mockImplementation(() => resolve()));
  const ran = new Promise<void>((resolve) => {
    let commits = 0;
    runtime.onCommit(() => {
      commits += 1;
      // What was scheduled is not run in the turn that commits it.
      if (commits === 1) setPages(1);
      else resolve();
    });
  });
  expect(await call("rows:addLater")).toMatchObject({ ok: true });
  await failedOnce;
  expect(await lengths()).toEqual({ ok: true, value: [5] });
  setPages(100_000);
  await ran;
  expect(await lengths()).toEqual({ ok: true, value: [5, LARGE.length] });
  expect(told).toHaveBeenCalledTimes(1);
});
