// First stage: finds out what the source is, checks every file that was given with the job, and
// decides how the work is cut into tasks. What is wrong with the input is said here, early.
import { createHash } from "node:crypto";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { type ErrorCode, StageError } from "../../contract/errors.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import type { SpeechProviderName } from "../../contract/options.ts";
import type { Word } from "../../contract/transcript.ts";
import type { Warning } from "../../contract/warnings.ts";
import { parseChatFile } from "../../chat/chatFile.ts";
import { planWindows } from "../../chat/windows.ts";
import type { Ffmpeg } from "../../media/ffmpeg.ts";
import { extractSubtitles } from "../../media/subtitleTrack.ts";
import type { SourceDescription } from "../../source/description.ts";
import { type SourceRef, parseSourceUrl } from "../../source/parseUrl.ts";
import { openRange } from "../../source/open.ts";
import { type ResolveDeps, resolveSource } from "../../source/resolve.ts";
import { MAX_CAPTION_BYTES, cuesToWords, parseCaptions } from "../../speech/captions.ts";
import { stagePrefix } from "../key.ts";
import type { StageContext, StageDefinition, StageObject } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { CAPTIONS, PLAN, type Plan, pixelSec, planRanges } from "./plan.ts";
import { uploadObject } from "./uploads.ts";

export interface IngestDeps {
  store: ObjectStore;
  /** Without `store`, `signal` and `spoolTo`, which are the task's. */
  source: Omit<ResolveDeps, "store" | "signal" | "spoolTo">;
  ffmpeg: () => Promise<Ffmpeg>;
  speechProvider: SpeechProviderName;
  rangeSec: number;
  chatWindowSec: number;
}

/** The stretch to analyse, inside the video. @throws {StageError} where nothing of it is */
const stretchOf = ({ options }: TaskInput, { durationSec }: SourceDescription) => {
  const startSec = options.start_sec ?? 0;
  const endSec = Math.min(options.end_sec ?? durationSec, durationSec);
  if (startSec >= endSec)
    throw new StageError(
      "invalid_request",
      `The video ends at ${Math.floor(durationSec)} s, before the start that was asked for.`,
    );
  return { startSec, endSec };
};

const planChat = async (
  { options }: TaskInput,
  ref: SourceRef,
  stretch: { startSec: number; endSec: number; durationSec: number },
  deps: IngestDeps,
): Promise<{ chat: Plan["chat"]; tasks: number; warning?: Warning }> => {
  const none = { chat: { kind: "none" } as const, tasks: 0 };
  if (options.chat === false) return none;
  if (typeof options.chat === "string") {
    const object = uploadObject(options.chat);
    const info = await deps.store.stat(object);
    if (!info) throw new StageError("invalid_chat_file", "The chat file was never uploaded.");
    // Read once here, so that a damaged file is refused before any work is done.
    await parseChatFile(deps.store.stream(object));
    const identity = `${info.crc32c}:${info.sizeBytes}`;
    return { chat: { kind: "file", object, identity }, tasks: 1 };
  }
  if (ref.kind !== "twitch_vod") {
    const message = "The source has no chat replay; a chat file can be given with the video.";
    return { ...none, warning: { code: "chat_none", message } };
  }
  const { durationSec, startSec, endSec } = stretch;
  const windows = planWindows(durationSec, {
    windowSec: deps.chatWindowSec,
    ...(startSec > 0 ? { startSec } : {}),
    ...(endSec < durationSec ? { endSec } : {}),
  });
  return { chat: { kind: "twitch", videoId: ref.id, windows }, tasks: windows.length };
};

interface SpeechPlan {
  speech: SpeechProviderName;
  words?: Word[];
  warning?: Warning;
}

const readCaptions = async (handle: string, store: ObjectStore): Promise<Word[]> => {
  const object = uploadObject(handle);
  const info = await store.stat(object);
  if (!info) throw new StageError("invalid_captions", "The subtitle file was never uploaded.");
  if (info.sizeBytes > MAX_CAPTION_BYTES)
    throw new StageError("invalid_captions", "The subtitle file is larger than 32 MiB.");
  return cuesToWords(parseCaptions(await store.read(object)));
};

/** The track's own fault; anything else may pass, and is tried again. */
const USELESS_CAPTIONS: readonly ErrorCode[] = ["invalid_captions", "invalid_media"];

/**
 * The words of the source's own subtitle track. One that is empty or damaged is no reason to fail:
 * nobody gave it, and the rest is worth having.
 */
