// Scenes and sessions as people see them.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { finishedJob, renderClip, tablesOf } from "./model/assets/assets.setup.ts";
import { videoOf } from "./model/assets/view.ts";
import {
  type Backend,
  createBackend,
  createJob,
  ownerIdOf,
  standInEnvironment,
} from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

const paginationOpts = { numItems: 2, cursor: null };
const notFound = { data: { code: "not_found" } };

describe("scenes and sessions", () => {
  it("are listed for their owner, a page at a time, in the order of the clips", async () => {
    const { job } = await createJob(backend);
    for (const index of [2, 0, 1]) await renderClip(backend, job.jobId, index);
    const videoId = job.videoId as Id<"videos">;
    const ada = backend.user("ada");
    const sessions = await ada.query(api.videoSessions.listByVideo, { videoId, paginationOpts });
    const sessionId = sessions.page[0]!._id;
    const first = await ada.query(api.scenes.listBySession, { sessionId, paginationOpts });
    const cursor = first.continueCursor;
    const second = await ada.query(api.scenes.listBySession, {
      sessionId,
      paginationOpts: { ...paginationOpts, cursor },
    });
    expect([...first.page, ...second.page].map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(first.page[0]).not.toHaveProperty("previousAssetVersions");
    const all = { numItems: Number.POSITIVE_INFINITY, cursor: null };
    const ofVideo = await ada.query(api.scenes.listByVideo, { videoId, paginationOpts: all });
    expect(ofVideo.page).toHaveLength(3);
    const sceneId = ofVideo.page[0]!._id;
    expect(await ada.query(api.scenes.getScene, { sceneId })).toMatchObject({
      previousAssetVersions: [],
      video: { kind: "asset", key: `jobs/${job.jobId}/clips/2.mp4`, sizeBytes: 100 },
    });
    expect(await ada.query(api.videoSessions.getSession, { sessionId })).toMatchObject({
      assetCount: 9,
    });
  });
  it("are there for their owner and admins alone, and for nobody once the video goes", async () => {
    const job = await finishedJob(backend, 1);
    const videoId = job.videoId as Id<"videos">;
    const { scenes, sessions } = await tablesOf(backend);
    const sceneId = scenes[0]!._id;
    const sessionId = sessions[0]!._id;
    const looks = (who: ReturnType<Backend["user"]>) => [
      () => who.query(api.scenes.getScene, { sceneId }),
      () => who.query(api.scenes.listBySession, { sessionId, paginationOpts }),
      () => who.query(api.scenes.listByVideo, { videoId, paginationOpts }),
      () => who.query(api.videoSessions.getSession, { sessionId }),
      () => who.query(api.videoSessions.listByVideo, { videoId, paginationOpts }),
    ];
    await Promise.all(looks(backend.user("root", "admin")).map((look) => look()));
    for (const look of looks(backend.user("bob", "instructor"))) {
      await expect(look()).rejects.toMatchObject(notFound);
    }
    await backend.nobody.run(({ db }) => db.patch("videos", videoId, { deletingAt: 1 }));
    for (const look of looks(backend.user("ada"))) {
      await expect(look()).rejects.toMatchObject(notFound);
    }
  });
  it("legacy ones are their session's or video's owner's", async () => {
    const [own, orphan] = await backend.nobody.run(async ({ db }) => {
      const videoId = await db.insert("videos", { title: "Old", ownerId: ownerIdOf("ada") });
      const sessionId = await db.insert("videoSessions", { videoId });
      const s3ChunkUrl = "https://old.example/clip.mp4";
      return [
        await db.insert("scenes", { sessionId, s3ChunkKey: "old/clip.mp4", s3ChunkUrl }),
        await db.insert("scenes", { s3ChunkKey: "old/other.mp4" }),
      ] as const;
    });
    const ada = backend.user("ada");
    expect(await ada.query(api.scenes.getScene, { sceneId: own })).toMatchObject({
      video: { kind: "legacy", key: "old/clip.mp4", url: "https://old.example/clip.mp4" },
    });
    await expect(ada.query(api.scenes.getScene, { sceneId: orphan })).rejects.toMatchObject(
      notFound,
    );
  });
});

describe("where a clip's video is", () => {
  const asset = { bucket: "b", key: "k", version: 1 };
  it.each<[string, Partial<Doc<"scenes">>, ReturnType<typeof videoOf>]>([
    ["nowhere", {}, null],
    ["nowhere in an empty legacy row", { s3ChunkKey: "", s3ChunkUrl: "" }, null],
    ["its asset", { videoAsset: asset }, { kind: "asset", bucket: "b", key: "k" }],
    [
      "its asset, with the legacy address",
      { videoAsset: asset, s3ChunkKey: "old", s3ChunkUrl: "https://x.example/k" },
      { kind: "asset", bucket: "b", key: "k", url: "https://x.example/k" },
    ],
    ["the legacy key", { s3ChunkKey: "old" }, { kind: "legacy", key: "old" }],
    ["no script", { s3ChunkUrl: "javascript:alert(1)" }, null],
    [
      "no broken address",
      { s3ChunkKey: "k", s3ChunkUrl: "https://" },
      { kind: "legacy", key: "k" },
    ],
  ])("%s", (_, scene, video) => {
    expect(videoOf(scene)).toEqual(video);
  });
});
