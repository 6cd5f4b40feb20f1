// What the pipeline says of its objects, as it says it: in any order it can happen, and twice.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import {
  clipOf,
  contradictions,
  failScene,
  finishedJob,
  objectOf,
  renderClip,
  tablesOf,
} from "./model/assets/assets.setup.ts";
import { MAX_PREVIOUS_VERSIONS } from "./model/assets/contents.ts";
import { removeVideoAssets } from "./model/assets/removal.ts";
import {
  type Backend,
  createBackend,
  createJob,
  ownerIdOf,
  standInEnvironment,
} from "./testing.setup.ts";

let backend: Backend;
let service: Backend["service"];
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  ({ service } = backend);
  return restore;
});

const span = { startSec: 1, endSec: 2 };
const sceneNow = async () => (await tablesOf(backend)).scenes[0]!;
const newJob = async () => (await createJob(backend)).job.jobId;
const patchJob = (jobId: string, fields: { retryCount?: number; total?: { clips: number } }) =>
  backend.nobody.run(async ({ db }) => {
    const job = await db
      .query("jobs")
      .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
      .unique();
    await db.patch("jobs", job!._id, fields);
  });

describe("a job's objects", () => {
  it("have one reference each, and count in the session", async () => {
    await finishedJob(backend, 2);
    const tables = await tablesOf(backend);
    expect(contradictions(tables)).toEqual([]);
    expect(tables.references).toHaveLength(2 * 3 + 2 + 1);
    expect(tables.sessions).toMatchObject([
      { assetsStatus: "ready", assetCount: 8, totalAssetSize: 800, title: expect.anything() },
    ]);
    expect(tables.scenes).toMatchObject([
      { index: 0, assetsStatus: "ready", assetVersion: 1, videoAsset: { version: 1 } },
      { index: 1, assetsStatus: "ready", previousAssetVersions: [] },
    ]);
    expect(tables.references.find(({ type }) => type === "output")).toMatchObject({
      key: expect.stringMatching(/transcript\.json$/),
      version: 1,
    });
  });
  it("are as they were after every call came twice", async () => {
    const { jobId } = await finishedJob(backend, 1);
    const before = await tablesOf(backend);
    vi.advanceTimersByTime(5000);
    await renderClip(backend, jobId, 0);
    const outputs = [objectOf(jobId, "transcript.json")];
    await service.mutation(api.assets.recordOutputs, { jobId, outputs });
    await service.mutation(api.assets.sessionReady, {
      jobId,
      sceneCount: 1,
      outputs: ["transcript.json"],
      assets: {
        combinedVideoAsset: objectOf(jobId, "reel.mp4"),
        manifestAsset: objectOf(jobId, "manifest.json"),
      },
    });
    await failScene(backend, jobId, 0, "late");
    expect(await tablesOf(backend)).toEqual(before);
  });
  it("are nobody's once the video goes: nothing is written, and all say so", async () => {
    const { jobId, videoId } = await finishedJob(backend, 0);
    await backend.nobody.run(async ({ db }) => {
      const id = db.normalizeId("videos", videoId)!;
      await db.patch("videos", id, { deletingAt: 1 });
    });
    const before = await tablesOf(backend);
    const outputs = [objectOf(jobId, "late.json")];
    expect([
      await service.mutation(api.assets.openScene, { jobId, index: 0, ...span }),
      await service.mutation(api.assets.recordOutputs, { jobId, outputs }),
      await service.mutation(api.assets.beginUpload, { jobId: "no such job", index: 0 }),
    ]).toEqual(["gone", "gone", "gone"]);
    expect(await tablesOf(backend)).toEqual(before);
  });
});

