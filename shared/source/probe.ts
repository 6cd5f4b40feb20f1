// What is inside a file: length, tracks and first presentation time, read from its index by
// mediabunny inside this process; FFmpeg is asked where that cannot read it.
import type { Input, InputAudioTrack, InputTrack, InputVideoTrack } from "mediabunny";
import type { z } from "zod";
import { StageError } from "../contract/errors.ts";
import { type ByteSource, readBytes } from "./byteSource.ts";
import type { AudioTrack, VideoTrack } from "./description.ts";

/** What the beginning of a file tells. */
export interface OpeningFacts {
  /** In the clock that FFmpeg shows, seconds. */
  startPtsSec: number;
  audio: z.infer<typeof AudioTrack> | null;
  video: z.infer<typeof VideoTrack> | null;
}

export interface MediaFacts extends OpeningFacts {
  durationSec: number;
  /** The file ends before its own index says. */
  truncated: boolean;
}

/** A file as the library opened it. */
interface Opened {
  input: Input;
  tracks: InputTrack[];
  audio: InputAudioTrack | null;
  video: InputVideoTrack | null;
  /** First presentation time of any track. */
  first: number;
  startPtsSec: number;
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
 * What the library wants at once is a box whole, and how large it is anyone may have written. The
 * index of twelve hours with six tracks has less.
 */
const MAX_READ_BYTES = 128 * 2 ** 20;

/** @returns null where the library cannot read the file, or `measure` cannot with it */
const probe = async <T>(
  source: ByteSource,
  signal: AbortSignal | undefined,
  measure: (opened: Opened) => Promise<T>,
): Promise<T | null> => {
  const { ALL_FORMATS, CustomSource, Input, MPEG_TS } = await import("mediabunny");
  let failure: unknown;
  const input = new Input({
    // An HLS playlist would make the library fetch on its own.
    formats: ALL_FORMATS.filter((format) => !/hls/i.test(format.constructor.name)),
    source: new CustomSource({
      getSize: () => source.sizeBytes,
      read: async (start, end) => {
        try {
          if (end - start > MAX_READ_BYTES)
            throw new StageError("invalid_media", "The file's index is too large to be read.");
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
    // What lies before zero is an encoder's run-up, which is not presented; but a transport stream
    // near the wrap of its clock begins below zero, here as with FFmpeg.
    const wraps = (await input.getFormat()) === MPEG_TS;
    const startPtsSec = wraps ? first : Math.max(0, first);
    return await measure({ input, tracks, audio, video, first, startPtsSec });
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

const openingFacts = async ({ startPtsSec, audio, video }: Opened): Promise<OpeningFacts> => ({
  startPtsSec,
  audio: audio && (await audioFacts(audio)),
  video: video && (await videoFacts(video)),
});

/**
 * First presentation time, in the clock that FFmpeg shows, seconds.
 * @returns null where the container is not one that is read here
 * @throws what reading the bytes failed with
 */
export const probeStart = (source: ByteSource, signal?: AbortSignal): Promise<number | null> =>
  probe(source, signal, ({ startPtsSec }) => Promise.resolve(startPtsSec));

/** The same with the tracks, without looking for the end: for a file of which only a part is here. */
export const probeOpening = (
  source: ByteSource,
  signal?: AbortSignal,
): Promise<OpeningFacts | null> => probe(source, signal, openingFacts);

/**
 * @returns null where the container is not one that is read here, or holds neither sound nor picture
 * @throws {StageError} `invalid_media` where its index is larger than 128 MiB; what reading the
 *   bytes failed with
 */
export const probeBytes = (source: ByteSource, signal?: AbortSignal): Promise<MediaFacts | null> =>
  probe(source, signal, async (opened) => {
    const { EncodedPacketSink } = await import("mediabunny");
    const { input, tracks, audio, video, first, startPtsSec } = opened;
    const nominalEnd = await input.computeDuration(tracks);
    let end = startPtsSec;
    for (const track of [audio, video]) {
      if (track === null) continue;
      const trackEnd = await track.computeDuration();
      end = Math.max(end, await lastReadableSec(new EncodedPacketSink(track), first, trackEnd));
    }
    const declared = (await input.getDurationFromMetadata(tracks)) ?? nominalEnd;
    const cut = nominalEnd - end > 0.1;
    return {
      ...(await openingFacts(opened)),
      durationSec: (cut ? end : nominalEnd) - startPtsSec,
      truncated: cut || declared - nominalEnd > Math.max(1, declared * 0.01),
    };
  });
