// Google's Speech-to-Text v2. Its synchronous `recognize` takes one minute at the most, so a range
// is sent in shorter pieces that overlap, and joined as ranges are.
import { z } from "zod";
import type { Word } from "../contract/transcript.ts";
import { type Ffmpeg, checkExit, startFfmpeg } from "../media/ffmpeg.ts";
import { languageTag } from "./language.ts";
import { type SpeechAudio, type SpeechProvider, tidyWords } from "./provider.ts";
import { askSpeechService } from "./request.ts";
import { stitchWords } from "./stitch.ts";
import { BYTES_PER_SEC, RATE_HZ, wav } from "./wav.ts";

export interface GoogleSpeechConfig {
  projectId: string;
  /** An access token of the service's own identity. */
  accessToken: () => Promise<string>;
  ffmpeg: () => Promise<Ffmpeg>;
  /** Default `global`. */
  location?: string;
  /** Default `long`. */
  model?: string;
  /** Default: Google's, of that location. */
  origin?: string;
  /** Requests at a time, default 4. */
  parallel?: number;
  retryDelaysMs?: readonly number[];
}

const PIECE_SEC = 48;
const OVERLAP_SEC = 5;

const offset = z
  .string()
  .regex(/^\d+(\.\d+)?s$/)
  .transform((text) => Number(text.slice(0, -1)));

const Answer = z.object({
  results: z
    .array(
      z.object({
        languageCode: z.string().nullish(),
        alternatives: z
          .array(
            z.object({
              words: z
                .array(
                  z.object({
                    word: z.string(),
                    // Absent at the very beginning: zero is not written.
                    startOffset: offset.default(0),
                    endOffset: offset.default(0),
                    confidence: z.number().min(0).max(1).nullish().catch(null),
                  }),
                )
                .nullish(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});

const decode = async (audio: SpeechAudio, ffmpeg: Ffmpeg, signal: AbortSignal): Promise<Buffer> => {
  const args = ["-i", audio.path, "-ac", "1", "-ar", String(RATE_HZ), "-f", "s16le", "pipe:1"];
  const child = startFfmpeg(ffmpeg, args, { signal });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  checkExit(await child.exited);
  return Buffer.concat(chunks);
};

export const googleSpeech = (config: GoogleSpeechConfig): SpeechProvider => {
  const { projectId, location = "global", model = "long", parallel = 4 } = config;
  const host = location === "global" ? "speech" : `${location}-speech`;
  const { origin = `https://${host}.googleapis.com` } = config;
  const url = `${origin}/v2/projects/${projectId}/locations/${location}/recognizers/_:recognize`;

  const recognize = async (
    samples: Buffer,
    language: string | undefined,
    signal: AbortSignal,
  ): Promise<{ words: Word[]; language: string | undefined }> => {
    const token = await config.accessToken();
    const body = JSON.stringify({
      config: {
        autoDecodingConfig: {},
        model,
        languageCodes: [language ?? "auto"],
        features: {
          enableWordTimeOffsets: true,
          enableWordConfidence: true,
          enableAutomaticPunctuation: true,
        },
      },
      content: wav(samples).toString("base64"),
    });
    const answer = await askSpeechService(Answer, {
      url,
      body: async () => body,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      secret: token,
      signal,
      ...(config.retryDelaysMs ? { retryDelaysMs: config.retryDelaysMs } : {}),
    });
    const results = answer.results ?? [];
    const words = results.flatMap(({ alternatives }) =>
      (alternatives?.[0]?.words ?? []).map((word) => ({
        text: word.word,
        startSec: word.startOffset,
        endSec: word.endOffset,
        ...(typeof word.confidence === "number" ? { confidence: word.confidence } : {}),
      })),
    );
    return { words, language: languageTag(results[0]?.languageCode) };
  };

  return {
    name: "google",
    version: `1:${location}:${model}`,
    transcribe: async (audio, { language, signal, onProgress }) => {
      const samples = await decode(audio, await config.ffmpeg(), signal);
      const lengthSec = samples.length / BYTES_PER_SEC;
      const starts: number[] = [];
      for (let at = 0; at < lengthSec; at += PIECE_SEC) starts.push(at);
      const ranges = starts.map((startSec) => ({
        startSec,
        endSec: Math.min(startSec + PIECE_SEC, lengthSec),
        words: [] as Word[],
      }));
      let spoken = language;
      let done = 0;
      const waiting = [...ranges];
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      const worker = async (): Promise<void> => {
        for (let range = waiting.shift(); range !== undefined; range = waiting.shift()) {
          const fromSec = Math.max(0, range.startSec - OVERLAP_SEC);
          const toSec = range.endSec + OVERLAP_SEC;
          const piece = samples.subarray(fromSec * BYTES_PER_SEC, Math.ceil(toSec) * BYTES_PER_SEC);
          const heard = await recognize(piece, language, either);
          range.words = heard.words.map((word) => ({
            ...word,
            startSec: word.startSec + fromSec,
            endSec: word.endSec + fromSec,
          }));
          spoken ??= heard.language;
          done += 1;
          onProgress?.(done / ranges.length);
        }
      };
      try {
        await Promise.all(Array.from({ length: parallel }, worker));
      } finally {
        // Where one piece fails, the others are not asked for, nor paid.
        failed.abort();
      }
      return {
        ...(spoken === undefined ? {} : { language: spoken }),
        words: tidyWords(stitchWords(ranges, OVERLAP_SEC), audio.durationSec),
      };
    },
  };
};
