// The documented functions on `videos`, through the client that programs use, against real functions.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createConvexCalls } from "#shared/cloud/convexCalls.ts";
import { createVideoRecords } from "#shared/cloud/videoRecords.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { apiOf } from "./runJob.ts";

const VOD = "1234567890";
let dataDir: string;
let cloud: LocalCloud;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "records-"));
  cloud = await startCloud({ dataDir });
});
afterAll(async () => {
  await cloud.close();
  await rm(dataDir, { recursive: true });
});

const records = (testMode = false, lines: string[] = []) =>
  createVideoRecords(
    createConvexCalls({ url: cloud.convexUrl, token: () => cloud.serviceToken() }),
    { testMode, log: createLog({}, (line) => lines.push(line)) },
  );

it("writes status and addresses of a video that the pipeline does not run", async () => {
  const videos = records();
  expect(await videos.checkVideoExists(VOD)).toBe(false);
  const api = apiOf(cloud);
  const { job_id: jobId } = await api.submit({ url: VOD, options: {} });
  await expect(videos.updateVideoStatus(VOD, "Analyzing")).rejects.toMatchObject({
    code: "conflict",
  });
  await api.cancel(jobId);

  expect(await videos.checkVideoExists(VOD)).toBe(true);
  await videos.updatePipelineProgress(VOD, {
    status: "Completed",
    urls: { chatUrl: "gs://bucket/chat.json" },
  });
  await videos.updateTranscriptUrl(VOD, "https://storage.example/transcript?X-Goog-Signature=1");
  // The public query shows references, and no address that opens a file for everybody.
  expect(await videos.getVideo(VOD)).toMatchObject({
    status: "Completed",
    chatUrl: "gs://bucket/chat.json",
  });
  expect(await videos.getVideo(VOD)).not.toHaveProperty("transcriptUrl");
});

it("in test mode says what it would write, without the addresses, and writes nothing", async () => {
  const lines: string[] = [];
  const videos = records(true, lines);
  await videos.updateVideoStatus("999999999", "Failed");
  await videos.updateAudiowaveUrl("999999999", "https://storage.example/?secret");
  expect(await videos.checkVideoExists("999999999")).toBe(false);
  expect(lines.join("\n")).toContain("audiowaveUrl");
  expect(lines.join("\n")).not.toContain("secret");
});
