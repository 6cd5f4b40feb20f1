// Ranks the moments that stand out.
import { highlightsStage } from "#shared/pipeline/stages/highlights.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => highlightsStage(runtime);
