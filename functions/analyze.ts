// Stitches the ranges and windows together, and makes series of them.
import { analyzeStage } from "#shared/pipeline/stages/analyze.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => taskHandler(runtime, analyzeStage(runtime));
