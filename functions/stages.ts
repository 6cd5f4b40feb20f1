// The code of each stage, loaded only where that stage runs.
import type { Stage } from "#shared/contract/stages.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import type { Runtime } from "./runtime.ts";

export const STAGE_LOADERS: Record<
  Stage,
  () => Promise<{ define(runtime: Runtime): StageDefinition }>
> = {
  ingest: () => import("./ingest.ts"),
  media: () => import("./media.ts"),
  chat: () => import("./chat.ts"),
  transcribe: () => import("./transcribe.ts"),
  analyze: () => import("./analyze.ts"),
  highlights: () => import("./highlights.ts"),
  clips: () => import("./clips.ts"),
  finish: () => import("./finish.ts"),
};
