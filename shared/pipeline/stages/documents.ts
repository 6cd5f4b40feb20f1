// The files people get, between our own types and JSON. Written here and read back here, so that
// both sides of each file stand next to each other.
import type { z } from "zod";
import { parseChatFile } from "../../chat/chatFile.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { Analysis, HighlightsResult } from "../../contract/analysis.ts";
import { toCamelCase, toSnakeCase } from "../../contract/case.ts";
import type { ChatMessage } from "../../contract/chat.ts";
import { type Segment, Transcript, type Word } from "../../contract/transcript.ts";
import { StageError } from "../../contract/errors.ts";
import type { StageObject } from "../stage.ts";

export const TRANSCRIPT = "transcript.json";
export const TRANSCRIPT_WORDS = "words.json";
export const CHAT = "chat.json";
export const ANALYSIS = "analysis.json";
const HIGHLIGHTS = "highlights.json";

const TranscriptFile = Transcript.omit({ words: true });
const WordsFile = Transcript.omit({ segments: true });

const document = (name: string, value: unknown): StageObject => ({
  name,
  contentType: "application/json",
  body: `${JSON.stringify(toSnakeCase(value))}\n`,
});

export const transcriptObjects = ({ words, segments, ...about }: Transcript): StageObject[] => [
  document(TRANSCRIPT, { ...about, segments }),
  document(TRANSCRIPT_WORDS, { ...about, words }),
];

export const analysisObject = (analysis: Analysis): StageObject => document(ANALYSIS, analysis);

export const highlightsObject = (result: HighlightsResult): StageObject =>
  document(HIGHLIGHTS, result);

const isMissing = (error: unknown): boolean =>
  error instanceof StageError && error.code === "not_found";

/** A document of `prefix`; null where the job has none of this name. */
const readDocument = async <T extends z.ZodType>(
  store: ObjectStore,
  name: string,
  schema: T,
): Promise<z.output<T> | null> => {
  try {
    const text = Buffer.from(await store.read(name)).toString("utf8");
    return schema.parse(toCamelCase(JSON.parse(text)));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

const required = <T>(value: T | null, name: string): T => {
  if (value === null) throw new StageError("internal", `${name} is missing.`);
  return value;
};

/**
 * What was said, without the single words; null for a job without speech.
 * @param prefix folder of the analyze stage's result
 */
export const readTranscript = (
  store: ObjectStore,
  prefix: string,
): Promise<z.infer<typeof TranscriptFile> | null> =>
  readDocument(store, prefix + TRANSCRIPT, TranscriptFile);

export const readSegments = async (store: ObjectStore, prefix: string): Promise<Segment[]> =>
  (await readTranscript(store, prefix))?.segments ?? [];

export const readWords = async (store: ObjectStore, prefix: string): Promise<Word[]> =>
  (await readDocument(store, prefix + TRANSCRIPT_WORDS, WordsFile))?.words ?? [];

export const readAnalysis = async (store: ObjectStore, prefix: string): Promise<Analysis> =>
  required(await readDocument(store, prefix + ANALYSIS, Analysis), ANALYSIS);

/** As large as may be: what strangers' files are limited to is not for one of ours. */
const NO_LIMIT = { maxBytes: Number.POSITIVE_INFINITY, maxMessages: Number.POSITIVE_INFINITY };

export const readChat = async (store: ObjectStore, prefix: string): Promise<ChatMessage[]> => {
  if (!(await store.stat(prefix + CHAT))) return [];
  return (await parseChatFile(store.stream(prefix + CHAT), NO_LIMIT)).messages;
};

/** @param prefix folder of the highlights stage's result */
export const readHighlights = async (
  store: ObjectStore,
  prefix: string,
): Promise<HighlightsResult> =>
  required(await readDocument(store, prefix + HIGHLIGHTS, HighlightsResult), HIGHLIGHTS);
