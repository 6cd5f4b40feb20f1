// What is inside a file: length, tracks and first presentation time, read from its index by
// mediabunny inside this process; FFmpeg is asked where that cannot read it.
import type { InputAudioTrack, InputTrack, InputVideoTrack } from "mediabunny";
import type { z } from "zod";
import { StageError } from "../contract/errors.ts";
import { type ByteSource, readBytes } from "./byteSource.ts";
import type { AudioTrack, VideoTrack } from "./description.ts";

export interface MediaFacts {
  /** In the clock that FFmpeg shows, seconds. */
  startPtsSec: number;
  durationSec: number;
  audio: z.infer<typeof AudioTrack> | null;
  video: z.infer<typeof VideoTrack> | null;
  /** The file ends before its own index says. */
  truncated: boolean;
}

const audioFacts = async (track: InputAudioTrack) => ({
  codec: (await track.getCodec()) ?? "unknown",
  sampleRateHz: Math.round(await track.getSampleRate()),
  channels: await track.getNumberOfChannels(),
});

const videoFacts = async (track: InputVideoTrack) => {
  const { averagePacketRate } = await track.computePacketStats(100);
  return {
    codec: (await track.getCodec()) ?? "unknown",
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
    ...(Number.isFinite(averagePacketRate) && averagePacketRate > 0
      ? { fps: Math.round(averagePacketRate * 1000) / 1000 }
      : {}),
  };
};

type Sink = { getPacket(sec: number): Promise<{ timestamp: number; duration: number } | null> };

/** End of the last packet whose bytes are there, by bisection; packets lie in order of time. */
const lastReadableSec = async (sink: Sink, fromSec: number, toSec: number): Promise<number> => {
  const last = await sink.getPacket(toSec);
  if (last !== null) return last.timestamp + last.duration;
  let low = fromSec;
  let high = toSec;
  let end = fromSec;
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    const packet = await sink.getPacket(middle);
    if (packet === null) high = middle;
    else {
      low = middle;
      end = packet.timestamp + packet.duration;
    }
  }
  return end;
};

/**
 * @returns null where the container is not one that is read here
 * @throws {StageError} `invalid_media` where it is, and holds neither sound nor picture; what
 *   reading the bytes failed with
 */
export const probeBytes = async (
  source: ByteSource,
  signal?: AbortSignal,
): Promise<MediaFacts | null> => {
  const { ALL_FORMATS, CustomSource, EncodedPacketSink, Input, MPEG_TS } =
    await import("mediabunny");
  let failure: unknown;
  const input = new Input({
    // An HLS playlist would make the library fetch on its own.
    formats: ALL_FORMATS.filter((format) => !/hls/i.test(format.constructor.name)),
    source: new CustomSource({
      getSize: () => source.sizeBytes,
      read: async (start, end) => {
        try {
          return await readBytes(source, start, end, signal);
        } catch (error) {
          failure = error;
          throw error;
        }
      },
      prefetchProfile: "network",
      handleUnhandledError: (error) => {
        failure ??= error;
      },
    }),
  });
  try {
    if (!(await input.canRead())) return null;
    const all: InputTrack[] = await input.getTracks();
    const tracks = all.filter((track) => track.isAudioTrack() || track.isVideoTrack());
    const audio = (await input.getPrimaryAudioTrack()) ?? null;
    const video = (await input.getPrimaryVideoTrack()) ?? null;
    if (tracks.length === 0) return null;
    const first = await input.getFirstTimestamp(tracks);
    const nominalEnd = await input.computeDuration(tracks);
    // What lies before zero is an encoder's run-up, which is not presented; but a transport stream
    // near the wrap of its clock begins below zero, here as with FFmpeg.
    const wraps = (await input.getFormat()) === MPEG_TS;
    const startPtsSec = wraps ? first : Math.max(0, first);
    let end = startPtsSec;
    for (const track of [audio, video]) {
      if (track === null) continue;
      const trackEnd = await track.computeDuration();
      end = Math.max(end, await lastReadableSec(new EncodedPacketSink(track), first, trackEnd));
    }
    const declared = (await input.getDurationFromMetadata(tracks)) ?? nominalEnd;
    const cut = nominalEnd - end > 0.1;
    return {
      startPtsSec,
      durationSec: (cut ? end : nominalEnd) - startPtsSec,
      audio: audio && (await audioFacts(audio)),
      video: video && (await videoFacts(video)),
      truncated: cut || declared - nominalEnd > Math.max(1, declared * 0.01),
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (failure !== undefined) throw failure;
    // The library refuses what it does not understand with plain errors; FFmpeg has the last word.
    if (error instanceof StageError) throw error;
    return null;
  } finally {
    input.dispose();
  }
};
