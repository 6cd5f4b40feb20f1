import { expect, it } from "vitest";
import type { JobState, Reference } from "./ports.ts";
import { whyThere } from "./why.ts";

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;
const OLD = NOW - 48 * HOUR;
const USE = "It is used.";

interface World {
  key?: string;
  bucket?: string;
  writtenAt?: number;
  reference?: Partial<Reference>;
  knownSince?: number | null;
  job?: JobState;
}
const ask = ({
  key = "jobs/a/x",
  bucket = "b",
  writtenAt,
  reference,
  knownSince = 0,
  job,
}: World) =>
  whyThere(
    {
      bucket: {
        bucket: "b",
        page: () => Promise.reject(new Error("not listed")),
        deleteGeneration: () => Promise.reject(new Error("not deleted")),
        stat: async (asked) =>
          writtenAt === undefined || asked !== key
            ? null
            : { key, sizeBytes: 1, generation: "1", writtenAt },
      },
      references: {
        page: () => Promise.reject(new Error("not listed")),
        forget: () => Promise.reject(new Error("not forgotten")),
        ofKeys: async () => (reference ? [{ id: "r", key, state: "active", ...reference }] : []),
        jobState: async () => job ?? "unknown",
        knownSince: async () => knownSince,
      },
    },
    { bucket, key },
    reference ? [USE] : null,
    { now: NOW, minAgeMs: 24 * HOUR },
  );

const released = { state: "released", releasedAt: OLD + HOUR } as const;
it.each<[string, World, boolean, RegExp]>([
  ["used", { writtenAt: OLD, reference: {} }, true, /^It is used\.$/],
  ["used and missing", { reference: {} }, false, /used\.,But it is not in the bucket/],
  ["let go", { writtenAt: OLD, reference: released }, true, /next run deletes/],
  ["let go and gone", { reference: released }, false, /forgets/],
  ["known to nobody", { writtenAt: OLD }, true, /^Nobody knows it: the next run deletes/],
  ["of a job at work", { writtenAt: OLD, job: "running" }, true, /job is at work/],
  ["written lately", { writtenAt: NOW }, true, /run after 1970-02-12T16:00:00.000Z deletes/],
  [
    "from before all references",
    { writtenAt: OLD, knownSince: NOW - HOUR },
    true,
    /older .*: it is left/,
  ],
  [
    "written lately, from before them",
    { writtenAt: NOW - 2, knownSince: NOW - 1 },
    true,
    /it is left/,
  ],
  [
    "of a database without references",
    { writtenAt: OLD, knownSince: null },
    true,
    /no objects at all/,
  ],
  ["not there", {}, false, /^There is no such object\.$/],
  ["in another bucket", { bucket: "c", writtenAt: OLD }, false, /not in gs:\/\/b/],
  ["elsewhere in the bucket", { key: "stages/x", writtenAt: OLD }, true, /bucket's rules/],
])("an object that is %s", async (_, world, exists, says) => {
  const why = await ask(world);
  expect(why.exists).toBe(exists);
  expect(String(why.sentences)).toMatch(says);
});