const ownCaptions = async (
  source: SourceDescription,
  track: number,
  deps: IngestDeps,
  { signal }: StageContext,
): Promise<Word[] | Warning> => {
  const range = { startSec: 0, endSec: source.durationSec, track: "video" } as const;
  const { fetch } = deps.source;
  try {
    const text = await extractSubtitles({
      pieces: openRange(source, range, { fetch, store: deps.store, signal }),
      track,
      ffmpeg: await deps.ffmpeg(),
      signal,
    });
    return cuesToWords(parseCaptions(Buffer.from(text)));
  } catch (error) {
    const useless = error instanceof StageError && USELESS_CAPTIONS.includes(error.code);
    if (!useless) throw error;
    const message = `The video's own subtitles cannot be used. ${error.message}`;
    return { code: "speech_none", message };
  }
};

const planSpeech = async (
  { options }: TaskInput,
  source: SourceDescription,
  deps: IngestDeps,
  context: StageContext,
): Promise<SpeechPlan> => {
  if (options.captions !== undefined)
    return { speech: "captions", words: await readCaptions(options.captions, deps.store) };
  const wanted = options.speech ?? deps.speechProvider;
  if (wanted !== "captions" && wanted !== "none")
    return source.audio ? { speech: wanted } : { speech: "none" };
  if (wanted === "captions" && source.subtitleTrack !== undefined) {
    const found = await ownCaptions(source, source.subtitleTrack, deps, context);
    return Array.isArray(found)
      ? { speech: "captions", words: found }
      : { speech: "none", warning: found };
  }
  if (options.speech === "none") return { speech: "none" };
  const message = "The video has no subtitles, and no transcription provider is set up.";
  return { speech: "none", warning: { code: "speech_none", message } };
};

const sourceWarnings = (source: SourceDescription): Warning[] => [
  ...source.warnings,
  ...(source.audio
    ? []
    : [
        {
          code: "audio_none" as const,
          message: "The video has no sound, so there is no waveform.",
        },
      ]),
  ...(source.video ? [] : [{ code: "video_none" as const, message: "The source has no picture." }]),
];

const json = (name: string, value: unknown) =>
  ({ name, contentType: "application/json", body: JSON.stringify(value) }) satisfies StageObject;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export const ingestStage = (deps: IngestDeps): StageDefinition => ({
  stage: "ingest",
  version: STAGE_VERSIONS.ingest,
  // What the source is, is only known after asking it; so each run of a job asks anew.
  inputs: async ({ jobId, retryCount }) => ({ jobId, retryCount }),
  run: async (input, context) => {
    const { signal } = context;
    const { store } = deps;
    const ref = parseSourceUrl(input.url);
    const source = await resolveSource(ref, {
      ...deps.source,
      store,
      signal,
      spoolTo: `${stagePrefix("ingest", `spool-${input.jobId}`)}source`,
    });
    context.progress(0.5);
    const stretch = stretchOf(input, source);
    const samplesPerPixel = input.options.samples_per_pixel;
    const ranges = source.audio
      ? planRanges(stretch, pixelSec({ source, samplesPerPixel }), deps.rangeSec)
      : [];
    const chat = await planChat(input, ref, { ...stretch, ...source }, deps);
    if (ranges.length === 0 && chat.tasks === 0) throw new StageError("nothing_to_analyze");
    const speech = await planSpeech(input, source, deps, context);
    const captions = speech.words ? json(CAPTIONS, speech.words) : null;
    const plan: Plan = {
      source,
      identity: source.identity ?? `job:${input.jobId}`,
      ...stretch,
      samplesPerPixel,
      ranges,
      chat: chat.chat,
      speech: speech.speech,
      ...(captions === null ? {} : { captionsSha256: sha256(captions.body) }),
    };
    const providerRuns = !["captions", "none"].includes(speech.speech);
    return {
      objects: [json(PLAN, plan), ...(captions ? [captions] : [])],
      summary: { identity: plan.identity, durationSec: source.durationSec },
      warnings: [...sourceWarnings(source), chat.warning, speech.warning].filter(
        (warning) => warning !== undefined,
      ),
      fanOut: {
        media: ranges.length,
        chat: chat.tasks,
        transcribe: providerRuns ? ranges.length : 0,
      },
      video: {
        durationSec: source.durationSec,
        ...(source.title === undefined ? {} : { title: source.title }),
        ...(source.channelTitle === undefined ? {} : { channelTitle: source.channelTitle }),
        ...(source.thumbnailUrl === undefined ? {} : { thumbnailUrl: source.thumbnailUrl }),
        ...(source.twitchId === undefined ? {} : { twitchId: source.twitchId }),
        ...(source.publishedAt === undefined ? {} : { publishedAt: source.publishedAt }),
      },
    };
  },
});