describe("a scene", () => {
  it("goes from pending over uploading to ready, and back only in another run", async () => {
    const jobId = await newJob();
    const open = { jobId, index: 0, ...span };
    await service.mutation(api.assets.openScene, open);
    expect(await sceneNow()).toMatchObject({ assetsStatus: "pending", startSec: 1 });
    await service.mutation(api.assets.beginUpload, { jobId, index: 0 });
    await failScene(backend, jobId, 0, "x".repeat(5000));
    const failed = await sceneNow();
    expect(failed.assetsStatus).toBe("failed");
    expect(failed.assetsErrorMessage).toHaveLength(1000);
    await service.mutation(api.assets.beginUpload, { jobId, index: 0 });
    expect((await sceneNow()).assetsErrorMessage).toBeUndefined();
    await service.mutation(api.assets.sceneReady, { jobId, index: 0, assets: clipOf(jobId, 0) });
    await service.mutation(api.assets.beginUpload, { jobId, index: 0 });
    expect((await sceneNow()).assetsStatus).toBe("ready");

    await patchJob(jobId, { retryCount: 1 });
    await service.mutation(api.assets.openScene, { ...open, endSec: 3, title: "Another" });
    expect(await sceneNow()).toMatchObject({ assetsStatus: "pending", endSec: 3 });
    await service.mutation(api.assets.beginUpload, { jobId, index: 0 });
    expect((await sceneNow()).assetsStatus).toBe("uploading");
    expect((await tablesOf(backend)).sessions).toMatchObject([{ assetsStatus: "uploading" }]);
  });
  it("has titles and messages that are cut between characters", async () => {
    const jobId = await newJob();
    const long = `${"x".repeat(499)}🎉`;
    await service.mutation(api.assets.openScene, { jobId, index: 0, ...span, title: long });
    await failScene(backend, jobId, 0, `${"x".repeat(999)}🎉`);
    const { title, assetsErrorMessage } = await sceneNow();
    for (const text of [title, assetsErrorMessage]) expect(text?.isWellFormed()).toBe(true);
  });
  it("leaves a session that failed until another try is ready", async () => {
    const jobId = await newJob();
    const session = async () => (await tablesOf(backend)).sessions[0];
    await service.mutation(api.assets.openScene, { jobId, index: 0, ...span });
    await service.mutation(api.ledger.cancel, { jobId, ownerId: ownerIdOf("ada") });
    expect(await session()).toMatchObject({
      assetsStatus: "failed",
      assetsErrorMessage: "The job was canceled.",
    });
    await service.mutation(api.ledger.retry, { jobId, ownerId: ownerIdOf("ada") });
    const assets = { manifestAsset: objectOf(jobId, "manifest.json") };
    await service.mutation(api.assets.sessionReady, { jobId, sceneCount: 0, outputs: [], assets });
    expect(await session()).toMatchObject({ assetsStatus: "ready", assetCount: 1 });
    expect(await session()).not.toHaveProperty("assetsErrorMessage");
  });
  it("has failed with its job's reason when the job ends before", async () => {
    const jobId = await newJob();
    await service.mutation(api.assets.openScene, { jobId, index: 0, ...span });
    await renderClip(backend, jobId, 1);
    await service.mutation(api.ledger.cancel, { jobId, ownerId: ownerIdOf("ada") });
    const { scenes, sessions } = await tablesOf(backend);
    expect(scenes).toMatchObject([
      { assetsStatus: "failed", assetsErrorMessage: "The job was canceled." },
      { assetsStatus: "ready" },
    ]);
    expect(sessions).toMatchObject([{ assetsStatus: "failed" }]);
  });
  it("is refused with what cannot be", async () => {
    const jobId = await newJob();
    await patchJob(jobId, { total: { clips: 2 } });
    const refused = { data: { code: "invalid_request" } };
    const open = (over: object) =>
      service.mutation(api.assets.openScene, { jobId, index: 0, ...span, ...over });
    for (const index of [-1, 0.5, 2, Number.NaN, 1e9]) {
      await expect(open({ index })).rejects.toMatchObject(refused);
    }
    for (const wrong of [
      { startSec: -1 },
      { endSec: 1 },
      { endSec: Number.POSITIVE_INFINITY },
      { rank: 0 },
      { score: Number.NaN },
    ]) {
      await expect(open(wrong)).rejects.toMatchObject(refused);
    }
    const unopened = { jobId, index: 1, assets: clipOf(jobId, 1) };
    await expect(service.mutation(api.assets.sceneReady, unopened)).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    await open({});
    const foreign = { jobId, index: 0, assets: clipOf("another", 0) };
    await expect(service.mutation(api.assets.sceneReady, foreign)).rejects.toMatchObject(refused);
    expect((await tablesOf(backend)).references).toEqual([]);
  });
});

