// Sorts the objects of a job's folder by what keeps them: a clip's belong to its scene, the reel and
// the manifest to the job's session, all others to the video.
import type { SceneObjects, SessionObjects, StoredObject } from "../contract/assets.ts";
import { MANIFEST, type Manifest, type ManifestOutput, jobPrefix } from "../contract/manifest.ts";

export interface JobObjects {
  /** Of the clips that were rendered; `index` from 0. */
  scenes: { index: number; assets: SceneObjects }[];
  session: SessionObjects;
  /** By their names below the job's folder. */
  outputs: { name: string; object: StoredObject }[];
}

const SCENE_FIELDS: Record<string, keyof SceneObjects> = {
  ".mp4": "videoAsset",
  ".recipe.json": "sourceCodeAsset",
  ".jpg": "thumbnailAsset",
  ".vtt": "subtitleAsset",
};
const SESSION_FIELDS: Record<string, keyof SessionObjects> = {
  "reel.mp4": "combinedVideoAsset",
  "reel.vtt": "combinedSubtitleAsset",
  [MANIFEST]: "manifestAsset",
};

/** `clips/03.vtt` is the subtitles of clip 2. */
const clipPart = (name: string): { index: number; field: keyof SceneObjects } | null => {
  const [, number, ending] = /^clips\/(\d+)(\..+)$/.exec(name) ?? [];
  const field = SCENE_FIELDS[ending ?? ""];
  return field && number !== undefined ? { index: Number(number) - 1, field } : null;
};

/**
 * @param itself  the manifest, which does not list itself
 * @throws {Error} for a clip without one of the objects that every clip has
 */
export const sortObjects = (
  bucket: string,
  { job_id: jobId, outputs }: Pick<Manifest, "job_id" | "outputs">,
  itself: { sizeBytes: number; sha256: string },
): JobObjects => {
  const recorded = ({
    object,
    size_bytes,
    sha256,
    content_type,
  }: Omit<ManifestOutput, "name">) => ({
    bucket,
    key: object,
    sizeBytes: size_bytes,
    sha256,
    contentType: content_type,
  });
  const manifest: ManifestOutput = {
    name: MANIFEST,
    content_type: "application/json",
    size_bytes: itself.sizeBytes,
    sha256: itself.sha256,
    object: jobPrefix(jobId) + MANIFEST,
  };
  const scenes = new Map<number, Partial<SceneObjects>>();
  const session: Partial<SessionObjects> = {};
  const others: JobObjects["outputs"] = [];
  for (const { name, ...about } of [...outputs, manifest]) {
    const part = clipPart(name);
    const sessionField = SESSION_FIELDS[name];
    if (part) {
      scenes.set(part.index, { ...scenes.get(part.index), [part.field]: recorded(about) });
    } else if (sessionField) {
      session[sessionField] = recorded(about);
    } else {
      others.push({ name, object: recorded(about) });
    }
  }
  return {
    scenes: [...scenes]
      .map(([index, assets]) => ({ index, assets: whole(index, assets) }))
      .toSorted((a, b) => a.index - b.index),
    session: { ...session, manifestAsset: recorded(manifest) },
    outputs: others,
  };
};

const whole = (index: number, assets: Partial<SceneObjects>): SceneObjects => {
  const { videoAsset, sourceCodeAsset, thumbnailAsset } = assets;
  if (!videoAsset || !sourceCodeAsset || !thumbnailAsset)
    throw new Error(`Clip ${index} lacks its video, its thumbnail or its recipe.`);
  return { ...assets, videoAsset, sourceCodeAsset, thumbnailAsset };
};
