// Recognises the speech of one range.
import { createAccessToken } from "#shared/cloud/metadata.ts";
import { transcribeStage } from "#shared/pipeline/stages/transcribe.ts";
import { createSpeechProvider } from "#shared/speech/createProvider.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => {
  const { store, config, ffmpeg, room } = runtime;
  const accessToken = createAccessToken(config.metadataHost);
  const whisper = {
    ...config.speech.whisper,
    ...(room.child ? { timeoutMs: room.child.timeoutMs } : {}),
  };
  const speech = {
    ...config.speech,
    whisper,
    google: { projectId: config.projectId, accessToken, ffmpeg },
  };
  const provider = async (name: Parameters<typeof createSpeechProvider>[0]) =>
    createSpeechProvider(name, speech);
  return transcribeStage({ store, provider });
};
