// Plays a program on a runtime, and writes down all that came of it in words that are the same on
// every runtime.
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import { type JSONValue, type Value, convexToJson } from "convex/values";
import { vi } from "vitest";
import type { MountedComponent } from "../../components.ts";
import type { ModuleMap } from "../../modules.ts";
import { tableNumberOf } from "../ids.ts";
import { createTestBackend } from "./testBackend.ts";
import type { Ids, Move, Program, Walk } from "./program.ts";
import schema, { INDEXES, logSchema, tallySchema } from "./schema.ts";
import { JOBS, change, failureOf, look } from "./steps.ts";

// oxlint-disable-next-line no-explicit-any -- contexts of functions whose data model no code was generated for
type Ctx = any;
type Handler = (ctx: Ctx) => Promise<unknown>;

/** What is used of convex-test's methods. */
export interface Backend {
  query(reference: unknown, args: unknown): Promise<unknown>;
  mutation(reference: unknown, args: unknown): Promise<unknown>;
  action(reference: unknown, args: unknown): Promise<unknown>;
  run(handler: Handler): Promise<unknown>;
  runInComponent(component: string, handler: Handler): Promise<unknown>;
  finishInProgressScheduledFunctions(): Promise<void>;
  withIdentity(identity: { subject: string; issuer: string }): Omit<Backend, "withIdentity">;
}

export interface Runtime {
  create(): Backend;
  isId(text: string): boolean;
  /** Takes a page for the last one where the document at its end is gone: see `DIFFERENCES`. */
  losesEnds: boolean;
}

const modulesOf = (names: readonly string[]): ModuleMap => ({
  "./_generated/api.js": () => Promise.resolve({}),
  ...Object.fromEntries(names.map((name) => [`./${name}.ts`, LOADERS[name]!])),
});
const LOADERS: ModuleMap = {
  steps: () => import("./steps.ts"),
  tally: () => import("./tally.ts"),
};
const modules = modulesOf(["steps"]);
const components: MountedComponent[] = [
  { path: "tally", schema: tallySchema, modules: modulesOf(["tally"]) },
  { path: "tally/log", schema: logSchema, modules: modulesOf(["tally"]) },
];
/** Tables of each component, to be looked at in the end. */
const COMPONENT_TABLES = { tally: ["counts"], "tally/log": ["lines"] };

export const convexTestRuntime: Runtime = {
  create() {
    const t = convexTest({ schema, modules });
    for (const one of components) t.registerComponent(one.path, one.schema, one.modules);
    return t as unknown as Backend;
  },
  isId: (text) => /^\d{5,}[a-z_]+$/.test(text),
  losesEnds: true,
};

export const engineRuntime: Runtime = {
  create: () => createTestBackend({ schema, modules, components }),
  isId: (text) => tableNumberOf(text) !== undefined,
  losesEnds: false,
};

/** Ids by their first appearance, and creation times to the millisecond. */
const neutralizer = ({ isId }: Runtime) => {
  const known = new Map<string, string>();
  const neutral = (value: JSONValue, field?: string): JSONValue => {
    if (typeof value === "string" && isId(value)) {
      const name = known.get(value) ?? `#${known.size}`;
      known.set(value, name);
      return name;
    }
    if (field === "_creationTime" && typeof value === "number") return Math.floor(value);
    if (Array.isArray(value)) return value.map((one) => neutral(one));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.keys(value)
        .toSorted()
        .map((name) => [name, neutral(value[name]!, name)]),
    );
  };
  return neutral;
};

export interface Page {
  page: Value[];
  isDone: boolean;
  continueCursor: string;
  splitCursor: string | null;
  pageStatus: string | null;
}

const MAX_PAGES = 60;
const ISSUER = "https://people.example";
const START_MS = Date.UTC(2026, 0, 1);
const SETTLE_ROUNDS = 4;
const SETTLE_MS = 1500;
const reference = (path: string) => makeFunctionReference<"query">(path);

/** A backend at the beginning of time. */
export const start = (runtime: Runtime): Backend => {
  vi.clearAllTimers();
  vi.setSystemTime(START_MS);
  return runtime.create();
};

/** Moves the clock on, and waits for what that sets off. */
export const wait = async (t: Backend, ms: number): Promise<void> => {
  vi.advanceTimersByTime(ms);
  await t.finishInProgressScheduledFunctions();
};

