// Decodes one range of the source's sound.
import { mediaStage } from "#shared/pipeline/stages/media.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => mediaStage(runtime);
