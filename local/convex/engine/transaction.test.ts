// Transactions one after another and nested, those that fail, and what goes round Convex's own code.
import {
  defineSchema,
  defineTable,
  makeFunctionReference,
  mutationGeneric,
  queryGeneric,
} from "convex/server";
import { ConvexError, v } from "convex/values";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { openDatabase } from "./format.ts";
import { type OpenEngine, openEngine } from "./testing/openEngine.ts";

const schema = defineSchema({ rows: defineTable({ name: v.string() }).index("by_name", ["name"]) });
const add = makeFunctionReference<"mutation">("m:add");
const addSlowly = makeFunctionReference<"mutation">("m:addSlowly");
const functions = {
  add: mutationGeneric({
    args: { name: v.string(), fails: v.optional(v.boolean()) },
    handler: async (ctx, { name, fails }) => {
      await ctx.db.insert("rows", { name });
      if (fails === true) throw new ConvexError({ code: name });
    },
  }),
  addTwo: mutationGeneric({
    args: { name: v.string() },
    handler: async (ctx, { name }) => {
      await ctx.runMutation(add, { name: `${name}1` });
      await ctx.runMutation(add, { name: `${name}2`, fails: true });
    },
  }),
  /** Writes when others would have ended long since. */
  addSlowly: mutationGeneric({
    args: { name: v.string() },
    handler: async (ctx, { name }) => {
      for (let i = 0; i < 100; i++) await Promise.resolve();
      await ctx.db.insert("rows", { name });
    },
  }),
  names: queryGeneric({
    args: {},
    handler: async (ctx) => (await ctx.db.query("rows").collect()).map(({ name }) => name),
  }),
};

/** As a function could that goes round Convex's own code. */
const syscall = (op: string, args: object): Promise<string> =>
  (
    globalThis as unknown as { Convex: { asyncSyscall(op: string, args: string): Promise<string> } }
  ).Convex.asyncSyscall(op, JSON.stringify(args));

let engine: OpenEngine;
let names: () => Promise<string[]>;
beforeEach(() => {
  engine = openEngine({ schema, functions });
  names = async () => JSON.parse((await engine.watch("names")).value) as string[];
});

