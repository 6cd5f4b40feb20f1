// Finds the moments worth a clip, and writes them down for people and for editing programs.
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { toChapters } from "../../highlights/chapters.ts";
import { toEdl } from "../../highlights/edl.ts";
import { findHighlights } from "../../highlights/findHighlights.ts";
import { toOtio } from "../../highlights/otio.ts";
import { stagePrefix } from "../key.ts";
import type { StageDefinition } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { highlightsObject, readAnalysis, readChat, readSegments, readWords } from "./documents.ts";
import { readPlan, upstreamKey } from "./plan.ts";

const DEFAULT_FPS = 30;

export const highlightsStage = ({ store }: { store: ObjectStore }): StageDefinition => ({
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
});
