// Stitches the ranges and windows together, and makes series of them.
import { analyzeStage } from "#shared/pipeline/stages/analyze.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => analyzeStage(runtime);
