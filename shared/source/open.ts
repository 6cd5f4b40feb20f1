// A range of a described source as pieces that ffmpeg can read, one after another.
import type { MediaPiece } from "../media/input.ts";
import type { SourceDescription } from "./description.ts";
import { openHls } from "./openHls.ts";
import { openFile, type OpenDeps } from "./openFile.ts";

export interface RangeRequest {
  /** Seconds after time zero. */
  startSec: number;
  endSec: number;
  /** `audio` reads the rendition that is cheapest to get sound from, `video` the one for clips. */
  track: "audio" | "video";
}

/**
 * The pieces of a range, in order. A piece is opened when it is asked for, and belongs to whoever
 * asked: close it before asking for the next.
 */
export async function* openRange(
  description: SourceDescription,
  range: RangeRequest,
  deps: OpenDeps,
): AsyncIterable<MediaPiece> {
  const { playable, durationSec } = description;
  const startSec = Math.max(0, range.startSec);
  const endSec = Math.min(durationSec, range.endSec);
  if (endSec <= startSec) return;
  switch (playable.kind) {
    case "file":
      yield await openFile(description, playable, { startSec, endSec, track: range.track }, deps);
      return;
    case "hls": {
      const rendition = range.track === "audio" ? playable.audio : playable.video;
      if (rendition === null) return;
      const mayBeMuted = description.provider === "twitch";
      const onlySound = range.track === "audio";
      yield* openHls(rendition, { startSec, endSec }, deps, { mayBeMuted, onlySound });
    }
  }
}
