// Tries each function as everybody, against the permission table. The table is complete: a function
// without a row fails, and so does a row without its function.
import { beforeAll, describe, expect, it, vi } from "vitest";
import { accessOf } from "./functions.ts";
import {
  BACKEND,
  CALLERS,
  type CallerName,
  PIPELINE,
  type Row,
  callerIn,
} from "./permissionRows.setup.ts";
import { PERMISSIONS } from "./permissions.setup.ts";
import { allFunctions, callFunction, outcomeOf, sampleArgs } from "./registered.setup.ts";
import { type Backend, createBackend, standInEnvironment } from "./testing.setup.ts";
import { type World, createWorld } from "./world.setup.ts";

const functions = await allFunctions();

let backend: Backend;
let world: World;
beforeAll(async () => {
  const restore = standInEnvironment();
  // What is looked up outside is looked up nowhere.
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  backend = createBackend();
  world = await createWorld(backend);
  return () => {
    vi.unstubAllGlobals();
    restore();
  };
});

/** Whom it refuses comes first: they leave the world as it is for those it takes. */
const inOrder = ({ expected }: Row): CallerName[] =>
  CALLERS.filter((caller) => caller in expected).toSorted(
    (a, b) => Number(expected[a] === "ok") - Number(expected[b] === "ok"),
  );

const rows = Object.entries(PERMISSIONS).flatMap(([name, entry]) =>
  typeof entry === "string" ? [] : entry.map((row) => ({ name, row })),
);
const named = (access: string): string[] =>
  Object.entries(PERMISSIONS).flatMap(([name, entry]) => (entry === access ? [name] : []));

it("has a row for every function, and a function for every row", () => {
  expect(Object.keys(PERMISSIONS).toSorted()).toEqual([...functions.keys()].toSorted());
});

it("says of every function what everybody gets", () => {
  for (const [name, entry] of Object.entries(PERMISSIONS)) {
    if (typeof entry === "string") continue;
    const said = new Set(entry.flatMap(({ expected }) => Object.keys(expected)));
    expect([name, [...said].toSorted()]).toEqual([name, CALLERS.toSorted()]);
  }
});

it.each([...functions])("%s has a wrapper that fits", (name, fn) => {
  const access = accessOf(fn);
  expect(access).toBeDefined();
  expect(access === "backend").toBe(fn.isInternal === true);
  expect(access === "service").toBe(PERMISSIONS[name] === PIPELINE);
  expect(access === "backend").toBe(PERMISSIONS[name] === BACKEND);
});

describe("people's functions", () => {
  it.each(rows)("$name $row.about", async ({ name, row }) => {
    // Some calls delete what they are about: each function meets the world as it was made.
    if (functions.get(name)?.isQuery !== true) {
      backend = createBackend();
      world = await createWorld(backend);
    }
    const found: Partial<Record<CallerName, string>> = {};
    for (const caller of inOrder(row)) {
      const fn = functions.get(name)!;
      found[caller] = await outcomeOf(
        callFunction(callerIn(backend, caller), name, fn, row.args(world)),
        fn,
      );
    }
    expect(found).toEqual(row.expected);
  });
});

describe("the pipeline's functions", () => {
  it.each(named(PIPELINE))("%s", async (name) => {
    const fn = functions.get(name)!;
    const args = sampleArgs(fn, { videos: world.jobVideo, apiKeys: world.apiKey });
    const call = (caller: CallerName) =>
      outcomeOf(callFunction(callerIn(backend, caller), name, fn, args));
    expect(await call("nobody")).toBe("unauthorized");
    expect(await outcomeOf(callFunction(backend.stranger, name, fn, args))).toBe("unauthorized");
    for (const caller of ["learner", "other", "admin", "owner"] as const) {
      expect(await call(caller)).toBe("forbidden");
    }
  });
});
