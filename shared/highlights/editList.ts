// What both forms for editing programs need of a highlight: whole frames of the source, in the order
// of the video.
import type { Highlight } from "../contract/analysis.ts";

export interface EditListInfo {
  title: string;
  durationSec: number;
  /** Frames a second of the source, such as 29.97. */
  fps: number;
  /** What the clips are cut from. */
  mediaUrl: string;
}

export interface Cut {
  highlight: Highlight;
  /** First frame, counted from the beginning of the source. */
  startFrame: number;
  frames: number;
}

/** Highlights by time, at least a frame each, none beyond the end. */
export const cutsOf = (
  highlights: readonly Highlight[],
  { fps, durationSec }: EditListInfo,
): Cut[] => {
  const total = Math.max(1, Math.floor(durationSec * fps));
  return highlights
    .toSorted((a, b) => a.startSec - b.startSec)
    .map((highlight) => {
      const startFrame = Math.min(total - 1, Math.round(highlight.startSec * fps));
      const endFrame = Math.min(total, Math.round(highlight.endSec * fps));
      return { highlight, startFrame, frames: Math.max(1, endFrame - startFrame) };
    });
};

/** The file's name in an address, else the address. */
export const mediaName = (mediaUrl: string): string => {
  const path = mediaUrl.replace(/[?#].*$/su, "").replace(/\/+$/u, "");
  const last = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(last) || mediaUrl;
  } catch (error) {
    if (error instanceof URIError) return last;
    throw error;
  }
};
