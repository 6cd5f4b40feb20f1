// Finds the moments worth a clip, and writes them down for people and for editing programs.
import type { AssetRecorder } from "../../assets/recorder.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import type { SceneFacts } from "../../contract/assets.ts";
import type { HighlightsResult } from "../../contract/analysis.ts";
import { toChapters } from "../../highlights/chapters.ts";
import { toEdl } from "../../highlights/edl.ts";
import { findHighlights } from "../../highlights/findHighlights.ts";
import { toOtio } from "../../highlights/otio.ts";
import { stagePrefix } from "../key.ts";
import type { StageDefinition } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import {
  highlightsObject,
  readAnalysis,
  readChat,
  readHighlights,
  readSegments,
  readWords,
} from "./documents.ts";
import { readPlan, upstreamKey } from "./plan.ts";

const DEFAULT_FPS = 30;

/** What is said of each highlight's clip. */
const sceneFacts = ({ highlights }: HighlightsResult): SceneFacts[] =>
  highlights.map(({ startSec, endSec, title, rank, score }) => ({
    startSec,
    endSec,
    title,
    rank,
    score,
  }));

export const highlightsStage = ({
  store,
  assets,
}: {
  store: ObjectStore;
  assets: AssetRecorder;
}): StageDefinition => ({
  stage: "highlights",
  version: STAGE_VERSIONS.highlights,
  inputs: async (input) => {
    const { source } = await readPlan(store, input);
    return {
      analyze: upstreamKey(input, "analyze"),
      options: input.options.highlights,
      clips: input.options.clips,
      fps: source.video?.fps,
      title: source.title,
    };
  },
  run: async (input, { progress }) => {
    const prefix = stagePrefix("analyze", upstreamKey(input, "analyze"));
    const { source, startSec, endSec } = await readPlan(store, input);
    const stretch = { startSec, endSec };
    const [analysis, messages, words, segments] = await Promise.all([
      readAnalysis(store, prefix),
      readChat(store, prefix),
      readWords(store, prefix),
      readSegments(store, prefix),
    ]);
    progress(0.3);
    const options = input.options.highlights;
    const result = findHighlights({ analysis, messages, words, segments, options, stretch });
    const { highlights } = result;
    const about = {
      title: source.title ?? "KlipStream",
      durationSec: source.durationSec,
      fps: source.video?.fps ?? DEFAULT_FPS,
      mediaUrl: input.url,
    };
    return {
      objects: [
        highlightsObject(result),
        {
          name: "chapters.txt",
          contentType: "text/plain; charset=utf-8",
          body: toChapters({ highlights, segments, durationSec: source.durationSec }),
        },
        { name: "highlights.edl", contentType: "text/plain", body: toEdl(highlights, about) },
        {
          name: "highlights.otio",
          contentType: "application/json",
          body: toOtio(highlights, about),
        },
      ],
      summary: { highlights: highlights.length },
      fanOut: { clips: input.options.clips ? highlights.length : 0 },
    };
  },
  record: async ({ jobId, options }, { key }) => {
    if (!options.clips) return;
    const result = await readHighlights(store, stagePrefix("highlights", key));
    await assets.openScenes(jobId, sceneFacts(result));
  },
});