describe("replacing", () => {
  it("keeps what another object takes the place of", async () => {
    const jobId = await newJob();
    await renderClip(backend, jobId, 0);
    const other = {
      ...clipOf(jobId, 0),
      videoAsset: objectOf(jobId, "clips/other.mp4", 3),
      subtitleAsset: objectOf(jobId, "clips/0.vtt"),
    };
    await renderClip(backend, jobId, 0, other);
    const tables = await tablesOf(backend);
    expect(contradictions(tables)).toEqual([]);
    expect(tables.scenes).toMatchObject([
      {
        assetVersion: 2,
        videoAsset: { key: `jobs/${jobId}/clips/other.mp4`, version: 2 },
        thumbnailAsset: { version: 1 },
        previousAssetVersions: [{ version: 1, videoAsset: { key: `jobs/${jobId}/clips/0.mp4` } }],
      },
    ]);
    expect(tables.references.every(({ state }) => state === "active")).toBe(true);

    await renderClip(backend, jobId, 0);
    expect((await sceneNow()).subtitleAsset).toBeUndefined();
    await renderClip(backend, jobId, 0, other);
    expect(await sceneNow()).toMatchObject({ assetVersion: 4, subtitleAsset: { version: 2 } });
    expect(contradictions(await tablesOf(backend))).toEqual([]);
  });
  it("of an object in its place leaves a record, and one reference with a higher version", async () => {
    const jobId = await newJob();
    await renderClip(backend, jobId, 0);
    const videoAsset = objectOf(jobId, "clips/0.mp4", 4);
    await renderClip(backend, jobId, 0, { ...clipOf(jobId, 0), videoAsset });
    const tables = await tablesOf(backend);
    expect(contradictions(tables)).toEqual([]);
    expect(tables.references).toHaveLength(3);
    expect(tables.references.find(({ type }) => type === "video")).toMatchObject({
      sha256: videoAsset.sha256,
      sizeBytes: 400,
      version: 2,
    });
    expect(tables.scenes).toMatchObject([
      {
        videoAsset: { sizeBytes: 400, version: 2 },
        previousAssetVersions: [{ videoAsset: { sizeBytes: 100, version: 1 } }],
      },
    ]);
    expect(tables.sessions).toMatchObject([{ totalAssetSize: 600, assetCount: 3 }]);
  });
  it("keeps so many versions, and lets go of the oldest", async () => {
    const jobId = await newJob();
    for (let i = 0; i <= MAX_PREVIOUS_VERSIONS + 2; i += 1) {
      const videoAsset = objectOf(jobId, `clips/v${i}.mp4`);
      await renderClip(backend, jobId, 0, { ...clipOf(jobId, 0), videoAsset });
    }
    const tables = await tablesOf(backend);
    expect(contradictions(tables)).toEqual([]);
    const [scene] = tables.scenes;
    expect(scene).toMatchObject({ assetVersion: MAX_PREVIOUS_VERSIONS + 3 });
    expect(scene!.previousAssetVersions).toHaveLength(MAX_PREVIOUS_VERSIONS);
    const released = tables.references.filter(({ state }) => state === "released");
    expect(released.map(({ key }) => key.slice(-6)).sort()).toEqual(["v0.mp4", "v1.mp4"]);
  });
  it("is for operators alone, with objects of the scene's owner", async () => {
    const jobId = await newJob();
    await renderClip(backend, jobId, 0);
    const { _id: sceneId } = await sceneNow();
    const other = await createJob(backend, { ownerId: "other" });
    await renderClip(backend, other.job.jobId, 0);
    const put = (key: string) => ({
      sceneId,
      field: "thumbnailAsset" as const,
      object: { ...objectOf(jobId, "x"), key },
    });
    await expect(
      backend.user("ada", "instructor").mutation(api.assets.replaceAsset, put("mine.jpg")),
    ).rejects.toMatchObject({ data: { code: "forbidden" } });
    const foreign = put(clipOf(other.job.jobId, 0).thumbnailAsset.key);
    await expect(service.mutation(api.assets.replaceAsset, foreign)).rejects.toMatchObject({
      data: { code: "conflict" },
    });
    await backend.user("root", "admin").mutation(api.assets.replaceAsset, put("by/hand.jpg"));
    const scene = await sceneNow();
    expect(scene).toMatchObject({
      thumbnailAsset: { key: "by/hand.jpg", version: 2 },
      videoAsset: { version: 1 },
      previousAssetVersions: [{ thumbnailAsset: { version: 1 } }],
    });
    expect(contradictions(await tablesOf(backend))).toEqual([]);
  });
});

