// Recognises the speech of one range.
import { createAccessToken } from "#shared/cloud/metadata.ts";
import { transcribeStage } from "#shared/pipeline/stages/transcribe.ts";
import { createSpeechProvider } from "#shared/speech/createProvider.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => {
  const { store, config, ffmpeg } = runtime;
  const accessToken = createAccessToken(config.metadataHost);
  const speech = { ...config.speech, google: { projectId: config.projectId, accessToken, ffmpeg } };
  const provider = async (name: Parameters<typeof createSpeechProvider>[0]) =>
    createSpeechProvider(name, speech);
  return taskHandler(runtime, transcribeStage({ store, provider }));
};
