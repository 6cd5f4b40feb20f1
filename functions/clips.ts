// Renders one highlight.
import { clipsStage } from "#shared/pipeline/stages/clips.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => taskHandler(runtime, clipsStage(runtime));
