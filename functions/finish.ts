// Joins the reel, copies what a person gets to the job's folder, writes the manifest.
import { finishStage } from "#shared/pipeline/stages/finish.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";
import { taskHandler } from "./task.ts";

export const create = (runtime: Runtime): Handler => taskHandler(runtime, finishStage(runtime));
