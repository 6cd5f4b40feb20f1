// Last stage: the reel, and everything a person gets copied to the job's own folder, so that the
// shared results may expire. The manifest is written last.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { sortObjects } from "../../assets/jobObjects.ts";
import type { AssetRecorder } from "../../assets/recorder.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import type { SceneFacts } from "../../contract/assets.ts";
import { StageError } from "../../contract/errors.ts";
import type { OutputRef, TaskInput, VideoUrls } from "../../contract/ledger.ts";
import { MANIFEST, Manifest, type ManifestOutput, jobPrefix } from "../../contract/manifest.ts";
import type { Ffmpeg } from "../../media/ffmpeg.ts";
import { ClipRecipe } from "../../media/recipe.ts";
import { joinReel } from "../../media/reel.ts";
import { stagePrefix } from "../key.ts";
import type { Library } from "../library.ts";
import { readDone } from "../results.ts";
import type { StageContext, StageDefinition } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { CLIP_RECIPE, CLIP_SUBTITLES, CLIP_VIDEO, clipName } from "./clips.ts";
import { ANALYSIS, CHAT, TRANSCRIPT, TRANSCRIPT_WORDS, readHighlights } from "./documents.ts";
import { readPlan, upstreamKey } from "./plan.ts";
import { publishFindings } from "./publish.ts";

export interface FinishDeps {
  store: ObjectStore;
  assets: AssetRecorder;
  library: Library;
  ffmpeg: () => Promise<Ffmpeg>;
}

/** Signed addresses pushed to Convex live this long: the most that is sure. */
const SIGNED_SEC = 12 * 3600;

const URL_FIELDS = {
  transcriptUrl: TRANSCRIPT,
  chatUrl: CHAT,
  audiowaveUrl: "audiowave.json",
  transcriptAnalysisUrl: ANALYSIS,
  transcriptWordUrl: TRANSCRIPT_WORDS,
} as const satisfies Partial<Record<keyof VideoUrls, string>>;

/** A stage's objects under the names they have in the job's folder. */
const copyStage = async (
  store: ObjectStore,
  jobId: string,
  stage: "analyze" | "highlights" | "clips",
  { key }: OutputRef,
  nameOf: (name: string) => string = (name) => name,
): Promise<ManifestOutput[]> => {
  const { objects } = await readDone(store, stage, key);
  return Promise.all(
    objects.map(async ({ name, contentType, sizeBytes, sha256 }) => {
      const object = jobPrefix(jobId) + nameOf(name);
      await store.copy(stagePrefix(stage, key) + name, object);
      if (sha256 === undefined) throw new StageError("internal", `${name} has no checksum.`);
      return {
        name: nameOf(name),
        content_type: contentType,
        size_bytes: sizeBytes,
        sha256,
        object,
      };
    }),
  );
};

const putOutput = async (
  store: ObjectStore,
  jobId: string,
  name: string,
  contentType: string,
  body: Parameters<ObjectStore["put"]>[1],
  signal: AbortSignal,
): Promise<ManifestOutput> => {
  // Who was overtaken meanwhile leaves what is there.
  signal.throwIfAborted();
  const object = jobPrefix(jobId) + name;
  const info = await store.put(object, body, { contentType, onlyIfAbsent: false, signal });
  if (info.sha256 === undefined) throw new StageError("internal", `${name} has no checksum.`);
  const { sizeBytes: size_bytes, sha256 } = info;
  return { name, content_type: contentType, size_bytes, sha256, object };
};

const readText = async (store: ObjectStore, name: string): Promise<string> =>
  Buffer.from(await store.read(name)).toString("utf8");

/** A rendered clip on the local disk, with its subtitles where it has any. */
const fetchClip = async (
  store: ObjectStore,
  { key }: OutputRef,
  path: string,
  signal: AbortSignal,
): Promise<{ path: string; captionsVtt?: string }> => {
  const prefix = stagePrefix("clips", key);
  await pipeline(store.stream(prefix + CLIP_VIDEO), createWriteStream(path), { signal });
  const { objects } = await readDone(store, "clips", key);
  return objects.some(({ name }) => name === CLIP_SUBTITLES)
    ? { path, captionsVtt: await readText(store, prefix + CLIP_SUBTITLES) }
    : { path };
};

