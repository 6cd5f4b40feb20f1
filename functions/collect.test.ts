import { expect, it } from "vitest";
import type { Config } from "#shared/cloud/config.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { memoryStore } from "../tests/memoryStore.ts";
import { functionSpec } from "./catalog.ts";
import { create } from "./collect.ts";
import type { Runtime } from "./runtime.ts";

const KEY = "jobs/j/clips/01.mp4";

/** Calls the function over one released object, and a reference whose object is missing. */
const call = async (testMode: boolean) => {
  const [lines, deleted]: [string[], string[]] = [[], []];
  const object = { key: KEY, sizeBytes: 5, generation: "7", writtenAt: 1 };
  const rows = [
    { id: "1", key: KEY, state: "released" as const, releasedAt: 2 },
    { id: "2", key: "jobs/j/lost", state: "active" as const },
  ];
  const runtime: Partial<Runtime> = {
    store: memoryStore(),
    spec: functionSpec("collect"),
    config: { convex: { testMode } } as Config,
    shutdown: new AbortController().signal,
    log: createLog({}, (line) => lines.push(line)),
    collected: {
      bucket: "b",
      page: async (prefix) => ({ items: prefix === "jobs/" ? [object] : [], next: null }),
      stat: async () => null,
      deleteGeneration: async (key) => Boolean(deleted.push(key)),
    },
    references: {
      page: async ({ prefix }) => ({ items: prefix === "jobs/" ? rows : [], next: null }),
      ofKeys: async () => rows,
      jobState: async () => "ended",
      knownSince: async () => 0,
      forget: async (ids) => [...ids],
    },
  };
  let answer: unknown;
  const res = { json: (body: unknown) => void (answer = body) };
  type Args = Parameters<ReturnType<typeof create>>;
  await create(runtime as Runtime)({} as Args[0], res as unknown as Args[1]);
  return { answer, deleted, log: lines.join("\n") };
};

it("removes what nothing uses, and tells what it removed and what is missing", async () => {
  const { answer, deleted, log } = await call(false);
  expect(deleted).toEqual([KEY]);
  expect(answer).toMatchObject({
    dryRun: false,
    minAgeHours: 24,
    found: { released: { count: 1, bytes: 5 }, missing: { count: 1 } },
    stoppedAt: null,
  });
  expect(log).toContain(`"message":"object collected","verdict":"released","key":"${KEY}"`);
  expect(log).toContain('"severity":"ERROR","message":"object missing","key":"jobs/j/lost"');
});

it("in test mode changes nothing: objects are stored then that nobody is told of", async () => {
  const { answer, deleted } = await call(true);
  expect([(answer as { dryRun: boolean }).dryRun, deleted]).toEqual([true, []]);
});
