// Recognises the speech of one range, with whichever provider the job asked for.
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { StageError } from "../../contract/errors.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import type { SpeechProviderName } from "../../contract/options.ts";
import { Word } from "../../contract/transcript.ts";
import type { SpeechProvider } from "../../speech/provider.ts";
import { stagePrefix } from "../key.ts";
import type { StageDefinition } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { AUDIO, MediaSummary } from "./media.ts";
import { readPlan } from "./plan.ts";

export const WORDS = "words.json";

/** Words of one range, in the video's time. */
export const RangeWords = z.object({ language: z.string().optional(), words: z.array(Word) });

export interface TranscribeDeps {
  store: ObjectStore;
  provider(name: SpeechProviderName): Promise<SpeechProvider>;
}

const mediaOf = (input: TaskInput) => {
  const media = input.upstream.media?.[input.index];
  if (!media) throw new StageError("internal", "The range's audio is missing.");
  return { key: media.key, summary: MediaSummary.parse(media.summary) };
};

export const transcribeStage = ({ store, provider }: TranscribeDeps): StageDefinition => {
  const providerOf = async (input: TaskInput) => provider((await readPlan(store, input)).speech);
  return {
    stage: "transcribe",
    version: STAGE_VERSIONS.transcribe,
    inputs: async (input) => {
      const { name, version } = await providerOf(input);
      const { language } = input.options;
      return { media: mediaOf(input).key, provider: name, version, language };
    },
    run: async (input, { signal, scratchDir, progress }) => {
      const speech = await providerOf(input);
      const { key, summary } = mediaOf(input);
      const { audioStartSec, audioEndSec, decodedSec } = summary;
      let found: z.infer<typeof RangeWords> = { words: [] };
      // A range whose sound is missing has nothing to recognise.
      if (decodedSec > 0) {
        const path = join(scratchDir, AUDIO);
        await pipeline(store.stream(stagePrefix("media", key) + AUDIO), createWriteStream(path), {
          signal,
        });
        const { language } = input.options;
        const result = await speech.transcribe(
          { path, durationSec: audioEndSec - audioStartSec },
          { ...(language === undefined ? {} : { language }), signal, onProgress: progress },
        );
        found = {
          language: result.language,
          words: result.words.map((word) => ({
            ...word,
            startSec: word.startSec + audioStartSec,
            endSec: word.endSec + audioStartSec,
          })),
        };
      }
      return {
        objects: [{ name: WORDS, contentType: "application/json", body: JSON.stringify(found) }],
        summary: { words: found.words.length },
      };
    },
  };
};
