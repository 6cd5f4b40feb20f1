// Deepgram's pre-recorded transcription: `POST /v1/listen` with the sound as the body.
import { openAsBlob } from "node:fs";
import { z } from "zod";
import { languageTag } from "./language.ts";
import { type SpeechProvider, tidyWords } from "./provider.ts";
import { askSpeechService } from "./request.ts";

export interface DeepgramConfig {
  apiKey: string;
  /** Default `https://api.deepgram.com`. */
  origin?: string;
  /** Default `nova-3`. */
  model?: string;
  retryDelaysMs?: readonly number[];
}

const Answer = z.object({
  results: z.object({
    channels: z
      .array(
        z.object({
          detected_language: z.string().nullish(),
          alternatives: z.array(
            z.object({
              words: z
                .array(
                  z.object({
                    word: z.string(),
                    punctuated_word: z.string().nullish(),
                    start: z.number(),
                    end: z.number(),
                    confidence: z.number().min(0).max(1).nullish().catch(null),
                  }),
                )
                .max(200_000)
                .nullish(),
            }),
          ),
        }),
      )
      .min(1),
  }),
});

export const deepgramSpeech = ({
  apiKey,
  origin = "https://api.deepgram.com",
  model = "nova-3",
  retryDelaysMs,
}: DeepgramConfig): SpeechProvider => ({
  name: "deepgram",
  version: `1:${model}`,
  transcribe: async (audio, { language, signal, onProgress }) => {
    const query = new URLSearchParams({
      model,
      smart_format: "true",
      ...(language === undefined ? { detect_language: "true" } : { language }),
    });
    const answer = await askSpeechService(Answer, {
      url: `${origin}/v1/listen?${query.toString()}`,
      body: () => openAsBlob(audio.path, { type: "audio/flac" }),
      headers: { authorization: `Token ${apiKey}`, "content-type": "audio/flac" },
      secret: apiKey,
      signal,
      ...(retryDelaysMs ? { retryDelaysMs } : {}),
    });
    const channel = answer.results.channels[0];
    const words = (channel?.alternatives[0]?.words ?? []).map((word) => ({
      text: word.punctuated_word ?? word.word,
      startSec: word.start,
      endSec: word.end,
      ...(typeof word.confidence === "number" ? { confidence: word.confidence } : {}),
    }));
    onProgress?.(1);
    const spoken = languageTag(channel?.detected_language) ?? language;
    return {
      ...(spoken === undefined ? {} : { language: spoken }),
      words: tidyWords(words, audio.durationSec),
    };
  },
});
