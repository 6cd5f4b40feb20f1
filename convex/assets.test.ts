// What the pipeline says of its objects, as it says it: in any order it can happen, and twice.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import {
  clipOf,
  contradictions,
  finishedJob,
  objectOf,
  renderClip,
  tablesOf,
} from "./model/assets/assets.setup.ts";
import { type Backend, createBackend, createJob, standInEnvironment } from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
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
  });
  it("are as they were after every call came twice", async () => {
    const { jobId } = await finishedJob(backend, 1);
    const before = await tablesOf(backend);
    await renderClip(backend, jobId, 0);
    const outputs = [objectOf(jobId, "transcript.json")];
    await backend.service.mutation(api.assets.recordOutputs, { jobId, outputs });
    expect(await tablesOf(backend)).toEqual(before);
  });
  it("keep what they replace", async () => {
    const { job } = await createJob(backend);
    const { jobId } = job;
    await renderClip(backend, jobId, 0);
    const other = { ...clipOf(jobId, 0), videoAsset: objectOf(jobId, "clips/other.mp4", 3) };
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
    expect(tables.references.map(({ state }) => state)).toEqual(Array(4).fill("active"));
  });
});
