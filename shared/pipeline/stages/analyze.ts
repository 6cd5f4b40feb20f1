// Brings the ranges and windows together: one transcript, one chat, one waveform, and series of one
// value a second.
import { z } from "zod";
import { chatDocument } from "../../chat/chatDocument.ts";
import { type MergedChat, mergeChat } from "../../chat/merge.ts";
import { completeShare, joinCompleteness } from "../../chat/windows.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { StageError } from "../../contract/errors.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import { type Transcript, Word } from "../../contract/transcript.ts";
import type { Warning } from "../../contract/warnings.ts";
import { buildSeries } from "../../series/build.ts";
import { wordsToSegments } from "../../speech/segments.ts";
import { stitchWords } from "../../speech/stitch.ts";
import { toSrt, toVtt, wordsToCues } from "../../speech/subtitles.ts";
import { stagePrefix } from "../key.ts";
import type { StageDefinition, StageObject } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { ChatMessages, ChatSummary, MESSAGES } from "./chat.ts";
import { CHAT, analysisObject, transcriptObjects } from "./documents.ts";
import { CAPTIONS, type Plan, pixelSec, readPlan, readStageJson, upstreamKey } from "./plan.ts";
import { loudnessOf, rangesOf, waveformObjects } from "./sound.ts";
import { RangeWords, WORDS } from "./transcribe.ts";

const keysOf = (input: TaskInput, stage: "media" | "transcribe" | "chat") =>
  (input.upstream[stage] ?? []).map((output) => output?.key ?? null);

/** What is said in the stretch that is analysed: recognition hears a few seconds around it. */
const wordsWithin = (words: readonly Word[], { startSec, endSec, source }: Plan): Word[] =>
  words
    .filter((word) => {
      const middleSec = (word.startSec + word.endSec) / 2;
      return middleSec >= startSec && middleSec <= endSec;
    })
    .map((word) => ({ ...word, endSec: Math.min(word.endSec, source.durationSec) }));

const toTranscript = (language: string, plan: Plan, heard: readonly Word[]): Transcript => {
  const words = wordsWithin(heard, plan);
  const segments = wordsToSegments(words, { language });
  return { language, provider: plan.speech, words, segments };
};

const readTranscript = async (
  store: ObjectStore,
  plan: Plan,
  input: TaskInput,
): Promise<Transcript | null> => {
  if (plan.speech === "none") return null;
  const asked = input.options.language ?? "und";
  if (plan.speech === "captions") {
    const name = stagePrefix("ingest", upstreamKey(input, "ingest")) + CAPTIONS;
    const words = await readStageJson(store, name, z.array(Word));
    return toTranscript(asked, plan, words);
  }
  const secondsPerPixel = pixelSec(plan);
  const ranges = await Promise.all(
    keysOf(input, "transcribe").map(async (key, i) => {
      const { startPixel, endPixel } = plan.ranges[i] ?? { startPixel: 0, endPixel: 0 };
      const found = key
        ? await readStageJson(store, stagePrefix("transcribe", key) + WORDS, RangeWords)
        : null;
      return {
        startSec: startPixel * secondsPerPixel,
        endSec: endPixel * secondsPerPixel,
        words: found?.words ?? null,
        language: found?.language,
      };
    }),
  );
  if (ranges.every(({ words }) => words === null)) return null;
  const words = stitchWords(ranges);
  const language = ranges.find((range) => range.language !== undefined)?.language;
  return toTranscript(input.options.language ?? language ?? "und", plan, words);
};

const readChatWindows = async (
  store: ObjectStore,
  plan: Plan,
  input: TaskInput,
): Promise<MergedChat | null> => {
  const keys = keysOf(input, "chat").filter((key) => key !== null);
  if (plan.chat.kind === "none" || keys.length === 0) return null;
  const windows = await Promise.all(
    keys.map((key) => readStageJson(store, stagePrefix("chat", key) + MESSAGES, ChatMessages)),
  );
  return mergeChat(windows, {
    durationSec: plan.source.durationSec,
    chatOffsetSec: input.options.chat_offset_sec,
  });
};

