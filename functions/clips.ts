// Renders one highlight.
import { clipsStage } from "#shared/pipeline/stages/clips.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => clipsStage(runtime);
