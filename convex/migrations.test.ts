// Migration 001 through its functions: what the dry run tells, the run does, and nothing else.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createTestBackend } from "#local/convex/engine/testing/testBackend.ts";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import {
  LEGACY_BUCKET,
  expectedOf,
  insertScenes,
  insertSessions,
  mendRows,
} from "./legacyRows.setup.ts";
import { MIGRATED_TABLES } from "./tables/assets.ts";
import { type Backend, createBackend, modules, standInEnvironment } from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  vi.stubEnv("LEGACY_ASSET_BUCKET", LEGACY_BUCKET);
  backend = createBackend();
  return restore;
});

const { migrations } = api;

const seed = async (counts: { scenes: number; sessions: number }): Promise<void> =>
  backend.nobody.run(async (ctx) => {
    const sessions = await insertSessions(ctx, counts.sessions);
    await insertScenes(ctx, sessions, 0, counts.scenes);
  });

/** One scheduled function after another, as many as there are or as are asked for. */
const work = async (steps = Infinity): Promise<void> => {
  for (let i = 0; i < steps && vi.getTimerCount() > 0; i += 1) {
    vi.runOnlyPendingTimers();
    await backend.nobody.finishInProgressScheduledFunctions();
  }
};

const start = (batchSize = 50) => backend.service.mutation(migrations.start, { batchSize });
const status = async () => (await backend.service.query(migrations.status, {}))!;
const figures = async () => {
  const { scenes, sessions, references, errors } = await status();
  return { scenes, sessions, references, errors };
};

const preview = async () => {
  const sum = { scenes: 0, sessions: 0, errors: 0 };
  const objects = new Set<string>();
  for (const table of MIGRATED_TABLES) {
    for (let cursor: string | null = null; ;) {
      const page: (typeof migrations.preview)["_returnType"] = await backend.service.query(
        migrations.preview,
        { table, cursor, batchSize: 30 },
      );
      sum[table === "scenes" ? "scenes" : "sessions"] += page.changed;
      sum.errors += page.damaged.length;
      for (const object of page.objects) objects.add(object);
      if (page.isDone) break;
      cursor = page.continueCursor;
    }
  }
  return { ...sum, references: objects.size };
};

const verify = async () => {
  const sum = { findings: [] as string[], damaged: 0, assets: 0, legacy: 0 };
  for (const table of ["videoSessions", "scenes", "assetReferences"] as const) {
    for (let cursor: string | null = null; ;) {
      const page: (typeof migrations.verify)["_returnType"] = await backend.service.query(
        migrations.verify,
        { table, cursor },
      );
      sum.findings.push(...page.findings.map(({ check, message }) => `${check}: ${message}`));
      sum.damaged += page.damaged.length;
      sum.assets += page.assets;
      sum.legacy += page.legacy;
      if (page.isDone) break;
      cursor = page.continueCursor;
    }
  }
  return sum;
};

const listErrors = async () =>
  (await backend.service.query(migrations.errors, { cursor: null, batchSize: 200 })).errors;

/** All rows that a migration could touch. */
const everything = () =>
  backend.nobody.run(async (ctx) => ({
    scenes: await ctx.db.query("scenes").take(1000),
    videoSessions: await ctx.db.query("videoSessions").take(1000),
    assetReferences: await ctx.db.query("assetReferences").take(1000),
    assetUses: await ctx.db.query("assetUses").take(1000),
    migrationErrors: await ctx.db.query("migrationErrors").take(1000),
  }));

