// What ingest decides of the files and options that come with a job; the sources themselves are
// tested where they are read.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { memoryStore } from "../../../tests/memoryStore.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import { AnalysisOptions } from "../../contract/options.ts";
import { findFfmpeg, runFfmpeg } from "../../media/ffmpeg.ts";
import { ffmpegProbe } from "../../source/ffmpegProbe.ts";
import { wav } from "../../speech/wav.ts";
import { ingestStage } from "./ingest.ts";
import { PLAN, Plan } from "./plan.ts";

const DURATION_SEC = 10;
const RATE_HZ = 8000;

/** Ten seconds of silence. */
const silence = (): Buffer => wav(Buffer.alloc(DURATION_SEC * RATE_HZ * 2), RATE_HZ);

let store: ObjectStore;
beforeAll(async () => {
  store = memoryStore("bucket");
  const put = (name: string, body: Buffer | string) =>
    store.put(`uploads/${name}`, Buffer.from(body), { contentType: "application/octet-stream" });
  await put("a.wav", silence());
  await put("a.vtt", "WEBVTT\n\n00:01.000 --> 00:03.000\nHello there\n");
  await put("bad.vtt", "these are no subtitles");
  await put("bad.json", '{"comments": [{"_id": 1');
  await put("no-cue.mp4", await withEmptySubtitles());
});

/** A second of sound, and a track of subtitles that has none: the one there was came later. */
const withEmptySubtitles = async (): Promise<Buffer> => {
  const folder = await mkdtemp(join(tmpdir(), "ingest-test-"));
  try {
    const subtitles = join(folder, "late.srt");
    const path = join(folder, "a.mp4");
    await writeFile(subtitles, "1\n00:00:20,000 --> 00:00:21,000\nToo late\n");
    const inputs = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-i", subtitles];
    const output = ["-t", "1", "-c:a", "aac", "-c:s", "mov_text", path];
    await runFfmpeg(await findFfmpeg(), [...inputs, "-map", "0:a", "-map", "1:s", ...output]);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
};

const ingest = async (
  options: unknown,
  speechProvider: "captions" | "openai" = "captions",
  url = "gs://bucket/uploads/a.wav",
) => {
  // A WAV is read without.
  const ffmpeg = () =>
    url.endsWith(".mp4") ? findFfmpeg() : Promise.reject(new Error("not asked for"));
  const definition = ingestStage({
    store,
    ffmpeg,
    source: {
      fetch: () => Promise.reject(new Error("not asked for")),
      limits: { maxDurationSec: 3600, maxBytes: 1e9, maxSegments: 100 },
      probe: async (args, signal) => ffmpegProbe(await ffmpeg())(args, signal),
    },
    speechProvider,
    rangeSec: 4,
    chatWindowSec: 60,
  });
  const input: TaskInput = {
    jobId: "j1",
    videoId: "v1",
    ownerId: "o1",
    url,
    options: AnalysisOptions.parse(options),
    stage: "ingest",
    index: 0,
    retryCount: 0,
    startedAt: 0,
    upstream: {},
    warnings: [],
  };
  const context = {
    signal: new AbortController().signal,
    scratchDir: "/nowhere",
    scratchBytes: 0,
    progress: () => undefined,
  };
  const result = await definition.run(input, context);
  const plan = result.objects.find(({ name }) => name === PLAN);
  return { ...result, plan: Plan.parse(JSON.parse(plan?.body as string)) };
};

const codes = (warnings: { code: string }[] | undefined) => warnings?.map(({ code }) => code);

it("cuts sound into ranges, and says what is missing and why", async () => {
  const { plan, fanOut, warnings } = await ingest({});
  expect(plan).toMatchObject({ startSec: 0, endSec: DURATION_SEC, speech: "none" });
  expect(plan.source.audio).toMatchObject({ sampleRateHz: RATE_HZ, channels: 1 });
  // Ranges end on pixels of 1,024 samples: the last one holds the end.
  expect(plan.ranges.at(-1)?.endPixel).toBe(Math.ceil((DURATION_SEC * RATE_HZ) / 1024));
  expect(fanOut).toEqual({ media: plan.ranges.length, chat: 0, transcribe: 0 });
  expect(codes(warnings)).toEqual(["video_none", "chat_none", "speech_none"]);
});

it("warns of nothing that was not wanted", async () => {
  const { warnings } = await ingest({ chat: false, speech: "none" });
  expect(codes(warnings)).toEqual(["video_none"]);
});

it("transcribes each range where a provider is set up, and none where subtitles are given", async () => {
  const heard = await ingest({ chat: false }, "openai");
  expect(heard.fanOut?.transcribe).toBe(heard.plan.ranges.length);
  const given = await ingest({ chat: false, captions: "gs://bucket/uploads/a.vtt" }, "openai");
  expect(given.plan).toMatchObject({ speech: "captions", captionsSha256: expect.any(String) });
  expect(given.fanOut?.transcribe).toBe(0);
  expect(given.objects.map(({ name }) => name)).toContain("captions.json");
});

it("goes on without the video's own subtitles where they are of no use", async () => {
  const url = "gs://bucket/uploads/no-cue.mp4";
  const { plan, warnings } = await ingest({ chat: false }, "captions", url);
  expect(plan.source.subtitleTrack).toBe(0);
  expect(plan.speech).toBe("none");
  expect(warnings?.at(-1)).toEqual({
    code: "speech_none",
    message: expect.stringContaining("The video's own subtitles cannot be used"),
  });
});

it("analyses only the stretch that was asked for", async () => {
  const { plan } = await ingest({ start_sec: 2, end_sec: 6, chat: false });
  expect(plan).toMatchObject({ startSec: 2, endSec: 6 });
  expect(plan.ranges[0]?.startPixel).toBe(Math.floor((2 * RATE_HZ) / 1024));
});

it.each([
  ["a start behind the end", { start_sec: 11 }, "invalid_request"],
  ["subtitles that are none", { captions: "gs://bucket/uploads/bad.vtt" }, "invalid_captions"],
  ["subtitles never uploaded", { captions: "gs://bucket/uploads/no.vtt" }, "invalid_captions"],
  ["a damaged chat file", { chat: "gs://bucket/uploads/bad.json" }, "invalid_chat_file"],
  ["a chat file never uploaded", { chat: "gs://bucket/uploads/no.json" }, "invalid_chat_file"],
])("refuses %s before any work is done", async (_name, options, code) => {
  await expect(ingest(options)).rejects.toMatchObject({ code });
});