/** @returns a line for each answer, then the contents of every table */
export const play = async (program: Program, runtime: Runtime): Promise<string[]> => {
  const t = start(runtime);
  const neutral = neutralizer(runtime);
  const lines: string[] = [];
  const ids: Ids = {};
  const write = (what: string, value: unknown): void => {
    lines.push(`${what} ${JSON.stringify(neutral(convexToJson(value as Value)))}`);
  };
  const remember = (made: Ids): void => {
    for (const [table, list] of Object.entries(made)) (ids[table] ??= []).push(...list);
  };
  /** Answers as they are, failures as values. */
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await work();
      write(what, withoutCursors(answer));
      return answer;
    } catch (error) {
      write(what, failureOf(error));
      return undefined;
    }
  };
  const mutate = async (what: string, steps: unknown, as: string | null = null): Promise<void> => {
    const caller = as === null ? t : t.withIdentity({ subject: as, issuer: ISSUER });
    const answer = await attempt(what, () => caller.mutation(change, { ids, steps }));
    if (answer) remember((answer as { made: Ids }).made);
  };
  const readPage = async (
    what: string,
    { query, maximumRowsRead, ids }: Walk & { ids: Ids },
    options: { cursor: string | null; endCursor?: string; numItems: number },
    isLast?: boolean,
  ): Promise<Page | undefined> => {
    const limit =
      maximumRowsRead === null || options.endCursor !== undefined ? {} : { maximumRowsRead };
    const args = { ids, query, paginationOpts: { ...options, ...limit } };
    const read = async (): Promise<Page> => {
      const answer = (await t.query(reference("steps:page"), args)) as Page;
      return isLast !== undefined && runtime.losesEnds ? { ...answer, isDone: isLast } : answer;
    };
    return await attempt(what, read);
  };
  const walkThrough = async (given: Walk): Promise<void> => {
    // A cursor is good for the very query that it came from.
    const known = structuredClone(ids);
    const settled = await t.query(reference("steps:settled"), { ids: known, query: given.query });
    const walk = { ...given, query: settled as Walk["query"], ids: known };
    const pages: { from: string | null; to: string; split: string | null; isLast: boolean }[] = [];
    let cursor: string | null = null;
    for (let at = 0; at < MAX_PAGES; at++) {
      const numItems = walk.numItems[at % walk.numItems.length]!;
      const answer = await readPage(`page ${at}`, walk, { cursor, numItems });
      if (!answer) return;
      const { continueCursor: to, splitCursor: split, isDone: isLast } = answer;
      pages.push({ from: cursor, to, split, isLast });
      cursor = to;
      const steps = walk.between[at];
      if (steps) await mutate("between", steps);
      if (isLast) break;
    }
    // As a list does that is shown while documents come and go, and splits its pages.
    const again = (from: string | null, to: string, isLast: boolean) =>
      readPage("again", walk, { cursor: from, endCursor: to, numItems: 1 }, isLast);
    for (const { from, to, split, isLast } of pages) {
      if (split !== null) await again(from, split, false);
      await again(split ?? from, to, isLast);
    }
  };
  const make = async (move: Move): Promise<void> => {
    switch (move.kind) {
      case "mutation":
        return await mutate("mutation", move.steps, move.as);
      case "query": {
        const caller = move.as === null ? t : t.withIdentity({ subject: move.as, issuer: ISSUER });
        await attempt("query", () => caller.query(look, { ids, steps: move.steps }));
        return;
      }
      case "action": {
        const { calls, together } = move;
        const answer = await attempt("action", () =>
          t.action(reference("steps:runAction"), { ids, calls, together }),
        );
        if (answer) remember((answer as { made: Ids }).made);
        return;
      }
      case "typed":
        await attempt("typed", () => t.mutation(reference("steps:typed"), move.typed));
        return;
      case "walk":
        return await walkThrough(move.walk);
      case "wait":
        return await wait(t, move.ms);
    }
  };

  // Calls at once go in their order where none waits for its module to be loaded.
  await t.query(look, { ids, steps: [] });
  await t.mutation(change, { ids, steps: [] });
  for (const move of program) {
    await make(move);
    // So that what comes after is created later, too.
    await wait(t, 1);
  }
  for (let round = 0; round < SETTLE_ROUNDS; round++) await wait(t, SETTLE_MS);
  for (const table of Object.keys(INDEXES))
    await attempt(table, () => t.run((ctx) => ctx.db.query(table).collect()));
  const jobs = async (ctx: Ctx): Promise<unknown> =>
    (await ctx.db.system.query(JOBS).collect()).map(
      ({ name, args, scheduledTime, state }: Record<string, Value>) => ({
        name,
        args,
        scheduledTime,
        state,
      }),
    );
  await attempt(JOBS, () => t.run(jobs));
  for (const [component, tables] of Object.entries(COMPONENT_TABLES)) {
    for (const table of tables)
      await attempt(`${component} ${table}`, () =>
        t.runInComponent(component, (ctx) => ctx.db.query(table).collect()),
      );
    await attempt(`${component} ${JOBS}`, () => t.runInComponent(component, jobs));
  }
  return lines;
};

/** Cursors are each runtime's own; whether there is one is the same. */
const withoutCursors = (answer: unknown): unknown => {
  if (typeof answer !== "object" || answer === null || !("continueCursor" in answer)) return answer;
  const { continueCursor: _, splitCursor, ...page } = answer as Page;
  return { ...page, isSplit: splitCursor !== null };
};