const chatWarnings = (chat: MergedChat | null, input: TaskInput): Warning[] => {
  const warnings: Warning[] = [];
  if (chat && chat.afterEnd > 0)
    warnings.push({
      code: "chat_after_end",
      message: `${chat.afterEnd} messages were written after the end of the video.`,
    });
  const parts = (input.upstream.chat ?? []).filter((output) => output !== null);
  const completeness = joinCompleteness(
    parts.map(({ summary }) => ChatSummary.parse(summary).completeness),
  );
  const share = completeShare(completeness);
  if (share < 1)
    warnings.push({
      code: "chat_incomplete",
      message: `${completeness.doubtfulSec.length} seconds of the chat had more messages than Twitch gives; ${(share * 100).toFixed(2)} % of all seconds are complete.`,
    });
  return warnings;
};

/** What `chat.json` says of the video: the source's own word, else that of the chat file. */
const aboutChat = (plan: Plan, input: TaskInput) => {
  const { twitchId, title, channelId, channelTitle, publishedAt, durationSec } = plan.source;
  const [part] = input.upstream.chat ?? [];
  const file = part ? ChatSummary.parse(part.summary).about : undefined;
  const given = {
    channelId: channelId ?? file?.channelId,
    channelName: channelTitle ?? file?.channelName,
    videoCreatedAt:
      publishedAt === undefined ? file?.videoCreatedAt : new Date(publishedAt).toISOString(),
  };
  return {
    videoId: twitchId ?? file?.videoId ?? input.videoId,
    title: title ?? file?.title ?? "",
    durationSec,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
};

const chatObject = (chat: MergedChat, plan: Plan, input: TaskInput): StageObject => ({
  name: CHAT,
  contentType: "application/json",
  body: (async function* () {
    yield* chatDocument(chat.messages, aboutChat(plan, input));
  })(),
});

const subtitleObjects = ({ words, language }: Transcript): StageObject[] => {
  const cues = wordsToCues(words, language);
  return [
    { name: "transcript.vtt", contentType: "text/vtt", body: toVtt(cues) },
    { name: "transcript.srt", contentType: "application/x-subrip", body: toSrt(cues) },
  ];
};

/** @throws {StageError} where neither sound nor chat came through */
const requireSomething = (plan: Plan, input: TaskInput, chat: MergedChat | null): void => {
  const ranges = rangesOf(input);
  const silent = ranges.every(({ decodedSec }) => decodedSec === 0);
  if (!silent || (chat && chat.inside.length > 0)) return;
  throw new StageError(plan.source.audio ? "invalid_media" : "nothing_to_analyze");
};

export const analyzeStage = ({ store }: { store: ObjectStore }): StageDefinition => ({
  stage: "analyze",
  version: STAGE_VERSIONS.analyze,
  inputs: async (input) => {
    const plan = await readPlan(store, input);
    const { bits, chat_offset_sec: chatOffsetSec, language } = input.options;
    return {
      media: keysOf(input, "media"),
      transcribe: keysOf(input, "transcribe"),
      chat: keysOf(input, "chat"),
      captions: plan.captionsSha256,
      ranges: plan.ranges,
      stretch: [plan.startSec, plan.endSec],
      about: aboutChat(plan, input),
      options: { bits, chatOffsetSec, language },
    };
  },
  run: async (input, { progress }) => {
    const plan = await readPlan(store, input);
    const ranges = rangesOf(input);
    const [transcript, chat, loudness] = await Promise.all([
      readTranscript(store, plan, input),
      readChatWindows(store, plan, input),
      loudnessOf(store, ranges),
    ]);
    requireSomething(plan, input, chat);
    progress(0.4);
    const analysis = buildSeries({
      durationSec: plan.source.durationSec,
      messages: chat?.inside ?? [],
      segments: transcript?.segments ?? [],
      loudnessDb100ms: loudness,
      chatStretch: plan,
    });
    progress(0.6);
    return {
      objects: [
        ...(transcript ? [...transcriptObjects(transcript), ...subtitleObjects(transcript)] : []),
        ...(chat ? [chatObject(chat, plan, input)] : []),
        ...waveformObjects(store, plan, ranges, input.options.bits),
        analysisObject(analysis),
      ],
      summary: {
        words: transcript?.words.length ?? 0,
        messages: chat?.messages.length ?? 0,
      },
      warnings: chatWarnings(chat, input),
    };
  },
});
