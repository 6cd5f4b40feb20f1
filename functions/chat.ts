// Reads one time window of the chat replay.
import { chatStage } from "#shared/pipeline/stages/chat.ts";
import { createTwitchApi } from "#shared/source/twitchApi.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => {
  const { store, fetch, config } = runtime;
  const { twitchClientId: clientId } = config;
  const twitch = createTwitchApi({ fetch, ...(clientId === undefined ? {} : { clientId }) });
  return chatStage({ store, twitch, parallel: config.chat.parallel });
};
