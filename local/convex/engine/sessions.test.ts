// Mutations that a client sends again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mutationGeneric, queryGeneric } from "convex/server";
import { v } from "convex/values";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createEngineRuntime } from "../engineRuntime.ts";
import type { ConvexRuntime } from "../runtime.ts";
import { openDatabase } from "./format.ts";
import { createSessions } from "./sessions.ts";

const modules = {
  "./m.ts": () =>
    Promise.resolve({
      add: mutationGeneric({
        args: { name: v.string() },
        handler: async (ctx, { name }) => {
          const id = await ctx.db.insert("rows", { name });
          if (name === "fails") throw new Error("no");
          return id;
        },
      }),
      names: queryGeneric({
        args: {},
        handler: async (ctx) =>
          (await ctx.db.query("rows").collect()).map((row) => row["name"] as string),
      }),
    }),
};
let folder: string;
let runtime: ConvexRuntime;
let close: () => void;
const open = () => {
  const db = openDatabase(folder);
  runtime = createEngineRuntime({ db, modules });
  close = () => {
    runtime.close();
    db.close();
  };
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sessions-"));
  open();
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

const add = (name: string, request: number, session = "s") =>
  runtime.runMutation({ path: "m:add", args: { name } }, null, { session, request });
const names = async () =>
  (await runtime.runQueries(() => [{ path: "m:names", args: {} }], null)).results[0]!.outcome;

it("a mutation that is sent again is answered as before, also after a restart", async () => {
  const first = await add("a", 1);
  expect(first.outcome.ok).toBe(true);
  expect(await add("a", 1)).toEqual(first);
  close();
  open();
  expect(await add("a", 1)).toEqual(first);
  expect((await add("b", 2)).ts).toBeGreaterThan(first.ts);
  await add("c", 1, "another session");
  expect(await names()).toEqual({ ok: true, value: ["a", "b", "c"] });
});

it("one that failed left nothing, and is run again", async () => {
  expect(await add("fails", 1)).toMatchObject({
    outcome: { ok: false, message: "Uncaught Error: no" },
  });
  expect(await add("fails", 1)).toMatchObject({ outcome: { ok: false } });
  expect(await add("now good", 1)).toMatchObject({ outcome: { ok: true } });
  expect(await names()).toEqual({ ok: true, value: ["now good"] });
});

it("is written with the mutation or not at all: the same one twice at once is one", async () => {
  const both = await Promise.all([add("a", 1), add("a", 1)]);
  expect(both[0]).toMatchObject({ outcome: { ok: true } });
  expect(both[1]).toEqual(both[0]);
  expect(await names()).toEqual({ ok: true, value: ["a"] });
});

it("keeps the last answers, not all there ever were", () => {
  const db = openDatabase();
  const sessions = createSessions(db, 3);
  for (let request = 0; request <= 3; request++)
    sessions.add({ session: "s", request }, { value: "1", ts: 5n });
  expect(sessions.find({ session: "s", request: 0 })).toBeUndefined();
  expect(sessions.find({ session: "s", request: 1 })).toEqual({ value: "1", ts: 5n });
  db.close();
});
