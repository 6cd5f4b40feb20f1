import { expect, it } from "vitest";
import { memoryStore } from "../../tests/memoryStore.ts";
import type { CollectedBucket, ReferenceBook } from "./ports.ts";
import { takeTurn } from "./turn.ts";

const KEYS = ["jobs/a/1", "jobs/a/2", "jobs/b/1", "uploads/o/1"];
const bucket: CollectedBucket = {
  bucket: "b",
  page: async (prefix, from) => ({
    items: KEYS.filter((key) => key.startsWith(prefix) && key >= from).map((key) => ({
      key,
      sizeBytes: 1,
      generation: "1",
      writtenAt: 1_000,
    })),
    next: null,
  }),
  stat: async () => null,
  deleteGeneration: async () => true,
};
const references: ReferenceBook = {
  page: async () => ({ items: [], next: null }),
  ofKeys: async () => [],
  jobState: async () => "ended",
  knownSince: async () => 0,
  forget: async () => [],
};

it("goes on where the turn before was cut off, and begins anew after the last", async () => {
  const store = memoryStore();
  const turn = async (stopAt?: string): Promise<string[]> => {
    const seen: string[] = [];
    const stop = new AbortController();
    const report = await takeTurn(
      { bucket, references, store },
      {
        dryRun: false,
        // All are young, so each is heard of as it is walked over.
        minAgeMs: 1_000,
        now: 1_500,
        signal: stop.signal,
        onItem: ({ key }) => {
          seen.push(key);
          if (key === stopAt) stop.abort();
        },
      },
    );
    expect(report.stoppedAt).toBe(stopAt ?? null);
    return seen;
  };
  expect(await turn("jobs/a/2")).toEqual(KEYS.slice(0, 2));
  expect(await turn("jobs/b/1")).toEqual(KEYS.slice(2, 3));
  expect(await turn()).toEqual(KEYS.slice(3));
  expect(await turn()).toEqual(KEYS);
});
