// Reads one time window of the chat replay.
import { chatStage } from "#shared/pipeline/stages/chat.ts";
import { createTwitchApi } from "#shared/source/twitchApi.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => {
  const { store, fetch, config } = runtime;
  const { twitchClientId: clientId } = config;
  const twitch = createTwitchApi({ fetch, ...(clientId === undefined ? {} : { clientId }) });
  return taskHandler(runtime, chatStage({ store, twitch, parallel: config.chat.parallel }));
};
