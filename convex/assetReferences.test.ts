// What is known of stored objects, why they are kept, and what the collector may forget.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { finishedJob, objectOf, renderClip, tablesOf } from "./model/assets/assets.setup.ts";
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

const all = { numItems: 100, cursor: null };

/** Courses that show a video: one of ada's, a draft of somebody else's, a legacy one. */
const showIn = (videoId: Id<"videos">) =>
  backend.nobody.run(async ({ db }) => {
    const made = { createdAt: 1, updatedAt: 1 };
    const course = (name: string, createdBy: string, published: boolean) =>
      db.insert("courses", {
        name,
        createdBy,
        isPublished: published,
        status: published ? "ready" : "draft",
        ...made,
      });
    for (const courseId of [
      await course("Goals", ownerIdOf("ada"), false),
      await course("Hidden", "other", false),
    ]) {
      const chapter = { courseId, name: "One", order: 1, createdAt: 1 };
      const chapterId = await db.insert("chapters", chapter);
      const item = { chapterId, type: "video" as const, order: 1, createdAt: 1, videoId };
      await db.insert("contentItems", item);
      await db.insert("contentItems", { ...item, courseId, order: 2 });
    }
    const courseId = await course("Old goals", "other", true);
    await db.insert("chapters", { courseId, videoId, name: "One", order: 1, createdAt: 1 });
  });

describe("why an object is kept", () => {
  it("is told from its uses to the courses that show its video", async () => {
    const { jobId, videoId } = await finishedJob(backend, 1);
    await showIn(videoId as Id<"videos">);
    const { bucket, key } = objectOf(jobId, "clips/0.mp4");
    const why = await backend.user("ada").query(api.assetReferences.whyKept, { bucket, key });
    expect(why).toMatchObject({
      state: "active",
      uses: [{ kind: "scene", field: "videoAsset", jobId, video: { id: videoId } }],
      usesCut: false,
      otherUses: 0,
      otherCourses: 1,
      coursesCut: false,
    });
    expect(why.courses.map(({ name }) => name)).toEqual(["Goals", "Old goals"]);
    expect(why.words).toEqual([
      expect.stringMatching(/^It is videoAsset of scene 1 of the job \w+ of the video “.+”\.$/),
      "Courses that show the video: “Goals”, “Old goals”, 1 of other people.",
    ]);
    const { courses } = await service.query(api.assetReferences.whyKept, { bucket, key });
    expect(courses).toHaveLength(3);
  });
  it("is told of outputs, reels, and earlier versions", async () => {
    const { jobId } = await finishedJob(backend, 1);
    await renderClip(backend, jobId, 0, {
      videoAsset: objectOf(jobId, "clips/new.mp4"),
      sourceCodeAsset: objectOf(jobId, "clips/0.json"),
      thumbnailAsset: objectOf(jobId, "clips/0.jpg"),
    });
    const words = async (name: string) => {
      const { bucket, key } = objectOf(jobId, name);
      return (await service.query(api.assetReferences.whyKept, { bucket, key })).words[0];
    };
    expect(await words("transcript.json")).toContain(`the output ${jobId}/transcript.json of the`);
    expect(await words("reel.mp4")).toContain("It is combinedVideoAsset of the session");
    expect(await words("clips/0.mp4")).toContain("videoAsset of the earlier version 1 of scene 1");
  });
  it("is told as far as it is looked at", async () => {
    const { jobId, videoId } = await finishedJob(backend, 0);
    const { bucket, key } = objectOf(jobId, "transcript.json");
    await backend.nobody.run(async ({ db }) => {
      const reference = await db.query("assetReferences").first();
      const referenceId = reference!._id;
      for (let i = 0; i < 60; i += 1) {
        const at = { name: `${i}`, createdAt: 1, updatedAt: 1, isPublished: true };
        const courseId = await db.insert("courses", at);
        await db.insert("chapters", {
          courseId,
          videoId: videoId as Id<"videos">,
          name: "One",
          order: 1,
          createdAt: 1,
        });
        await db.insert("assetUses", { referenceId, kind: "video", id: videoId, field: `${i}` });
      }
    });
    const why = await service.query(api.assetReferences.whyKept, { bucket, key });
    expect(why).toMatchObject({ usesCut: true, coursesCut: true });
    expect(why.uses).toHaveLength(50);
    expect(why.courses).toHaveLength(50);
  });
  it("is for the owner, admins and the pipeline", async () => {
    const { jobId } = await finishedJob(backend, 0);
    const { bucket, key } = objectOf(jobId, "reel.mp4");
    const reference = await service.query(api.assetReferences.get, { bucket, key });
    const byId = { referenceId: reference._id };
    const root = backend.user("root", "admin");
    expect(await root.query(api.assetReferences.get, byId)).toEqual(reference);
    for (const look of [api.assetReferences.get, api.assetReferences.whyKept]) {
      await expect(backend.user("bob").query(look, byId)).rejects.toMatchObject({
        data: { code: "not_found" },
      });
      for (const wrong of [{}, { bucket }, { bucket, key, ...byId }]) {
        await expect(service.query(look, wrong)).rejects.toMatchObject({
          data: { code: "invalid_request" },
        });
      }
    }
  });
});

