// Ranks the moments that stand out.
import { highlightsStage } from "#shared/pipeline/stages/highlights.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => taskHandler(runtime, highlightsStage(runtime));
