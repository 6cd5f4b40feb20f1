// How a clip was rendered, exactly: kept beside it, and enough to render it again. A clip is a
// scene, and this is the scene's source code.
import { z } from "zod";

/** Raised whenever the same recipe would give another clip. */
const RENDERER_VERSION = 1;

export const ClipRecipe = z.strictObject({
  version: z.literal(1),
  renderer: z.strictObject({
    version: z.int(),
    /** Of the ffmpeg that rendered it; another one may encode differently. */
    ffmpeg: z.string(),
  }),
  source: z.strictObject({
    /** What the source is, as `SourceDescription.identity` has it. */
    identity: z.string(),
    provider: z.string().optional(),
    title: z.string().optional(),
  }),
  /** Seconds after time zero of the source. */
  startSec: z.number().min(0),
  endSec: z.number().positive(),
  /** Null where the source has no picture: its sound is drawn instead. */
  video: z.strictObject({
    from: z.enum(["picture", "sound"]),
    codec: z.literal("libx264"),
    preset: z.enum(["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"]),
    crf: z.int().min(0).max(51),
    /** Longest shorter side, in pixels; larger pictures are scaled down to it. */
    maxHeight: z.int().min(2).max(2160),
    /** Frame rates above this are lowered to it. */
    maxFps: z.number().positive().max(120),
    /** The encoder's output depends on it. */
    threads: z.int().min(1).max(16),
  }),
  /** Null where the source has no sound. */
  audio: z
    .strictObject({
      codec: z.literal("aac"),
      bitsPerSec: z.int().min(32_000).max(512_000),
      sampleRateHz: z.literal(48_000),
      channels: z.literal(2),
    })
    .nullable(),
  /** SHA-256 of the subtitles put into the clip; null without. */
  captionsSha256: z.string().nullable(),
});
export type ClipRecipe = z.infer<typeof ClipRecipe>;

/**
 * The recipe that clips are rendered by unless someone asks for another: H.264 up to 720p, AAC.
 * @throws {RangeError} where there is neither picture nor sound, or no time between start and end
 */
export const clipRecipe = (clip: {
  source: ClipRecipe["source"];
  startSec: number;
  endSec: number;
  hasVideo: boolean;
  hasAudio: boolean;
  ffmpegVersion: string;
  captionsSha256?: string | null;
}): ClipRecipe => {
  if (!clip.hasVideo && !clip.hasAudio)
    throw new RangeError("A clip needs a picture or sound to be made of.");
  if (!(clip.endSec > clip.startSec)) throw new RangeError("A clip must end after it starts.");
  return {
    version: 1,
    renderer: { version: RENDERER_VERSION, ffmpeg: clip.ffmpegVersion },
    source: clip.source,
    startSec: clip.startSec,
    endSec: clip.endSec,
    video: {
      from: clip.hasVideo ? "picture" : "sound",
      codec: "libx264",
      preset: "veryfast",
      crf: 22,
      maxHeight: 720,
      maxFps: 60,
      threads: 2,
    },
    audio: clip.hasAudio
      ? { codec: "aac", bitsPerSec: 128_000, sampleRateHz: 48_000, channels: 2 }
      : null,
    captionsSha256: clip.captionsSha256 ?? null,
  };
};
