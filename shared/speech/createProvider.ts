// From a provider's name and the service's settings to the provider.
import type { SpeechProviderName } from "../contract/options.ts";
import { deepgramSpeech } from "./deepgram.ts";
import { type GoogleSpeechConfig, googleSpeech } from "./google.ts";
import { type OpenAiSpeechConfig, openAiSpeech } from "./openai.ts";
import { type SpeechProvider, missing, silentProvider } from "./provider.ts";
import { type WhisperConfig, whisperSpeech } from "./whisper.ts";

export interface SpeechConfig {
  openai: OpenAiSpeechConfig;
  deepgramApiKey: string | undefined;
  whisper: WhisperConfig;
  /** Absent where the service has no Google identity. */
  google?: GoogleSpeechConfig;
}

/** @throws {StageError} `speech_unavailable` where the provider is not set up */
export const createSpeechProvider = (
  name: SpeechProviderName,
  config: SpeechConfig,
): SpeechProvider => {
  switch (name) {
    case "none":
    case "captions":
      return silentProvider(name);
    case "whisper":
      return whisperSpeech(config.whisper);
    case "deepgram":
      if (!config.deepgramApiKey) throw missing("Deepgram's key is not set (DEEPGRAM_API_KEY)");
      return deepgramSpeech({ apiKey: config.deepgramApiKey });
    case "google":
      if (config.google === undefined) throw missing("Google Speech-to-Text is not set up");
      return googleSpeech(config.google);
    case "openai":
      return openAiSpeech(config.openai);
    default:
      throw missing(`there is no provider ${String(name satisfies never)}`);
  }
};
