import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { AnalysisRequest } from "../contract/api.ts";
import type { CreateJobAnswer, CreateJobRequest, JobView } from "../contract/ledger.ts";
import { uploadTitle } from "../contract/uploads.ts";
import { submitJob } from "./submit.ts";
import { createUpload, ownsUpload } from "./uploads.ts";
import { memoryStore } from "../../tests/memoryStore.ts";

const JOB = { jobId: "j1" } as JobView;
const MESSAGE = { v: 1, jobId: "j1", stage: "ingest", index: 0 } as const;

const submit = async (
  body: unknown,
  answer: CreateJobAnswer = {
    kind: "created",
    job: JOB,
    messages: [MESSAGE],
    deliveryIds: [],
  },
) => {
  const asked: CreateJobRequest[] = [];
  const published: unknown[] = [];
  const job = await submitJob(
    { ownerId: "o1", request: AnalysisRequest.parse(body), idempotencyKey: undefined },
    {
      bucket: "bucket",
      ledger: {
        createJob: async (request) => {
          asked.push(request);
          return answer;
        },
      },
      publish: async (messages) => void published.push(...messages),
    },
  );
  return { job, asked: asked[0], published };
};

it("writes the job under the video's canonical address, then lets ingest go", async () => {
  const { job, asked, published } = await submit({ url: "m.twitch.tv/videos/1234567890?t=1h2s" });
  expect(job).toBe(JOB);
  expect(asked).toMatchObject({
    url: "https://www.twitch.tv/videos/1234567890",
    provider: "twitch",
    twitchId: "1234567890",
    options: { start_sec: 3602 },
  });
  expect(published).toEqual([MESSAGE]);
});

it("lets a start that was asked for go before the link's", async () => {
  const { asked } = await submit({
    url: "https://www.twitch.tv/videos/1234567890?t=10s",
    options: { start_sec: 5 },
  });
  expect(asked?.options.start_sec).toBe(5);
});

it.each([
  ["not an address", { url: "hello there" }, "invalid_url"],
  ["a loopback address", { url: "http://127.0.0.1/a.mp4" }, "private_address"],
  ["a file of the machine", { url: "file:///etc/passwd" }, "invalid_url"],
  ["a YouTube page", { url: "https://youtu.be/dQw4w9WgXcQ" }, "unsupported_source"],
  ["somebody else's upload", { url: "gs://bucket/uploads/abc/x.mp4" }, "not_found"],
  ["the same behind a blank", { url: " gs://bucket/uploads/abc/x.mp4" }, "not_found"],
  [
    "a link to a moment behind the end that was asked for",
    { url: "https://www.twitch.tv/videos/1234567890?t=1h", options: { end_sec: 60 } },
    "invalid_request",
  ],
  [
    "somebody else's chat file",
    { url: "https://example.com/a.mp4", options: { chat: "gs://bucket/uploads/abc/x.json" } },
    "not_found",
  ],
  [
    "a callback into the private network",
    { url: "https://example.com/a.mp4", callback_url: "http://169.254.169.254/" },
    "private_address",
  ],
])("refuses %s before anything is written", async (_name, body, code) => {
  await expect(submit(body)).rejects.toMatchObject({ code });
});

it.each(["idempotency_mismatch", "too_many_jobs"] as const)("passes on %s", async (kind) => {
  const body = { url: "https://example.com/a.mp4" };
  await expect(submit(body, { kind })).rejects.toMatchObject({ code: kind });
});

const LIMITS = { maxBytes: 1000, maxDurationSec: 60, maxSegments: 10 };

it("begins no upload of a file that would be refused afterwards", async () => {
  const request = { filename: "a.mp4", content_type: "video/mp4", size_bytes: 1001 };
  const deps = { store: memoryStore("bucket"), limits: LIMITS };
  await expect(createUpload("o1", request, deps, undefined)).rejects.toMatchObject({
    code: "video_too_large",
  });
});

const FOLDER = /^gs:\/\/bucket\/uploads\/[0-9a-f]{32}\/[0-9a-f-]{36}\//;
it.each([
  ["../../secret name.MP4", "secret-name.mp4", "secret-name"],
  ["C:\\videos\\Lecture 3 (final).mp4", "Lecture-3-final.mp4", "Lecture-3-final"],
  ["日本語 u\u0308.wav", "日本語-ü.wav", "日本語-ü"],
  ["..", "upload", "upload"],
  [".mp4", "upload.mp4", "upload"],
  ["a?b#c%2F\u202e\n.mp4", "a-b-c-2F.mp4", "a-b-c-2F"],
  ["notes. Part one", "notes.-Part-one", "notes.-Part-one"],
  [`${"x".repeat(200)}.mp4`, `${"x".repeat(76)}.mp4`, "x".repeat(76)],
  ["😀".repeat(80), "upload", "upload"],
])("keeps of an upload's name what is harmless: %j", async (filename, name, title) => {
  const store = {
    ...memoryStore("bucket"),
    createUpload: async (object: string) => `https://upload.example/${object}`,
  };
  const request = { filename, content_type: "video/mp4" };
  const { handle } = await createUpload("o1", request, { store, limits: LIMITS }, undefined);
  expect(handle).toMatch(FOLDER);
  expect(handle.replace(FOLDER, "")).toBe(name);
  expect(uploadTitle(handle)).toBe(title);
  expect(ownsUpload("o1", "bucket", handle)).toBe(true);
  expect(ownsUpload("o2", "bucket", handle)).toBe(false);
  expect((await submit({ url: handle })).asked?.url).toBe(handle);
});

it("takes only handles of the form that uploads give", () => {
  const folder = `gs://bucket/uploads/${createHash("sha256").update("o1").digest("hex").slice(0, 32)}/`;
  const id = "0b6ef0a2-6f3c-4c0f-9d8e-0123456789ab";
  for (const name of [`${id}.mp4`, id, `${id}/talk.mp4`])
    expect(ownsUpload("o1", "bucket", folder + name), name).toBe(true);
  const others = ["", "other.mp4", "é.mp4", `${"0".repeat(2000)}.mp4`, `${folder}${id}/x`];
  const below = ["", "..", "a/b", "a b.mp4", "a".repeat(81)].map((name) => `${id}/${name}`);
  for (const name of [...others, ...below])
    expect(ownsUpload("o1", "bucket", folder + name), name).toBe(false);
});