/**
 * Said before anything is fetched: files take memory, and running out of it would be heard of by
 * nobody.
 * @throws {StageError} `resources_exhausted` where the clips and the reel are too large together
 */
const checkRoom = async (
  store: ObjectStore,
  clips: readonly OutputRef[],
  scratchBytes: number,
): Promise<void> => {
  const videos = clips.map(({ key }) => stagePrefix("clips", key) + CLIP_VIDEO);
  const infos = await Promise.all(videos.map((name) => store.stat(name)));
  const clipBytes = infos.reduce((sum, info) => sum + (info?.sizeBytes ?? 0), 0);
  // The reel is about as large as all of them.
  if (2 * clipBytes <= scratchBytes) return;
  const cause = new Error(`${clipBytes} bytes of clips, and a reel, into ${scratchBytes}.`);
  throw new StageError("resources_exhausted", undefined, { cause });
};

/**
 * `reel.mp4` and `reel.vtt`; none without clips.
 * @param clips in the order they are shown
 */
const makeReel = async (
  deps: FinishDeps,
  { jobId }: TaskInput,
  clips: readonly OutputRef[],
  { scratchDir, scratchBytes, signal }: StageContext,
): Promise<ManifestOutput[]> => {
  const { store } = deps;
  const [first] = clips;
  if (!first) return [];
  await checkRoom(store, clips, scratchBytes);
  const recipe = await readText(store, stagePrefix("clips", first.key) + CLIP_RECIPE);
  const outPath = join(scratchDir, "reel.mp4");
  const { captionsVtt } = await joinReel({
    clips: await Promise.all(
      clips.map((clip, i) => fetchClip(store, clip, join(scratchDir, `${i}.mp4`), signal)),
    ),
    outPath,
    scratchDir,
    ffmpeg: await deps.ffmpeg(),
    video: ClipRecipe.parse(JSON.parse(recipe)).video,
    signal,
  });
  const put = (name: string, type: string, body: Parameters<ObjectStore["put"]>[1]) =>
    putOutput(store, jobId, name, type, body, signal);
  const video = await put("reel.mp4", "video/mp4", createReadStream(outPath));
  return captionsVtt === null ? [video] : [video, await put("reel.vtt", "text/vtt", captionsVtt)];
};

const readManifest = async (
  store: ObjectStore,
  jobId: string,
): Promise<{ manifest: Manifest; bytes: Uint8Array }> => {
  const bytes = await store.read(jobPrefix(jobId) + MANIFEST);
  return { manifest: Manifest.parse(JSON.parse(Buffer.from(bytes).toString("utf8"))), bytes };
};

/** Whether the job's folder has this manifest, and all that it lists. */
const isFolderWhole = async (
  store: ObjectStore,
  jobId: string,
  manifestSha256: unknown,
): Promise<boolean> => {
  const there = await store.stat(jobPrefix(jobId) + MANIFEST);
  if (there?.sha256 === undefined || there.sha256 !== manifestSha256) return false;
  const { outputs } = (await readManifest(store, jobId)).manifest;
  const infos = await Promise.all(outputs.map(({ object }) => store.stat(object)));
  return outputs.every(({ sha256 }, i) => infos[i]?.sha256 === sha256);
};

const sceneFacts = ({ highlights, options }: Manifest): SceneFacts[] =>
  options.clips
    ? highlights.map(({ start_sec, end_sec, title, rank, score }) => ({
        startSec: start_sec,
        endSec: end_sec,
        title,
        rank,
        score,
      }))
    : [];

const timingsOf = ({ startedAt }: TaskInput): Manifest["timings"] => {
  const now = Date.now();
  return {
    started_at: new Date(startedAt).toISOString(),
    finished_at: new Date(now).toISOString(),
    total_sec: (now - startedAt) / 1000,
  };
};

