// Renders one highlight: video, thumbnail, subtitles, and the recipe it was rendered from.
import { join } from "node:path";
import type { AssetRecorder } from "../../assets/recorder.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { StageError } from "../../contract/errors.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import { captionsSha256, renderClip } from "../../media/clip.ts";
import type { Ffmpeg } from "../../media/ffmpeg.ts";
import { clipRecipe } from "../../media/recipe.ts";
import { makeThumbnail } from "../../media/thumbnail.ts";
import type { SourceDescription } from "../../source/description.ts";
import type { GuardedFetch } from "../../source/fetch.ts";
import { openRange } from "../../source/open.ts";
import { sliceVtt } from "../../speech/subtitles.ts";
import { stagePrefix } from "../key.ts";
import type { StageDefinition, StageObject } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { readHighlights } from "./documents.ts";
import { readPlan, upstreamKey } from "./plan.ts";

export const CLIP_VIDEO = "clip.mp4";
export const CLIP_SUBTITLES = "clip.vtt";
const CLIP_THUMBNAIL = "clip.jpg";
export const CLIP_RECIPE = "clip.recipe.json";

/** `clip.mp4` of the third clip is `clips/03.mp4`: its name in the job's folder. */
export const clipName = (index: number, name: string): string =>
  `clips/${String(index + 1).padStart(2, "0")}${name.slice("clip".length)}`;

export interface ClipsDeps {
  store: ObjectStore;
  assets: AssetRecorder;
  fetch: GuardedFetch;
  ffmpeg: () => Promise<Ffmpeg>;
}

/** Whether the rendition with the picture has no sound of its own. */
const hasSoundApart = ({ playable }: SourceDescription): boolean =>
  playable.kind === "hls" && playable.soundApart;

export const clipsStage = (deps: ClipsDeps): StageDefinition => {
  const { store } = deps;

  /** What is to be rendered, and nothing else of the analysis, so that only that counts. */
  const orderOf = async (input: TaskInput) => {
    const plan = await readPlan(store, input);
    const prefix = stagePrefix("highlights", upstreamKey(input, "highlights"));
    const highlight = (await readHighlights(store, prefix)).highlights[input.index];
    if (!highlight) throw new StageError("internal", `There is no highlight ${input.index}.`);
    const { startSec, endSec, peakSec, words } = highlight;
    const vtt = words.length > 0 ? sliceVtt(words, startSec, endSec) : undefined;
    return { plan, startSec, endSec, peakSec, vtt };
  };

  return {
    stage: "clips",
    version: STAGE_VERSIONS.clips,
    begin: ({ jobId, index }) => deps.assets.beginUpload(jobId, index),
    inputs: async (input) => {
      const { plan, startSec, endSec, peakSec, vtt } = await orderOf(input);
      return { identity: plan.identity, startSec, endSec, peakSec, vtt };
    },
    run: async (input, { signal, scratchDir, progress }) => {
      const { plan, startSec, endSec, peakSec, vtt } = await orderOf(input);
      const { source, identity } = plan;
      const ffmpeg = await deps.ffmpeg();
      const recipe = clipRecipe({
        source: {
          identity,
          provider: source.provider,
          ...(source.title === undefined ? {} : { title: source.title }),
        },
        startSec,
        endSec,
        hasVideo: source.video !== null,
        hasAudio: source.audio !== null,
        ffmpegVersion: ffmpeg.version,
        captionsSha256: vtt === undefined ? null : captionsSha256(vtt),
      });
      const pieces = (track: "audio" | "video") =>
        openRange(source, { startSec, endSec, track }, { fetch: deps.fetch, store, signal });
      const videoPath = join(scratchDir, CLIP_VIDEO);
      const rendered = await renderClip({
        recipe,
        pieces: pieces(source.video ? "video" : "audio"),
        ...(hasSoundApart(source) ? { soundPieces: pieces("audio") } : {}),
        ...(vtt === undefined ? {} : { captionsVtt: vtt }),
        outPath: videoPath,
        scratchDir,
        ffmpeg,
        signal,
        onProgress: (fraction) => progress(fraction * 0.9),
      });
      const thumbnailPath = join(scratchDir, CLIP_THUMBNAIL);
      await makeThumbnail({
        clipPath: videoPath,
        clipDurationSec: rendered.durationSec,
        atSec: peakSec - startSec,
        outPath: thumbnailPath,
        ffmpeg,
        signal,
      });
      const objects: StageObject[] = [
        { name: CLIP_VIDEO, contentType: "video/mp4", body: { path: videoPath } },
        { name: CLIP_THUMBNAIL, contentType: "image/jpeg", body: { path: thumbnailPath } },
        {
          name: CLIP_RECIPE,
          contentType: "application/json",
          body: `${JSON.stringify(recipe, null, 2)}\n`,
        },
      ];
      if (vtt !== undefined)
        objects.push({ name: CLIP_SUBTITLES, contentType: "text/vtt", body: vtt });
      return { objects, summary: { durationSec: rendered.durationSec } };
    },
  };
};
