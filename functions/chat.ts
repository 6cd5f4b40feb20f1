// Reads one time window of the chat replay.
import { chatStage } from "#shared/pipeline/stages/chat.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => {
  const { store, twitch, config } = runtime;
  return taskHandler(runtime, chatStage({ store, twitch, parallel: config.chat.parallel }));
};
