// Decodes one range of the source's sound.
import { mediaStage } from "#shared/pipeline/stages/media.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => taskHandler(runtime, mediaStage(runtime));
