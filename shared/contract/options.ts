// What a person may ask of a job. Every field has a default, so that `{}` is a good request.
import { z } from "zod";

export const SPEECH_PROVIDERS = [
  "captions",
  "whisper",
  "deepgram",
  "google",
  "openai",
  "none",
] as const;
export type SpeechProviderName = (typeof SPEECH_PROVIDERS)[number];

/** The signals that moments are ranked by. */
export const SIGNALS = [
  "chat_rate",
  "unique_chatters",
  "chat_sentiment",
  "emotes",
  "loudness",
  "speech",
] as const;
export type Signal = (typeof SIGNALS)[number];

const weights = z.partialRecord(z.enum(SIGNALS), z.number().min(0).max(10));

/** A handle that `POST /v1/uploads` gave. */
const uploadHandle = z
  .string()
  .max(1024)
  .regex(/^gs:\/\/[^/]+\/uploads\/.+$/, "must be a handle that an upload gave");

export const HighlightOptions = z
  .strictObject({
    count: z.int().min(0).max(50).default(5).describe("How many highlights at the most."),
    min_sec: z.number().min(2).max(300).default(10).describe("Shortest highlight, in seconds."),
    max_sec: z.number().min(2).max(600).default(45).describe("Longest highlight, in seconds."),
    weights: weights.default({}).describe("Weight of a signal over its default of 1."),
  })
  .refine((o) => o.min_sec <= o.max_sec, { path: ["min_sec"], message: "must not exceed max_sec" });
export type HighlightOptions = z.infer<typeof HighlightOptions>;

export const AnalysisOptions = z
  .strictObject({
    language: z
      .string()
      .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, "must be a language tag such as `en` or `pt-BR`")
      .optional()
      .describe("Language spoken, BCP 47; recognised when absent, where the provider can."),
    start_sec: z.number().min(0).optional().describe("Analyse from here, in seconds."),
    end_sec: z.number().positive().optional().describe("Analyse up to here, in seconds."),
    chat: z
      .union([z.boolean(), uploadHandle])
      .default(true)
      .describe("Whether to fetch the chat replay, or the handle of an uploaded chat file."),
    captions: uploadHandle.optional().describe("Handle of an uploaded subtitle file."),
    speech: z
      .enum(SPEECH_PROVIDERS)
      .optional()
      .describe("Transcription provider; the service's own when absent."),
    samples_per_pixel: z.int().min(32).max(65_536).default(1024),
    bits: z.union([z.literal(8), z.literal(16)]).default(8),
    highlights: HighlightOptions.prefault({}),
    clips: z.boolean().default(true).describe("Whether to render a clip for each highlight."),
    study: z
      .boolean()
      .default(true)
      .describe("Whether to have notes and a quiz made, where that is set up."),
    chat_offset_sec: z
      .number()
      .min(-86_400)
      .max(86_400)
      .default(0)
      .describe("Added to every chat time."),
  })
  .refine((o) => o.start_sec === undefined || o.end_sec === undefined || o.start_sec < o.end_sec, {
    path: ["end_sec"],
    message: "must be after start_sec",
  });
export type AnalysisOptions = z.infer<typeof AnalysisOptions>;
