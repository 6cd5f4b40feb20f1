// Any server of OpenAI's transcription protocol (`POST {base}/audio/transcriptions`, multipart,
// `verbose_json`): OpenAI's own, faster-whisper servers, whisper.cpp's, vLLM, and the test engine.
import { openAsBlob } from "node:fs";
import { z } from "zod";
import { StageError } from "../contract/errors.ts";
import type { Segment, Word } from "../contract/transcript.ts";
import { baseLanguage, languageTag } from "./language.ts";
import { type SpeechAudio, type SpeechProvider, tidyWords } from "./provider.ts";
import { askSpeechService } from "./request.ts";
import { normalizeWord, splitWords, spreadWords } from "./text.ts";

export interface OpenAiSpeechConfig {
  /** Up to and with `/v1`. */
  baseUrl: string;
  /** Absent for servers that ask for none. */
  apiKey: string | undefined;
  model: string;
  /** Default 25 MB, which is OpenAI's own limit. */
  maxUploadBytes?: number;
  retryDelaysMs?: readonly number[];
}

const MAX_ITEMS = 200_000;

const Answer = z.object({
  text: z.string().nullish(),
  language: z.string().nullish(),
  words: z
    .array(
      z.object({
        word: z.string(),
        start: z.number(),
        end: z.number(),
        probability: z.number().min(0).max(1).nullish().catch(null),
      }),
    )
    .max(MAX_ITEMS)
    .nullish(),
  segments: z
    .array(z.object({ text: z.string(), start: z.number(), end: z.number() }))
    .max(MAX_ITEMS)
    .nullish(),
});
type Answer = z.infer<typeof Answer>;

/** How far a word and its like in the text may be apart where the two differ. */
const LOOK_AHEAD = 4;

/**
 * Gives words the punctuation and case of the text they were taken from: OpenAI's words come bare.
 */
export const punctuate = (words: Word[], texts: readonly string[]): Word[] => {
  const tokens = texts.flatMap(splitWords);
  const keys = tokens.map(normalizeWord);
  let next = 0;
  return words.map((word) => {
    const key = normalizeWord(word.text);
    const found = key === "" ? -1 : keys.slice(next, next + LOOK_AHEAD).indexOf(key);
    if (found === -1) return word;
    next += found + 1;
    return { ...word, text: tokens[next - 1] as string };
  });
};

const wordsOf = (answer: Answer, segments: Segment[], durationSec: number): Word[] => {
  if (answer.words && answer.words.length > 0) {
    const words = answer.words.map(({ word, start, end, probability }) => ({
      text: word,
      startSec: start,
      endSec: end,
      ...(typeof probability === "number" ? { confidence: probability } : {}),
    }));
    const texts = segments.length > 0 ? segments.map(({ text }) => text) : [answer.text ?? ""];
    return punctuate(words, texts);
  }
  if (segments.length > 0)
    return segments.flatMap(({ text, startSec, endSec }) =>
      spreadWords(splitWords(text), startSec, endSec),
    );
  return spreadWords(splitWords(answer.text ?? ""), 0, durationSec);
};

export const openAiSpeech = (config: OpenAiSpeechConfig): SpeechProvider => {
  const { baseUrl, apiKey, model, maxUploadBytes = 25_000_000 } = config;
  const url = `${baseUrl.replace(/\/+$/, "")}/audio/transcriptions`;

  const form = async (audio: SpeechAudio, language: string | undefined): Promise<FormData> => {
    const file = await openAsBlob(audio.path, { type: "audio/flac" });
    if (file.size > maxUploadBytes)
      throw new StageError(
        "speech_rejected",
        `A range's sound has ${file.size} bytes; the transcription service takes ${maxUploadBytes}. Shorter ranges (RANGE_SEC) help.`,
      );
    const data = new FormData();
    data.set("file", file, "audio.flac");
    data.set("model", model);
    data.set("response_format", "verbose_json");
    data.append("timestamp_granularities[]", "word");
    data.append("timestamp_granularities[]", "segment");
    if (language !== undefined) data.set("language", baseLanguage(language));
    return data;
  };

  return {
    name: "openai",
    version: `1:${new URL(url).host}:${model}`,
    transcribe: async (audio, { language, signal, onProgress }) => {
      const answer = await askSpeechService(Answer, {
        url,
        body: () => form(audio, language),
        headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
        secret: apiKey,
        signal,
        ...(config.retryDelaysMs ? { retryDelaysMs: config.retryDelaysMs } : {}),
      });
      const segments = (answer.segments ?? []).map(({ text, start, end }) => ({
        text: text.trim(),
        startSec: start,
        endSec: end,
      }));
      onProgress?.(1);
      const spoken = languageTag(answer.language) ?? language;
      return {
        ...(spoken === undefined ? {} : { language: spoken }),
        words: tidyWords(wordsOf(answer, segments, audio.durationSec), audio.durationSec),
        segments,
      };
    },
  };
};
