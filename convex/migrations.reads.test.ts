// What the migration's functions read and write, on a seed and on one ten times as large.
import { beforeEach, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import { LEGACY_BUCKET, insertScenes, insertSessions } from "./legacyRows.setup.ts";
import { type Usage, measureUsage } from "./reads.setup.ts";
import { createBackend, standInEnvironment } from "./testing.setup.ts";

beforeEach(() => {
  const restore = standInEnvironment();
  vi.stubEnv("LEGACY_ASSET_BUCKET", LEGACY_BUCKET);
  return restore;
});

const { migrations } = api;
/** As many rows as the largest page takes, so that both seeds fill it. */
const SCENES = 100;
const SESSIONS = 10;

const measureAll = async (times: number): Promise<Record<string, Usage>> => {
  const { nobody, service } = createBackend();
  await nobody.run(async (ctx) => {
    const sessions = await insertSessions(ctx, SESSIONS * times);
    await insertScenes(ctx, sessions, 0, SCENES * times);
  });
  const cursor = null;
  const calls: Record<string, () => Promise<unknown>> = {
    preview: () => service.query(migrations.preview, { table: "scenes", cursor, batchSize: 5 }),
    start: () => service.mutation(migrations.start, { batchSize: 5 }),
    step: () => nobody.mutation(internal.migrations.step, {}),
    status: () => service.query(migrations.status, {}),
    errors: () => service.query(migrations.errors, { cursor, batchSize: 1 }),
    verifyScenes: () => service.query(migrations.verify, { table: "scenes", cursor }),
    verifySessions: () => service.query(migrations.verify, { table: "videoSessions", cursor }),
    cancel: () => service.mutation(migrations.cancel, {}),
  };
  const used: Record<string, Usage> = {};
  for (const [name, call] of Object.entries(calls)) used[name] = (await measureUsage(call)).usage;
  return used;
};

it("is the same", async () => {
  const few = await measureAll(1);
  expect(few["step"]!.documentsRead).toBeGreaterThan(5);
  expect(await measureAll(10)).toEqual(few);
});