describe("120 scenes in 10 sessions, damaged ones among them", () => {
  const COUNTS = { scenes: 120, sessions: 10 };
  const EXPECTED = expectedOf(COUNTS);
  const NOTHING = { scenes: 0, sessions: 0, references: 0, errors: EXPECTED.errors };

  it("the dry run tells it all and changes nothing", async () => {
    await seed(COUNTS);
    const before = await everything();
    expect(await preview()).toEqual(EXPECTED);
    expect(await everything()).toEqual(before);
  });

  it("a run does as told, keeps legacy fields and damaged rows, and a second finds nothing", async () => {
    await seed(COUNTS);
    const before = await everything();
    await start();
    await work();
    expect(await status()).toMatchObject({ state: "completed", error: null, ...EXPECTED });
    const after = await everything();
    expect(after.assetReferences).toHaveLength(EXPECTED.references);
    const broken = new Set(after.migrationErrors.map(({ rowId }) => rowId));
    expect(broken.size).toBe(EXPECTED.errors);
    for (const [i, was] of before.scenes.entries()) {
      const now = after.scenes[i]!;
      if (broken.has(was._id)) expect(now).toEqual(was);
      else {
        expect(now).toMatchObject({ ...was, assetVersion: 1, previousAssetVersions: [] });
        expect(now.assetsStatus).toBe(was.s3ChunkKey || was.s3ChunkUrl ? "ready" : "pending");
      }
    }
    expect(await verify()).toMatchObject({ findings: [], damaged: EXPECTED.errors });

    expect(await preview()).toEqual(NOTHING);
    await start();
    await work();
    expect(await figures()).toEqual(NOTHING);
    expect(await everything()).toEqual(after);
  });

  it("a run that is stopped goes on where it was, and two starts are one run", async () => {
    await seed(COUNTS);
    expect(await start(20)).toEqual({ started: true, resumed: false });
    await work(3);
    expect(await start(20)).toEqual({ started: false, resumed: false });
    const stopped = await status();
    expect(stopped).toMatchObject({ state: "running", processed: 50 });
    expect(await backend.service.mutation(migrations.cancel, {})).toBe(true);
    await work();
    expect(await status()).toMatchObject({ state: "canceled", processed: 50 });
    expect(await backend.service.mutation(migrations.cancel, {})).toBe(false);

    expect(await start(30)).toEqual({ started: true, resumed: true });
    await work(1);
    expect(await status()).toMatchObject({ processed: 80, batchSize: 30 });
    await work();
    expect(await status()).toMatchObject({ state: "completed", ...EXPECTED });
    expect(await verify()).toMatchObject({ findings: [] });
  });

  it("rows that were mended or deleted since are settled by the next run", async () => {
    await seed(COUNTS);
    await start();
    await work();
    const mended = await backend.nobody.run((ctx) => mendRows(ctx, 100));
    const left = EXPECTED.errors - mended;
    // One that nobody mends is deleted.
    const gone = await backend.nobody.run(async (ctx) => {
      const last = (await ctx.db.query("migrationErrors").take(1000)).findLast(
        ({ table }, i) => table === "scenes" && i % 2 === 1,
      )!;
      await ctx.db.delete("scenes", last.rowId as Id<"scenes">);
      return last.rowId;
    });
    await start();
    await work();
    const done = await figures();
    expect(done.scenes + done.sessions).toBe(mended);
    expect(done.references).toBe(mended);
    expect(done.errors).toBe(left - 1);
    const errors = await listErrors();
    expect(errors).toHaveLength(left - 1);
    expect(errors.map(({ rowId }) => rowId)).not.toContain(gone);
    expect(await verify()).toMatchObject({ findings: [], damaged: left - 1 });
  });
});

describe("a run", () => {
  it("names a row that fails unexpectedly, and does the rest of its batch", async () => {
    await seed({ scenes: 4, sessions: 1 });
    const object = { bucket: LEGACY_BUCKET, key: "scenes/0/chunk.mp4", type: "video" as const };
    await backend.nobody.run(async (ctx) => {
      const rest = { version: 1, state: "active" as const, createdAt: 0, updatedAt: 0 };
      await ctx.db.insert("assetReferences", { ...object, ...rest });
      await ctx.db.insert("assetReferences", { ...object, ...rest });
    });
    await start();
    await work();
    expect(await status()).toMatchObject({ state: "completed", scenes: 3, errors: 1 });
    expect(await listErrors()).toMatchObject([
      { table: "scenes", message: expect.stringMatching(/unique/i) as string },
    ]);
  });

  it("whose next step was lost says so, and goes on when it is started", async () => {
    await seed({ scenes: 8, sessions: 1 });
    await start(1);
    await work(2);
    await backend.nobody.run(async (ctx) => {
      const run = (await ctx.db.query("migrationRuns").first())!;
      await ctx.scheduler.cancel(run.workerId!);
    });
    await work();
    expect(await status()).toMatchObject({ state: "failed", processed: 2 });
    expect(await start()).toEqual({ started: true, resumed: true });
    await work();
    expect(await status()).toMatchObject({ state: "completed", processed: 9, scenes: 8 });
  });

  it("leaves what the pipeline is about to fill alone", async () => {
    await backend.nobody.run(async (ctx) => {
      const session = { totalAssetSize: 0, assetCount: 0, assetsStatus: "pending" as const };
      const sessionId = await ctx.db.insert("videoSessions", session);
      const fields = { assetsStatus: "uploading" as const, assetVersion: 0 };
      await ctx.db.insert("scenes", { ...fields, sessionId, previousAssetVersions: [] });
    });
    const before = await everything();
    await start();
    await work();
    expect(await everything()).toEqual(before);
    expect(await figures()).toEqual({ scenes: 0, sessions: 0, references: 0, errors: 0 });
  });

  it("takes batches of 1 to 200 rows", async () => {
    for (const batchSize of [0, 201, 1.5, Number.NaN]) {
      await expect(start(batchSize)).rejects.toMatchObject({ data: { code: "invalid_request" } });
    }
  });

  it("counts what scenes and session use in the session", async () => {
    await seed({ scenes: 24, sessions: 1 });
    await start();
    await work();
    const { videoSessions, assetReferences } = await everything();
    expect(videoSessions[0]).toMatchObject({
      assetCount: assetReferences.length,
      totalAssetSize: 0,
      assetsStatus: "pending",
    });
  });
});

