// The version of each stage's code: a part of the key of its results. Raise it with every change
// that gives another result for the same inputs; results of the earlier version are then not reused.
import type { Stage } from "../contract/stages.ts";

export const STAGE_VERSIONS: Record<Stage, number> = {
  ingest: 1,
  media: 2,
  chat: 2,
  transcribe: 1,
  analyze: 3,
  highlights: 2,
  clips: 2,
  finish: 1,
};