describe("a retry that leaves less", () => {
  it("lets go of scenes and outputs of the earlier run", async () => {
    const { jobId } = await finishedJob(backend, 3);
    const assets = { manifestAsset: objectOf(jobId, "manifest.json", 2) };
    const ready = { jobId, sceneCount: 1, outputs: ["chat.json"], assets };
    await service.mutation(api.assets.sessionReady, ready);
    const tables = await tablesOf(backend);
    expect(contradictions(tables)).toEqual([]);
    expect(tables.scenes).toHaveLength(1);
    expect(tables.sessions).toMatchObject([{ assetCount: 4, totalAssetSize: 500 }]);
    expect(tables.sessions[0]!.combinedVideoAsset).toBeUndefined();
    const released = tables.references.filter(({ state }) => state === "released");
    expect(released).toHaveLength(2 * 3 + 2);
  });
  it("lets go of hundreds a step at a time, unless the job runs again", async () => {
    const { jobId } = await finishedJob(backend, 0);
    const names = Array.from({ length: 210 }, (_, i) => `part${1000 + i}.json`);
    const objects = names.map((name) => objectOf(jobId, name));
    await expect(
      service.mutation(api.assets.recordOutputs, { jobId, outputs: objects.slice(0, 101) }),
    ).rejects.toMatchObject({ data: { code: "invalid_request" } });
    for (let at = 0; at < objects.length; at += 100) {
      const outputs = objects.slice(at, at + 100);
      await service.mutation(api.assets.recordOutputs, { jobId, outputs });
    }
    const assets = { manifestAsset: objectOf(jobId, "manifest.json") };
    const tooMany = Array.from({ length: 8_000 }, String);
    await expect(
      service.mutation(api.assets.sessionReady, { jobId, sceneCount: 0, outputs: tooMany, assets }),
    ).rejects.toMatchObject({ data: { code: "invalid_request" } });
    const kept = [names[0]!, names[209]!];
    await service.mutation(api.assets.sessionReady, {
      jobId,
      sceneCount: 0,
      outputs: kept,
      assets,
    });
    const stale = { jobId, run: 7, sceneCount: 0, outputs: [], after: "" };
    await backend.nobody.mutation(internal.assets.letGoOfRest, stale);
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    const { uses } = await tablesOf(backend);
    expect(uses.filter(({ kind }) => kind === "video").map(({ field }) => field)).toEqual(
      kept.map((name) => `${jobId}/${name}`),
    );
  });
});

describe("deleting a video", () => {
  it("removes what only it used, in bounded steps, and nothing else", async () => {
    const gone = await finishedJob(backend, 2);
    const stays = await finishedJob(backend, 1, "https://media.example/other.mp4");
    const shared = objectOf(gone.jobId, "clips/0.mp4");
    const kept = (await tablesOf(backend)).scenes.find(({ jobId }) => jobId === stays.jobId)!;
    const put = { sceneId: kept._id, field: "videoAsset" as const, object: shared };
    await service.mutation(api.assets.replaceAsset, put);

    let steps = 0;
    for (let more = true; more; steps += 1) {
      more = await backend.nobody.run(async (ctx) => {
        const videoId = ctx.db.normalizeId("videos", gone.videoId)!;
        return (await removeVideoAssets(ctx, videoId, 3)).more;
      });
      expect(contradictions(await tablesOf(backend))).toEqual([]);
    }
    expect(steps).toBeGreaterThan(3);
    const tables = await tablesOf(backend);
    expect(tables.scenes.map(({ jobId }) => jobId)).toEqual([stays.jobId]);
    expect(tables.sessions.map(({ jobId }) => jobId)).toEqual([stays.jobId]);
    const active = tables.references.filter(({ state }) => state === "active");
    const others = active.filter(({ key }) => !key.startsWith(`jobs/${stays.jobId}/`));
    expect(others.map(({ key }) => key)).toEqual([shared.key]);
    expect(active).toHaveLength(3 + 2 + 1 + 1);
  });
  it("leaves another video's scene in its session without one", async () => {
    const { jobId, videoId } = await finishedJob(backend, 1);
    await backend.nobody.run(async (ctx) => {
      const [scene] = await ctx.db.query("scenes").take(1);
      const other = await ctx.db.insert("videos", { title: "Another" });
      await ctx.db.patch("scenes", scene!._id, { videoId: other });
      const id = ctx.db.normalizeId("videos", videoId)!;
      for (let more = true; more;) more = (await removeVideoAssets(ctx, id)).more;
    });
    const tables = await tablesOf(backend);
    expect(tables.sessions).toEqual([]);
    expect(tables.scenes).toMatchObject([{ jobId }]);
    expect(tables.scenes[0]!.sessionId).toBeUndefined();
    expect(contradictions(tables)).toEqual([]);
  });
});
