// What a transcription service is to the pipeline: sound in, words with their times out. Which one
// a job uses is a name; nothing else of it is known outside this folder.
import { StageError } from "../contract/errors.ts";
import type { SpeechProviderName } from "../contract/options.ts";
import type { Segment, Word } from "../contract/transcript.ts";

/** A range's sound: FLAC, 16 kHz, mono. */
export interface SpeechAudio {
  path: string;
  durationSec: number;
}

export interface TranscribeOptions {
  /** BCP 47; recognised when absent, where the provider can. */
  language?: string;
  signal: AbortSignal;
  /** 0 to 1. */
  onProgress?: (fraction: number) => void;
}

export interface Transcription {
  /** BCP 47, where the provider says. */
  language?: string;
  /** In order; times from the start of the sound, inside it. */
  words: Word[];
  segments?: Segment[];
}

export interface SpeechProvider {
  name: SpeechProviderName;
  /** Changes when the same sound would give other words; part of a result's key. */
  version: string;
  /**
   * @throws {StageError} `speech_unavailable` (worth trying again) or `speech_rejected`; the job
   *   goes on without a transcript
   */
  transcribe(audio: SpeechAudio, options: TranscribeOptions): Promise<Transcription>;
}

/**
 * `none`, and `captions`, whose words were read from a subtitle file before: neither listens.
 */
export const silentProvider = (name: "none" | "captions"): SpeechProvider => ({
  name,
  version: "1",
  transcribe: async () => ({ words: [] }),
});

/** A provider that was asked for and is not set up. */
export const missing = (what: string): StageError =>
  new StageError("speech_unavailable", `Speech cannot be transcribed: ${what}.`);

/** Words in order with times inside the sound; what has no text or no sensible time is left out. */
export const tidyWords = (words: Word[], durationSec: number): Word[] =>
  words
    .map((word) => ({ ...word, text: word.text.trim() }))
    .filter(
      ({ text, startSec, endSec }) =>
        text !== "" &&
        Number.isFinite(startSec) &&
        Number.isFinite(endSec) &&
        startSec < durationSec,
    )
    .map((word) => {
      const startSec = Math.max(0, word.startSec);
      return { ...word, startSec, endSec: Math.min(durationSec, Math.max(startSec, word.endSec)) };
    })
    .sort((a, b) => a.startSec - b.startSec);
