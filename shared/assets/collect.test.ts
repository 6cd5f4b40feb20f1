import { describe, expect, it } from "vitest";
import { type CollectOptions, type CollectedItem, collect } from "./collect.ts";
import type { Verdict } from "./judge.ts";
import type { CollectedBucket, JobState, Page, Reference, ReferenceBook } from "./ports.ts";

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;
const OLD = NOW - 48 * HOUR;
const DAY = 24 * HOUR;

interface Stored {
  sizeBytes: number;
  generation: number;
  writtenAt: number;
}
type Row = Omit<Reference, "key">;

/** A bucket and its references in memory, in small pages, with what a test does in between. */
const world = ({ pageSize = 3 } = {}) => {
  const objects = new Map<string, Stored>();
  const rows = new Map<string, Row>();
  const jobs = new Map<string, JobState>();
  const between = { delete: async (_key: string) => {}, page: async () => {}, lookUp: () => {} };
  let knownSince: number | null = 0;
  let generation = 0;
  let largestPage = 0;

  const paged = <T extends { key: string }>(all: T[], cursor: string | null): Page<T> => {
    const rest = all
      .filter(({ key }) => cursor === null || key > cursor)
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const items = rest.slice(0, pageSize);
    largestPage = Math.max(largestPage, items.length);
    return { items, next: rest.length > items.length ? (items.at(-1)?.key ?? null) : null };
  };
  const bucket: CollectedBucket = {
    bucket: "b",
    page: async (prefix, from, cursor) => {
      await between.page();
      const listed = [...objects].map(([key, o]) => ({ key, ...o, generation: `${o.generation}` }));
      return paged(
        listed.filter(({ key }) => key.startsWith(prefix) && key >= from),
        cursor,
      );
    },
    stat: async (key) => {
      const object = objects.get(key);
      return object ? { key, ...object, generation: `${object.generation}` } : null;
    },
    deleteGeneration: async (key, expected) => {
      await between.delete(key);
      const there = objects.get(key);
      if (there && `${there.generation}` !== expected) return false;
      objects.delete(key);
      return true;
    },
  };
  const listed = () => [...rows].map(([key, row]) => ({ key, ...row }));
  const references: ReferenceBook = {
    page: async ({ prefix, from }, cursor) =>
      paged(
        listed().filter(({ key }) => key.startsWith(prefix) && key >= from),
        cursor,
      ),
    ofKeys: async (_bucket, keys) => {
      const found = listed().filter(({ key }) => keys.includes(key));
      between.lookUp();
      return found;
    },
    jobState: async (jobId) => jobs.get(jobId) ?? "unknown",
    knownSince: async () => knownSince,
    forget: async (ids) => {
      const gone = listed().filter(({ id, state }) => ids.includes(id) && state === "released");
      for (const { key } of gone) rows.delete(key);
      return gone.map(({ id }) => id);
    },
  };
  const put = (key: string, writtenAt = OLD, sizeBytes = 10) =>
    objects.set(key, { sizeBytes, generation: (generation += 1), writtenAt });
  const refer = (key: string, state: Row["state"] = "active", releasedAt = OLD + HOUR) =>
    rows.set(key, {
      id: `id of ${key}`,
      state,
      sizeBytes: 10,
      ...(state === "released" ? { releasedAt } : {}),
    });
  return {
    objects,
    rows,
    jobs,
    between,
    put,
    refer,
    knowSince: (at: number | null) => (knownSince = at),
    largestPage: () => largestPage,
    run: async (options: Partial<CollectOptions> = {}) => {
      const items: CollectedItem[] = [];
      const report = await collect(
        { bucket, references },
        { dryRun: false, minAgeMs: DAY, now: NOW, onItem: (item) => items.push(item), ...options },
      );
      const by = Object.groupBy(items, ({ verdict }) => verdict);
      const keys = (verdict: Verdict) => by[verdict]?.map(({ key }) => key) ?? [];
      return { report, items, keys };
    },
  };
};

/** Some of everything. */
const mixed = () => {
  const w = world();
  for (let i = 0; i < 8; i += 1) {
    w.put(`jobs/a/${i}`);
    w.refer(`jobs/a/${i}`);
  }
  w.put("jobs/b/gone");
  w.refer("jobs/b/gone", "released");
  w.refer("jobs/b/gone-already", "released");
  w.put("jobs/c/orphan", OLD, 7);
  w.put("jobs/c/young", NOW - HOUR);
  w.put("jobs/d/at-work");
  w.jobs.set("d", "running");
  w.jobs.set("c", "ended");
  w.refer("jobs/e/lost");
  w.put("uploads/o/abandoned.mp4");
  w.put("uploads/o/used.mp4");
  w.refer("uploads/o/used.mp4");
  w.put("stages/media/k/done.json");
  return w;
};

