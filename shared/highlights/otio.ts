// The highlights as an OpenTimelineIO timeline (schemas of its version 0.15 and later), one after
// another on a video and an audio track, each a piece of the source.
import type { Highlight } from "../contract/analysis.ts";
import { type Cut, cutsOf, type EditListInfo, mediaName } from "./editList.ts";

const time = (value: number, rate: number): object => ({
  OTIO_SCHEMA: "RationalTime.1",
  rate,
  value,
});

const range = (start: number, duration: number, rate: number): object => ({
  OTIO_SCHEMA: "TimeRange.1",
  duration: time(duration, rate),
  start_time: time(start, rate),
});

const clip = ({ highlight, startFrame, frames }: Cut, info: EditListInfo): object => ({
  OTIO_SCHEMA: "Clip.2",
  metadata: {
    klipstream: { rank: highlight.rank, score: highlight.score, peak_sec: highlight.peakSec },
  },
  name: highlight.title,
  source_range: range(startFrame, frames, info.fps),
  effects: [],
  markers: [],
  enabled: true,
  media_references: {
    DEFAULT_MEDIA: {
      OTIO_SCHEMA: "ExternalReference.1",
      metadata: {},
      name: mediaName(info.mediaUrl),
      available_range: range(0, Math.floor(info.durationSec * info.fps), info.fps),
      available_image_bounds: null,
      target_url: info.mediaUrl,
    },
  },
  active_media_reference_key: "DEFAULT_MEDIA",
});

const track = (kind: "Video" | "Audio", cuts: readonly Cut[], info: EditListInfo): object => ({
  OTIO_SCHEMA: "Track.1",
  metadata: {},
  name: kind,
  source_range: null,
  effects: [],
  markers: [],
  enabled: true,
  children: cuts.map((cut) => clip(cut, info)),
  kind,
});

/** @returns the text of `highlights.otio`, in the order of the video */
export const toOtio = (highlights: readonly Highlight[], info: EditListInfo): string => {
  const cuts = cutsOf(highlights, info);
  const timeline = {
    OTIO_SCHEMA: "Timeline.1",
    metadata: {},
    name: info.title,
    global_start_time: null,
    tracks: {
      OTIO_SCHEMA: "Stack.1",
      metadata: {},
      name: "tracks",
      source_range: null,
      effects: [],
      markers: [],
      enabled: true,
      children: [track("Video", cuts, info), track("Audio", cuts, info)],
    },
  };
  return `${JSON.stringify(timeline, undefined, 2)}\n`;
};
