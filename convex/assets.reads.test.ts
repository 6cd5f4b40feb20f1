// What the pipeline's functions about objects read and write, beside a few objects of others and ten
// times as many; limits.test.ts asks the same of people's functions.
import { beforeEach, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { clipOf, finishedJob, objectOf } from "./model/assets/assets.setup.ts";
import { removeVideoAssets } from "./model/assets/removal.ts";
import { type Usage, measureUsage } from "./reads.setup.ts";
import { type Backend, createBackend, standInEnvironment } from "./testing.setup.ts";

beforeEach(() => standInEnvironment());

/** Objects of other people, each in a scene and a session of its own. */
const seedOthers = ({ nobody }: Backend, count: number) =>
  nobody.run(async ({ db }) => {
    for (let i = 0; i < count; i += 1) {
      const videoId = await db.insert("videos", { title: "Another", ownerId: `other ${i}` });
      const sessionId = await db.insert("videoSessions", { videoId, jobId: `other ${i}` });
      const row = { videoId, sessionId, jobId: `other ${i}`, index: 0 };
      const sceneId = await db.insert("scenes", row);
      const referenceId = await db.insert("assetReferences", {
        bucket: "outputs",
        key: `jobs/other${i}/clip.mp4`,
        type: "video",
        version: 1,
        state: i % 2 === 0 ? "active" : "released",
        ...(i % 2 === 0 ? {} : { releasedAt: 1 }),
        createdAt: 1,
        updatedAt: 1,
      });
      const use = { referenceId, kind: "scene" as const, id: sceneId, field: "videoAsset" };
      if (i % 2 === 0) await db.insert("assetUses", { ...use, sessionId });
    }
  });

const measureAll = async (others: number): Promise<Record<string, Usage>> => {
  const backend = createBackend();
  const { service } = backend;
  await seedOthers(backend, others);
  const { jobId, videoId: id } = await finishedJob(backend, 2);
  const videoId = id as Id<"videos">;
  const manifestAsset = objectOf(jobId, "manifest.json", 2);
  const calls: Record<string, () => Promise<unknown>> = {
    openScene: () =>
      service.mutation(api.assets.openScene, { jobId, index: 0, startSec: 5, endSec: 6 }),
    sceneReady: () =>
      service.mutation(api.assets.sceneReady, { jobId, index: 0, assets: clipOf(jobId, 0, 2) }),
    recordOutputs: () =>
      service.mutation(api.assets.recordOutputs, {
        jobId,
        outputs: [objectOf(jobId, "chat.json")],
      }),
    sessionReady: () =>
      service.mutation(api.assets.sessionReady, {
        jobId,
        sceneCount: 1,
        outputs: ["chat.json"],
        assets: { manifestAsset },
      }),
    remove: () => backend.nobody.run((ctx) => removeVideoAssets(ctx, videoId)),
  };
  const used: Record<string, Usage> = {};
  for (const [name, call] of Object.entries(calls)) {
    used[name] = (await measureUsage(call)).usage;
  }
  return used;
};

it("is the same beside ten times as many", async () => {
  const few = await measureAll(6);
  expect(await measureAll(60)).toEqual(few);
  for (const { documentsRead, databaseQueries } of Object.values(few)) {
    expect(documentsRead).toBeGreaterThan(0);
    expect(documentsRead).toBeLessThan(100);
    expect(databaseQueries).toBeLessThan(150);
  }
});
