// Recognises the speech of one range.
import { transcribeStage } from "#shared/pipeline/stages/transcribe.ts";
import { createSpeechProvider } from "#shared/speech/createProvider.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => {
  const { store, config } = runtime;
  const provider = async (name: Parameters<typeof createSpeechProvider>[0]) =>
    createSpeechProvider(name, config.speech);
  return taskHandler(runtime, transcribeStage({ store, provider }));
};