describe("the collector", () => {
  it("walks a bucket's references by key, and looks some up", async () => {
    const { jobId } = await finishedJob(backend, 1);
    await finishedJob(backend, 1, "https://media.example/other.mp4");
    const bucket = "outputs";
    const list = async (over: object) =>
      (
        await service.query(api.assetReferences.list, { bucket, paginationOpts: all, ...over })
      ).page.map(({ key }) => key);
    const keys = await list({});
    expect(keys).toHaveLength(12);
    expect(keys).toEqual([...keys].sort());
    const own = keys.filter((key) => key.startsWith(`jobs/${jobId}/`));
    expect(await list({ prefix: `jobs/${jobId}/` })).toEqual(own);
    expect(await list({ prefix: `jobs/${jobId}/`, from: own[2] })).toEqual(own.slice(2));
    expect(await list({ prefix: "uploads/", from: "a" })).toEqual([]);
    expect(await list({ bucket: "another" })).toEqual([]);
    await expect(list({ prefix: "ä" })).rejects.toMatchObject({
      data: { code: "invalid_request" },
    });
    const lookup = { bucket, keys: [keys[0]!, keys[0]!, "jobs/unknown"] };
    expect(await service.query(api.assetReferences.lookup, lookup)).toMatchObject([
      { key: keys[0], state: "active" },
    ]);
    const many = { bucket, keys: Array.from({ length: 501 }, String) };
    await expect(service.query(api.assetReferences.lookup, many)).rejects.toMatchObject({
      data: { code: "invalid_request" },
    });
  });
  it("forgets what is released, and nothing that is used, also where it is used again", async () => {
    expect(await service.query(api.assetReferences.knownSince, {})).toBeNull();
    const { jobId } = (await createJob(backend)).job;
    const record = async (outputs: string[]) => {
      const objects = outputs.map((name) => objectOf(jobId, name));
      await service.mutation(api.assets.recordOutputs, { jobId, outputs: objects });
      await service.mutation(api.assets.sessionReady, {
        jobId,
        sceneCount: 0,
        outputs,
        assets: { manifestAsset: objectOf(jobId, "manifest.json") },
      });
    };
    await record(["a", "b", "c"]);
    await record(["c"]);
    const released = async () =>
      (await tablesOf(backend)).references.filter(({ state }) => state === "released");
    const [a, b] = await released();
    expect([a!.key, b!.key]).toEqual([objectOf(jobId, "a").key, objectOf(jobId, "b").key]);
    await record(["b", "c"]);
    expect(await released()).toMatchObject([{ _id: a!._id }]);
    const referenceIds = [a!._id, b!._id];
    const forget = () => service.mutation(api.assetReferences.forget, { referenceIds });
    expect(await forget()).toEqual([a!._id]);
    expect(await forget()).toEqual([a!._id]);
    const { references } = await tablesOf(backend);
    expect(references.map(({ key }) => key.at(-1))).toEqual(["b", "c", "n"]);
    expect(await service.query(api.assetReferences.knownSince, {})).toBe(references[0]!.createdAt);
  });
});
