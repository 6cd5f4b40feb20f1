// Finds out what a source is, and cuts its time into tasks.
import { ffmpegProbe } from "#shared/source/ffmpegProbe.ts";
import { ingestStage } from "#shared/pipeline/stages/ingest.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => {
  const { config, store, fetch, ffmpeg } = runtime;
  const definition = ingestStage({
    store,
    ffmpeg,
    source: {
      fetch,
      limits: config.limits,
      ...(config.twitchClientId === undefined
        ? {}
        : { twitch: { clientId: config.twitchClientId } }),
      probe: async (inputArgs, signal) => ffmpegProbe(await ffmpeg())(inputArgs, signal),
    },
    speechProvider: config.speech.provider,
    rangeSec: config.rangeSec,
    chatWindowSec: config.chat.windowSec,
  });
  return taskHandler(runtime, definition);
};