describe("a mutation", () => {
  it("that fails leaves nothing, and is told to nobody", async () => {
    const commits: unknown[] = [];
    engine.engine.onCommit((commit) => commits.push(commit));
    await expect(engine.call("add", { name: "a", fails: true })).rejects.toMatchObject({
      data: { code: "a" },
    });
    expect(await names()).toEqual([]);
    expect(commits).toEqual([]);
    await engine.call("add", { name: "b" });
    expect(commits).toHaveLength(1);
  });

  it("goes on after a nested one that failed, without what that wrote", async () => {
    await engine.mutation(async (ctx) => {
      await ctx.runMutation(add, { name: "a" });
      const failed = await ctx
        .runMutation(makeFunctionReference("m:addTwo"), { name: "b" })
        .catch((error: unknown) => error);
      expect(failed).toMatchObject({ data: { code: "b2" } });
      await ctx.runMutation(add, { name: "c" });
    });
    expect(await names()).toEqual(["a", "c"]);
  });

  it("sees what its nested ones wrote, and they what it wrote", async () => {
    const seen = await engine.mutation(async (ctx) => {
      await ctx.db.insert("rows", { name: "a" });
      await ctx.runMutation(add, { name: "b" });
      return [
        await ctx.runQuery(makeFunctionReference("m:names"), {}),
        (await ctx.db.query("rows").collect()).length,
      ];
    });
    expect(seen).toEqual([["a", "b"], 2]);
  });

  it("runs nested ones that are begun together one after another", async () => {
    const results = await engine.mutation<string[]>(async (ctx) => {
      const all = await Promise.allSettled([
        ctx.runMutation(add, { name: "a" }),
        ctx.runMutation(makeFunctionReference("m:addTwo"), { name: "b" }),
        ctx.runMutation(add, { name: "c", fails: true }),
        ctx.db.insert("rows", { name: "d" }),
        ctx.runMutation(add, { name: "e" }),
      ]);
      return all.map(({ status }) => status);
    });
    expect(results).toEqual(["fulfilled", "rejected", "rejected", "fulfilled", "fulfilled"]);
    expect(await names()).toEqual(["a", "d", "e"]);
  });

  it("that fails while nested ones go on leaves nothing of them either", async () => {
    const failing = mutationGeneric({
      args: {},
      handler: async (ctx) => {
        const first = ctx.runMutation(addSlowly, { name: "a" });
        const second = ctx.runMutation(add, { name: "b" });
        second.catch(() => undefined);
        first.catch(() => undefined);
        throw new Error("no");
      },
    });
    const own = openEngine({ schema, functions: { ...functions, failing } });
    await own.mutation(async (ctx) => {
      await ctx.runMutation(makeFunctionReference("m:failing"), {}).catch(() => undefined);
      await ctx.runMutation(addSlowly, { name: "slow" });
      await ctx.db.insert("rows", { name: "kept" });
    });
    expect(JSON.parse((await own.watch("names")).value)).toEqual(["slow", "kept"]);
  });

  it("keeps what it wrote without waiting for it", async () => {
    await engine.mutation((ctx) => {
      void ctx.db.insert("rows", { name: "a" });
      void ctx.runMutation(addSlowly, { name: "b" });
    });
    expect(await names()).toEqual(["a", "b"]);
  });

  it("cannot write after its end", async () => {
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let late!: Promise<unknown>;
    await engine.mutation((ctx) => {
      late = ended.then(() => ctx.db.insert("rows", { name: "late" }));
    });
    end();
    await expect(late).rejects.toThrow("has ended; it did not wait for all that it began");
    expect(await names()).toEqual([]);
  });

  it("does not see, and is not seen by, what runs beside it", async () => {
    const counts = Array.from({ length: 20 }, () =>
      engine.mutation<number>(async (ctx) => {
        const { length } = await ctx.db.query("rows").collect();
        await Promise.resolve();
        await ctx.db.insert("rows", { name: `row ${length}` });
        return length;
      }),
    );
    expect((await Promise.all(counts)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it("has a timestamp of its own, later than all before, also when the clock goes back", async () => {
    let now = 1_000;
    const own = openEngine({ schema, functions, clock: () => now });
    const seen: bigint[] = [];
    own.engine.onCommit(({ ts }) => seen.push(ts));
    for (now of [1_000, 1_000, 10, 2_000]) await own.call("add", { name: "x" });
    expect(seen).toEqual([1_000_000_000n, 1_000_000_001n, 1_000_000_002n, 2_000_000_000n]);
    expect(own.engine.latestTs()).toBe(2_000_000_000n);
  });

  it("creates its documents after all there are, also when the clock was put back meanwhile", async () => {
    const db = openDatabase();
    for (const now of [2_000, 1_000]) {
      const own = openEngine({ db, schema, functions, clock: () => now });
      await own.call("add", { name: String(now) });
    }
    const own = openEngine({ db, schema, functions });
    expect(JSON.parse((await own.watch("names")).value)).toEqual(["2000", "1000"]);
  });

  it("is committed, whatever a listener makes of it", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
    engine.engine.onCommit(() => {
      throw new Error("listener");
    });
    await engine.call("add", { name: "a" });
    expect(await names()).toEqual(["a"]);
    expect(told).toHaveBeenCalledTimes(1);
    told.mockRestore();
  });

  it("does not write Convex's own tables", async () => {
    const id = await engine.mutation<string>((ctx) =>
      ctx.scheduler.runAfter(1e9, add, { name: "x" }),
    );
    const message = 'The system table "_scheduled_functions" cannot be written to';
    for (const [op, args] of [
      ["insert", { table: "_scheduled_functions", value: {} }],
      ["shallowMerge", { id, value: {} }],
      ["replace", { id, value: {} }],
      ["remove", { id }],
    ] as const)
      await expect(engine.mutation(() => syscall(`1.0/${op}`, args))).rejects.toThrow(message);
  });
});

describe("a query", () => {
  it("does not write, nor call what does", async () => {
    await expect(
      engine.query((ctx) => (ctx as { db: { insert?: unknown } }).db.insert),
    ).resolves.toBeNull();
    await expect(
      engine.query(() => syscall("1.0/insert", { table: "rows", value: { name: "a" } })),
    ).rejects.toThrow("db.insert is for mutations; this is a query");
    await expect(
      engine.query(() =>
        syscall("1.0/runUdf", { udfType: "mutation", name: "m:add", args: { name: "a" } }),
      ),
    ).rejects.toThrow("A query cannot run a mutation");
    await expect(
      engine.mutation(() =>
        syscall("1.0/actions/mutation", { name: "m:add", args: { name: "a" } }),
      ),
    ).rejects.toThrow("for actions");
    await expect(engine.query(() => syscall("1.0/storageGetUrl", {}))).rejects.toThrow(
      'does not answer the system call "1.0/storageGetUrl"',
    );
  });
});

it("what waits for something that never comes is ended with all that is in it, and others have their turn", async () => {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  let late!: Promise<unknown>;
  const stuck = mutationGeneric({
    args: {},
    handler: async (ctx) => {
      await ctx.db.insert("rows", { name: "lost" });
      late = ended.then(() => ctx.db.insert("rows", { name: "late" }));
      await new Promise(() => undefined);
    },
  });
  const outer = mutationGeneric({
    args: {},
    handler: (ctx) => ctx.runMutation(makeFunctionReference<"mutation">("m:stuck"), {}),
  });
  const own = openEngine({
    schema,
    functions: { ...functions, stuck, outer },
    maxTransactionMs: 20,
  });
  const first = own.call("outer");
  const second = own.call("add", { name: "next" });
  await expect(first).rejects.toThrow("m:outer did not end within 0.02 s");
  await second;
  await own.mutation(async (ctx) => {
    end();
    await expect(late).rejects.toThrow("has ended");
    await ctx.db.insert("rows", { name: "after" });
  });
  expect(JSON.parse((await own.watch("names")).value)).toEqual(["next", "after"]);
});

it("lets the rest of the thread have its turn though hundreds wait, and so do the queries of a snapshot", async () => {
  const compute = (): number => {
    const startMs = performance.now();
    while (performance.now() - startMs < 3);
    return performance.now() - startMs;
  };
  const own = openEngine({ functions: { compute: queryGeneric({ args: {}, handler: compute }) } });
  const turnsIn = async (work: Promise<unknown>): Promise<number> => {
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await work;
    isOver = true;
    return turns;
  };
  const mutations = Array.from({ length: 40 }, () => own.mutation(compute));
  expect(await turnsIn(Promise.all(mutations))).toBeGreaterThan(2);
  const call = { target: { component: "", path: "m:compute" }, args: {}, identity: null };
  const snapshot = own.engine.atSnapshot(async (read) => {
    for (let i = 0; i < 40; i++) await read(call, null);
  });
  expect(await turnsIn(snapshot)).toBeGreaterThan(2);
});