describe("after a rollback", () => {
  it("that removed references and uses, a run makes them again, and totals are right", async () => {
    await seed({ scenes: 10, sessions: 2 });
    await start();
    await work();
    const before = await everything();
    await backend.nobody.run(async (ctx) => {
      for (const { _id } of before.assetReferences) await ctx.db.delete("assetReferences", _id);
      for (const { _id } of before.assetUses) await ctx.db.delete("assetUses", _id);
    });
    expect((await verify()).findings).not.toEqual([]);
    await start();
    await work();
    expect((await figures()).references).toBe(before.assetReferences.length);
    expect((await verify()).findings).toEqual([]);
    const { videoSessions } = await everything();
    expect(videoSessions.map(({ assetCount }) => assetCount)).toEqual(
      before.videoSessions.map(({ assetCount }) => assetCount),
    );
  });

  it("the schema from before refuses rows that have the new fields, unless it checks none", async () => {
    const tables = { scenes: defineTable({ s3ChunkKey: v.optional(v.string()) }) };
    const migrated = { s3ChunkKey: "a.mp4", assetVersion: 1 };
    const insert = (schemaValidation: boolean) =>
      createTestBackend({ schema: defineSchema(tables, { schemaValidation }), modules }).run(
        (ctx) => ctx.db.insert("scenes", migrated),
      );
    await expect(insert(true)).rejects.toThrow("assetVersion");
    await expect(insert(false)).resolves.toBeTypeOf("string");
  });
});

describe("verification", () => {
  it("finds what is wrong", async () => {
    await seed({ scenes: 10, sessions: 5 });
    expect((await verify()).findings).toContain(
      "fields: It is not migrated: assetsStatus, assetVersion, previousAssetVersions, videoAsset.",
    );
    await start();
    await work();
    expect((await verify()).findings).toEqual([]);
    await backend.nobody.run(async (ctx) => {
      const [first, second, third] = await ctx.db.query("scenes").take(3);
      await ctx.db.patch("scenes", first!._id, { s3ChunkKey: "other.mp4" });
      await ctx.db.delete("assetReferences", second!.videoAsset!.referenceId!);
      await ctx.db.patch("scenes", third!._id, { s3ChunkUrl: undefined });
    });
    const { findings } = await verify();
    expect(findings).toEqual(
      expect.arrayContaining([
        "legacy: Its legacy fields name another object than its asset.",
        "fields: It is not migrated: videoAsset.",
        "legacy: Its legacy fields are gone.",
        expect.stringMatching(/^totals: It counts/),
      ]),
    );
    expect(findings).toHaveLength(4);
  });
});

it("is for operators", async () => {
  for (const caller of [backend.user("ada"), backend.user("ada", "instructor")]) {
    await expect(caller.mutation(migrations.start, {})).rejects.toMatchObject({
      data: { code: "forbidden" },
    });
  }
  await expect(backend.user("ada", "admin").query(migrations.status, {})).resolves.toBe(null);
});
