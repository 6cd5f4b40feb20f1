// Finds out what a source is, and cuts its time into tasks.
import { ffmpegProbe } from "#shared/source/ffmpegProbe.ts";
import { ingestStage } from "#shared/pipeline/stages/ingest.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => {
  const { config, store, fetch, ffmpeg, room } = runtime;
  return ingestStage({
    store,
    ffmpeg,
    source: {
      fetch,
      limits: config.limits,
      spoolMs: room.taskTimeoutMs,
      ...(config.twitchClientId === undefined
        ? {}
        : { twitch: { clientId: config.twitchClientId } }),
      probe: async (inputArgs, signal) => ffmpegProbe(await ffmpeg())(inputArgs, signal),
    },
    speechProvider: config.speech.provider,
    rangeSec: config.rangeSec,
    chatWindowSec: config.chat.windowSec,
  });
};