describe("a run", () => {
  it("deletes what nothing uses, forgets its rows, and says of all else why it stays", async () => {
    const w = mixed();
    const { report, keys } = await w.run();
    expect(keys("released")).toEqual(["jobs/b/gone"]);
    expect(keys("forgotten")).toEqual(["jobs/b/gone-already"]);
    expect(keys("orphan")).toEqual(["jobs/c/orphan", "uploads/o/abandoned.mp4"]);
    expect(keys("young")).toEqual(["jobs/c/young"]);
    expect(keys("running")).toEqual(["jobs/d/at-work"]);
    expect(keys("missing")).toEqual(["jobs/e/lost"]);
    expect(report.found.kept).toEqual({ count: 9, bytes: 90 });
    expect(report.found.orphan).toEqual({ count: 2, bytes: 17 });
    expect(report).toMatchObject({ bucket: "b", minAgeHours: 24, stoppedAt: null });
    expect([...w.objects.keys()].filter((key) => /orphan|gone|abandoned/.test(key))).toEqual([]);
    expect(w.objects.has("stages/media/k/done.json")).toBe(true);
    expect([...w.rows.keys()].filter((key) => key.startsWith("jobs/b"))).toEqual([]);
    expect(w.rows.has("jobs/e/lost")).toBe(true);
  });

  it("is what the dry run before it said, which changed nothing", async () => {
    const w = mixed();
    const before = [w.objects.size, w.rows.size];
    const dry = await w.run({ dryRun: true });
    expect([w.objects.size, w.rows.size]).toEqual(before);
    const real = await w.run();
    expect(real.items).toEqual(dry.items);
    expect(real.report).toEqual({ ...dry.report, dryRun: false });
  });

  it("finds nothing more the second time", async () => {
    const w = mixed();
    await w.run();
    const { keys, report } = await w.run();
    expect([keys("released"), keys("forgotten"), keys("orphan")]).toEqual([[], [], []]);
    expect(report.found.kept.count).toBe(9);
  });

  it("goes over thousands in pages, in batches, and counts each once", async () => {
    const w = world({ pageSize: 50 });
    for (let i = 0; i < 1200; i += 1) {
      const key = `jobs/j/${String(i).padStart(5, "0")}`;
      w.put(key);
      if (i % 3 > 0) w.refer(key, i % 3 === 1 ? "active" : "released");
    }
    const { report } = await w.run();
    expect([report.found.kept, report.found.released, report.found.orphan]).toEqual(
      Array.from({ length: 3 }, () => ({ count: 400, bytes: 4000 })),
    );
    expect([w.objects.size, w.rows.size, w.largestPage()]).toEqual([400, 400, 50]);
  });
});

describe("beside jobs at work", () => {
  it("an object that is written again before it is deleted stays", async () => {
    const w = mixed();
    w.between.delete = async (key) => void w.put(key, NOW);
    const { keys } = await w.run();
    expect([keys("released"), keys("orphan")]).toEqual([[], []]);
    expect(keys("young")).toContain("jobs/b/gone");
    expect(w.objects.has("jobs/c/orphan")).toBe(true);
    expect(w.rows.has("jobs/b/gone")).toBe(true);
  });

  it("an object that was written after its release stays until it is old", async () => {
    const w = world();
    w.put("jobs/a/again", NOW - HOUR);
    w.refer("jobs/a/again", "released", NOW - 2 * HOUR);
    expect((await w.run()).keys("young")).toEqual(["jobs/a/again"]);
    expect((await w.run({ now: NOW + DAY })).keys("released")).toEqual(["jobs/a/again"]);
  });

  it("a reference that comes back between listing and deleting keeps its object", async () => {
    const w = world();
    w.put("jobs/a/back");
    w.refer("jobs/a/back", "released");
    w.put("jobs/a/new");
    let pages = 0;
    w.between.page = async () => {
      pages += 1;
      // The second listing, of uploads, comes before the batch is settled.
      if (pages === 2) for (const key of w.objects.keys()) w.refer(key);
    };
    const { report } = await w.run();
    expect(report.found.kept.count).toBe(2);
    expect(w.objects.size).toBe(2);
  });

  it("a job that ends while its objects are looked up keeps what it has made", async () => {
    const w = world();
    for (const key of ["jobs/j/1", "jobs/j/2"]) w.put(key, NOW);
    w.jobs.set("j", "running");
    w.between.lookUp = () => {
      for (const key of w.objects.keys()) w.refer(key);
      w.jobs.set("j", "ended");
    };
    const { keys } = await w.run({ minAgeMs: 0 });
    expect(keys("running")).toEqual(["jobs/j/1", "jobs/j/2"]);
    expect(w.objects.size).toBe(2);
  });

  it("an object that comes after its folder was listed is not missing", async () => {
    const w = world();
    w.refer("jobs/a/late");
    let pages = 0;
    w.between.page = async () => {
      pages += 1;
      if (pages === 2) w.put("jobs/a/late", NOW);
    };
    expect((await w.run()).keys("missing")).toEqual([]);
  });

  it("two collectors at once do what one does", async () => {
    const w = mixed();
    await Promise.all([w.run(), w.run()]);
    expect([...w.objects.keys()].filter((key) => /orphan|gone|abandoned/.test(key))).toEqual([]);
    expect((await w.run()).report.found.kept.count).toBe(9);
  });
});

describe("a database that does not know", () => {
  it("judges nothing that was stored before it was", async () => {
    const w = world();
    w.put("jobs/old/of-another-database");
    w.put("jobs/new/orphan", OLD + 2 * HOUR);
    w.knowSince(OLD + HOUR);
    const { keys } = await w.run();
    expect([keys("older"), keys("orphan")]).toEqual([
      ["jobs/old/of-another-database"],
      ["jobs/new/orphan"],
    ]);
  });

  it("removes nothing where it has no reference at all", async () => {
    const w = world();
    w.put("jobs/a/1");
    w.knowSince(null);
    expect((await w.run()).keys("older")).toEqual(["jobs/a/1"]);
  });
});

it("stops where it is told to, and goes on from there", async () => {
  const w = mixed();
  const whole = await w.run({ dryRun: true });
  const stop = new AbortController();
  const first = await w.run({
    dryRun: true,
    signal: stop.signal,
    onItem: ({ key }) => {
      if (key === "jobs/c/young") stop.abort();
    },
  });
  expect(first.report.stoppedAt).toBe("jobs/c/young");
  const rest = await w.run({ dryRun: true, after: "jobs/c/young" });
  for (const [verdict, { count }] of Object.entries(whole.report.found)) {
    const of = verdict as Verdict;
    expect(first.report.found[of].count + rest.report.found[of].count, verdict).toBe(count);
  }
});
