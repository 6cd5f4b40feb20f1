// Uploads that a job reads are kept with its video, from the job's first moment to the video's last.
import { beforeEach, expect, it } from "vitest";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { api } from "./_generated/api.js";
import { type Backend, createBackend, createJob, standInEnvironment } from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

const handle = (name: string) => `gs://bucket/uploads/ada/${name}`;
const state = async (name: string) => {
  const keys = [`uploads/ada/${name}`];
  return (await backend.service.query(api.assetReferences.lookup, { bucket: "bucket", keys })).map(
    (reference) => [reference.state, reference.type],
  );
};

it("each is used by the video, the same one once, and other jobs' beside it", async () => {
  const options = AnalysisOptions.parse({
    captions: handle("talk.vtt"),
    chat: handle("chat.json"),
  });
  await createJob(backend, { url: handle("talk.mp4"), provider: "upload", options });
  const other = AnalysisOptions.parse({ captions: handle("better.vtt") });
  await createJob(backend, { url: handle("talk.mp4"), provider: "upload", options: other });
  for (const name of ["talk.mp4", "talk.vtt", "chat.json", "better.vtt"])
    expect(await state(name), name).toEqual([["active", "upload"]]);
  const { uses, words } = await backend.user("ada").query(api.assetReferences.whyKept, {
    bucket: "bucket",
    key: "uploads/ada/talk.mp4",
  });
  expect(uses).toHaveLength(1);
  expect(uses[0]).not.toHaveProperty("jobId");
  expect(words.join(" ")).toMatch(/uploaded for a job of the video/);
});

it("a job over an address uses none", async () => {
  await createJob(backend);
  const page = await backend.service.query(api.assetReferences.list, {
    bucket: "bucket",
    paginationOpts: { numItems: 10, cursor: null },
  });
  expect(page.page).toEqual([]);
});

it.each([
  ["gs://bucket/uploads/ada/0b6ef0a2-6f3c-4c0f-9d8e-0123456789ab/A-talk.mp4", "A-talk"],
  [handle("talk.mp4"), handle("talk.mp4")],
])("the video of %s is called %s from the beginning", async (url, title) => {
  const { job } = await createJob(backend, { url, provider: "upload" });
  const video = await backend.user("ada").query(api.videos.getJobById, { jobId: job.jobId });
  expect(video?.title).toBe(title);
});
