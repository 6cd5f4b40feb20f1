import { expect, it } from "vitest";
import { sortObjects } from "./jobObjects.ts";

const output = (name: string, size_bytes = 10) => ({
  name,
  content_type: "video/mp4",
  size_bytes,
  sha256: "ab".repeat(32),
  object: `jobs/j/${name}`,
});
const ITSELF = { sizeBytes: 7, sha256: "cd".repeat(32) };
const sort = (...names: string[]) =>
  sortObjects("bucket", { job_id: "j", outputs: names.map((name) => output(name)) }, ITSELF);
const CLIP = ["clips/01.mp4", "clips/01.jpg", "clips/01.recipe.json"];

it("each object is in one place, and the manifest is there though it does not list itself", () => {
  const all = [...CLIP, "clips/01.vtt", "reel.mp4", "reel.vtt", "chat.json", "audiowave.dat"];
  const { scenes, session, outputs } = sort(...all);
  const placed: string[] = [
    ...scenes.flatMap(({ assets }) => Object.values(assets)),
    ...Object.values(session),
    ...outputs.map(({ object }) => object),
  ].map(({ key }) => key);
  expect(placed.toSorted()).toEqual(
    [...all, "manifest.json"].map((name) => `jobs/j/${name}`).toSorted(),
  );
  expect(session.manifestAsset).toEqual({
    bucket: "bucket",
    key: "jobs/j/manifest.json",
    contentType: "application/json",
    ...ITSELF,
  });
  expect(outputs.map(({ name }) => name)).toEqual(["chat.json", "audiowave.dat"]);
});

it("scenes are numbered as the clips, without those that were not rendered", () => {
  const later = ["clips/12.mp4", "clips/12.jpg", "clips/12.recipe.json"];
  const { scenes, session } = sort(...later, ...CLIP);
  expect(scenes.map(({ index }) => index)).toEqual([0, 11]);
  expect(scenes[0]?.assets).not.toHaveProperty("subtitleAsset");
  expect(Object.keys(session)).toEqual(["manifestAsset"]);
});

it("a clip that lacks a part is none of ours", () => {
  expect(() => sort("clips/01.mp4", "clips/01.jpg")).toThrow(/recipe/);
});