export const finishStage = (deps: FinishDeps): StageDefinition => {
  const { store } = deps;
  return {
    stage: "finish",
    version: STAGE_VERSIONS.finish,
    inputs: async ({ jobId, upstream, warnings }) => ({
      jobId,
      upstream: Object.fromEntries(
        Object.entries(upstream).map(([stage, outputs]) => [
          stage,
          outputs.map((output) => output?.key ?? null),
        ]),
      ),
      warnings,
    }),

    run: async (input, context) => {
      const { jobId, upstream } = input;
      const plan = await readPlan(store, input);
      const highlightsKey = upstreamKey(input, "highlights");
      const clips = upstream.clips ?? [];
      const outputs = [
        ...(await copyStage(store, jobId, "analyze", {
          key: upstreamKey(input, "analyze"),
          summary: {},
        })),
        ...(await copyStage(store, jobId, "highlights", { key: highlightsKey, summary: {} })),
        ...(
          await Promise.all(
            clips.map(async (clip, i) =>
              clip ? copyStage(store, jobId, "clips", clip, (name) => clipName(i, name)) : [],
            ),
          )
        ).flat(),
      ];
      context.progress(0.5);
      const { highlights } = await readHighlights(store, stagePrefix("highlights", highlightsKey));
      const inOrderOfTime = clips
        .map((clip, i) => ({ clip, startSec: highlights[i]?.startSec ?? 0 }))
        .toSorted((a, b) => a.startSec - b.startSec)
        .flatMap(({ clip }) => (clip ? [clip] : []));
      outputs.push(...(await makeReel(deps, input, inOrderOfTime, context)));
      const manifest: Manifest = {
        version: 1,
        job_id: jobId,
        status: "Completed",
        source: {
          url: input.url,
          provider: plan.source.provider,
          title: plan.source.title ?? null,
          channel: plan.source.channelTitle ?? null,
        },
        options: input.options,
        duration_sec: plan.source.durationSec,
        outputs: outputs.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        highlights: highlights.map(({ rank, startSec, endSec, peakSec, score, title }, i) => ({
          rank,
          start_sec: startSec,
          end_sec: endSec,
          peak_sec: peakSec,
          score,
          title,
          clip: clips[i] ? clipName(i, CLIP_VIDEO) : null,
        })),
        warnings: input.warnings,
        versions: STAGE_VERSIONS,
        timings: timingsOf(input),
      };
      const text = `${JSON.stringify(manifest, null, 2)}\n`;
      const type = "application/json";
      const { sha256 } = await putOutput(store, jobId, MANIFEST, type, text, context.signal);
      return { objects: [], summary: { outputs: outputs.length, manifestSha256: sha256 } };
    },

    // Another run of the job may have written over it, and the collector may have had it.
    isWhole: ({ jobId }, { manifestSha256 }) => isFolderWhole(store, jobId, manifestSha256),

    record: async (input, _output, attempt) => {
      const { jobId } = input;
      const { manifest, bytes } = await readManifest(store, jobId);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const objects = sortObjects(store.bucket, manifest, { sizeBytes: bytes.length, sha256 });
      await deps.assets.jobReady(jobId, sceneFacts(manifest), objects);
      await publishFindings(deps, input, attempt);
    },

    urls: async ({ jobId }) => {
      const urls: VideoUrls = { references: {}, expiresAt: Date.now() + SIGNED_SEC * 1000 };
      for (const [field, name] of Object.entries(URL_FIELDS) as [
        keyof typeof URL_FIELDS,
        string,
      ][]) {
        const object = jobPrefix(jobId) + name;
        if (!(await store.stat(object))) continue;
        urls[field] = await store.signedUrl(object, { expiresSec: SIGNED_SEC });
        urls.references![field] = `gs://${store.bucket}/${object}`;
      }
      return urls;
    },
  };
};
