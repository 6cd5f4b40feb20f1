// What `ingest` found out about a source: enough for any later stage to read a range of it
// without asking again. Stored in `plan.json` of the ingest stage; holds no token that we were given,
// but the address of a file as the person gave it, with its query.
import { z } from "zod";
import { Warning } from "../contract/warnings.ts";

/** One media segment of an HLS rendition. */
export const HlsSegment = z.object({
  uri: z.string(),
  /** Start on the playlist's own timeline, seconds. */
  startSec: z.number(),
  durationSec: z.number(),
  byteRange: z.object({ offset: z.int(), length: z.int() }).optional(),
  /** Index into `maps` (fMP4 initialisation sections). */
  map: z.int().optional(),
  /** Index into `keys`; absent where the segment is clear. */
  key: z.int().optional(),
  /** Initialisation vector, 32 hex digits; with `key`. */
  iv: z.string().optional(),
  /** Counts the discontinuities before it; timestamps are continuous within one number. */
  discontinuity: z.int(),
  /** Sound removed by the site. */
  muted: z.boolean(),
});
export type HlsSegment = z.infer<typeof HlsSegment>;

export const HlsRendition = z.object({
  segments: z.array(HlsSegment),
  maps: z.array(
    z.object({
      uri: z.string(),
      byteRange: z.object({ offset: z.int(), length: z.int() }).optional(),
      /** As with a segment, where the section is encrypted. */
      key: z.int().optional(),
      iv: z.string().optional(),
    }),
  ),
  keys: z.array(z.object({ uri: z.string() })),
  /** Container of the segments, after sniffing the first. */
  container: z.enum(["mpegts", "mp4", "aac", "mp3"]),
  /**
   * Presentation time of the first sample of each discontinuity run, seconds, by the run's number.
   * Where it is missing the run's own times are of no use, and the playlist's count instead.
   */
  basePtsSec: z.record(z.string(), z.number()),
  height: z.int().optional(),
  bandwidth: z.int().optional(),
});
export type HlsRendition = z.infer<typeof HlsRendition>;

export const AudioTrack = z.object({
  codec: z.string(),
  sampleRateHz: z.int(),
  channels: z.int(),
});
export const VideoTrack = z.object({
  codec: z.string(),
  width: z.int(),
  height: z.int(),
  fps: z.number().optional(),
});

/** Where the frames of a file lie that has no index of its own (MP3, ADTS). */
export const FrameIndex = z.object({
  sampleRateHz: z.int(),
  /** Samples before time zero: what encoder and decoder put in front. */
  skipSamples: z.int(),
  /** Every 20 s: a frame's first byte, and the samples before it. */
  points: z.array(z.object({ byte: z.int(), sample: z.int() })),
});

/** Where the bytes are. A `file` is read out of order, an `hls` source segment by segment. */
export const Playable = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("file"),
    location: z.discriminatedUnion("in", [
      z.object({ in: z.literal("http"), url: z.string(), etag: z.string().optional() }),
      z.object({ in: z.literal("bucket"), object: z.string() }),
    ]),
    sizeBytes: z.int(),
    /** FFmpeg demuxer, named after the sniffed type. */
    demuxer: z.string(),
    frames: FrameIndex.optional(),
  }),
  z.object({
    kind: z.literal("hls"),
    /** The rendition that sound is read from: audio only where there is one. */
    audio: HlsRendition.nullable(),
    /** The rendition that clips are cut from; null where there is no picture. */
    video: HlsRendition.nullable(),
    /** The video rendition has no sound of its own; it is read from `audio` beside it. */
    soundApart: z.boolean(),
  }),
]);
export type Playable = z.infer<typeof Playable>;

export const SourceDescription = z.object({
  provider: z.enum(["twitch", "url", "upload"]),
  /**
   * What the source *is*: the provider's id with its segment names, or a strong ETag with the
   * length. Null where nothing says so; then results are kept for this job alone.
   */
  identity: z.string().nullable(),
  twitchId: z.string().optional(),
  title: z.string().optional(),
  channelId: z.string().optional(),
  channelTitle: z.string().optional(),
  thumbnailUrl: z.string().optional(),
  /** Milliseconds since 1970. */
  publishedAt: z.number().optional(),
  durationSec: z.number(),
  /** Presentation time that counts as zero, seconds, in the file's own clock. */
  startPtsSec: z.number(),
  audio: AudioTrack.nullable(),
  video: VideoTrack.nullable(),
  /** Text subtitle track inside a file, as FFmpeg counts subtitle streams (`0:s:N`). */
  subtitleTrack: z.int().optional(),
  playable: Playable,
  warnings: z.array(Warning),
});
export type SourceDescription = z.infer<typeof SourceDescription>;
