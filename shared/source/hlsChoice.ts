// Which renditions of a master playlist are read: for sound the cheapest that has it, for clips a
// picture that is good enough and no larger.
import type { MasterPlaylist, Variant } from "./m3u8.ts";

/** Height of a clip's picture, at most. */
const CLIP_HEIGHT = 720;

const AUDIO_CODEC = /mp4a|ac-3|ec-3|opus|flac|mp3/i;
const VIDEO_CODEC = /avc|hvc|hev|av01|vp0?[89]|dvh|mp4v/i;

const hasSound = (variant: Variant): boolean =>
  variant.codecs === undefined || AUDIO_CODEC.test(variant.codecs);

const hasPicture = (variant: Variant): boolean =>
  variant.height !== undefined || variant.codecs === undefined || VIDEO_CODEC.test(variant.codecs);

const least = <T>(list: T[], cost: (item: T) => number): T | undefined =>
  list.reduce<T | undefined>(
    (best, item) => (best === undefined || cost(item) < cost(best) ? item : best),
    undefined,
  );

/** The largest picture within `CLIP_HEIGHT`, else the smallest above it; of equals the cheapest. */
const pictureCost = (variant: Variant): number => {
  const height = variant.height ?? 0;
  const misfit = height <= CLIP_HEIGHT ? CLIP_HEIGHT - height : 10_000 + height;
  // Newer codecs are slower to decode for the same clip.
  const slow = /hvc|hev|av01/i.test(variant.codecs ?? "") ? 0.5 : 0;
  return misfit + slow + variant.bandwidth / 1e12;
};

/** Addresses of the playlists to read; null where there is nothing of the kind. */
export interface Choice {
  audioUrl: string | null;
  video: Variant | null;
}

export const chooseRenditions = ({ variants, audio }: MasterPlaylist): Choice => {
  const video = least(variants.filter(hasPicture), pictureCost) ?? null;
  const soundOnly = least(
    variants.filter((variant) => hasSound(variant) && !hasPicture(variant)),
    (variant) => variant.bandwidth,
  );
  // Of renditions that are only sound, those that belong to the chosen picture come first.
  const apart = least(
    audio.filter((rendition) => rendition.url !== undefined),
    (rendition) => (rendition.group === video?.audioGroup ? 0 : 2) + (rendition.isDefault ? 0 : 1),
  );
  const smallest = least(variants.filter(hasSound), (variant) => variant.bandwidth);
  return { audioUrl: apart?.url ?? soundOnly?.url ?? smallest?.url ?? null, video };
};
