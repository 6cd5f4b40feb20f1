// Joins the reel, copies what a person gets to the job's folder, writes the manifest.
import { finishStage } from "#shared/pipeline/stages/finish.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const define = (runtime: Runtime): StageDefinition => finishStage(runtime);
