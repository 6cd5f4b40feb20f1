// A range of an HLS recording as pieces, one for each run between discontinuities: the segments are
// downloaded many at a time, decrypted, and piped to ffmpeg in order.
import { Readable } from "node:stream";
import { StageError } from "../contract/errors.ts";
import type { MediaPiece } from "../media/input.ts";
import { memoryBytes } from "./byteSource.ts";
import type { HlsRendition, HlsSegment } from "./description.ts";
import { type AheadLimits, downloadAhead } from "./downloadAhead.ts";
import { type Run, runsOf, unwrapPts } from "./hlsTiming.ts";
import { probeStart } from "./probe.ts";
import {
  fetchSegment,
  MAX_SEGMENT_BYTES,
  RenditionParts,
  type SegmentBytes,
  type SegmentDeps,
} from "./segment.ts";

const AHEAD: AheadLimits = { parallel: 32, bytes: 32 * 2 ** 20 };
/** Bytes of a segment before any was seen. */
const FIRST_ESTIMATE_BYTES = 2 ** 20;
/** A segment of ten seconds of 720p has less. */
const USUAL_SEGMENT_BYTES = 8 * 2 ** 20;
/** Sound and picture of one moment may lie in neighbouring segments. */
const MARGIN_SEC = 1;
/** A piece's own times may differ from the run's by this before the playlist is believed instead. */
const MAX_DISAGREEMENT_SEC = 10;

interface Stretch {
  startSec: number;
  endSec: number;
}

interface HlsReading {
  /** The site renames segments whose sound it removes. */
  mayBeMuted: boolean;
  /** Pictures may be left out. */
  onlySound: boolean;
}

interface Loaded extends SegmentBytes {
  segment: HlsSegment;
  missing: boolean;
  size: number;
}

const isMissing = (error: unknown): boolean =>
  error instanceof StageError &&
  (error.code === "video_not_found" || error.code === "video_restricted");

/** More missing than this, and the recording is gone rather than damaged. */
const tooManyMissing = (missing: number, all: number): boolean => missing > Math.max(2, all * 0.1);

/** How times in the piece become times in the video, judged by its first segment. */
const offsetOf = async (
  rendition: HlsRendition,
  run: Run,
  first: Loaded,
  map: Buffer,
  signal?: AbortSignal,
): Promise<number> => {
  const { segment } = first;
  const shown =
    rendition.container === "mpegts" || rendition.container === "mp4"
      ? await probeStart(memoryBytes(Buffer.concat([map, first.bytes])), signal)
      : null;
  // Plain AAC and MP3 count from zero.
  if (shown === null) return segment.startSec;
  const base = rendition.basePtsSec[run.discontinuity];
  const runStart = run.segments[0]?.startSec ?? 0;
  if (base !== undefined) {
    const expected = base + segment.startSec - runStart;
    const actual = rendition.container === "mpegts" ? unwrapPts(shown, expected) : shown;
    if (Math.abs(actual - expected) <= MAX_DISAGREEMENT_SEC)
      return runStart + actual - base - shown;
  }
  return segment.startSec - shown;
};

/** A run's segments around a stretch. */
const segmentsAround = (run: Run, { startSec, endSec }: Stretch): HlsSegment[] =>
  run.segments.filter(
    (segment) =>
      segment.startSec + segment.durationSec > startSec - MARGIN_SEC &&
      segment.startSec < endSec + MARGIN_SEC,
  );

const openRun = async (
  rendition: HlsRendition,
  run: Run,
  stretch: Stretch,
  deps: SegmentDeps,
  { mayBeMuted, onlySound }: HlsReading,
): Promise<MediaPiece | null> => {
  /** Of all but the first segment, whose picture's times count too where the piece begins. */
  const soundIsEnough = onlySound && rendition.container === "mpegts";
  const stop = new AbortController();
  const signal = deps.signal ? AbortSignal.any([deps.signal, stop.signal]) : stop.signal;
  const own = { fetch: deps.fetch, signal };
  const parts = new RenditionParts(rendition, own);
  const segments = segmentsAround(run, stretch);
  const muted: Stretch[] = [];
  const missing: Stretch[] = [];
  let bytesRead = 0;
  let failure: Error | undefined;
  let seenBytes = 0;
  let heldBytes = 0;
  let seenSec = 0;

  /** The cap is near what is expected; what is over it comes alone, so that memory stays bounded. */
  let last: Promise<unknown> = Promise.resolve();
  const fetchBounded = async (segment: HlsSegment, onlySound: boolean): Promise<SegmentBytes> => {
    const maxBytes = Math.max(USUAL_SEGMENT_BYTES, 4 * estimate(segment, seenBytes));
    const options = { mayBeMuted, onlySound };
    try {
      return await fetchSegment(segment, parts, own, { ...options, maxBytes });
    } catch (error) {
      const tooLarge = error instanceof StageError && error.code === "video_too_large";
      if (!tooLarge || maxBytes >= MAX_SEGMENT_BYTES) throw error;
      const alone = last.then(() => fetchSegment(segment, parts, own, options));
      last = alone.catch(() => undefined); // whoever waits for it sees the error
      return await alone;
    }
  };
  const load = async (segment: HlsSegment, whole = segment === segments[0]): Promise<Loaded> => {
    try {
      const found = await fetchBounded(segment, soundIsEnough && !whole);
      const size = found.bytes.buffer.byteLength;
      bytesRead += found.received;
      seenBytes += found.received;
      heldBytes += size;
      seenSec += segment.durationSec;
      return { ...found, segment, missing: false, size };
    } catch (error) {
      if (!isMissing(error)) throw error;
      const none = { bytes: Buffer.alloc(0), muted: false, etag: undefined, received: 0, size: 0 };
      return { ...none, segment, missing: true };
    }
  };
  /** @param bytes that all segments so far had */
  const estimate = (segment: HlsSegment, bytes: number): number =>
    segment.byteRange?.length ??
    (seenSec > 0 ? (bytes / seenSec) * segment.durationSec : FIRST_ESTIMATE_BYTES);
  const take = (loaded: Loaded): void => {
    const { startSec, durationSec } = loaded.segment;
    const part = {
      startSec: Math.max(startSec, stretch.startSec),
      endSec: Math.min(startSec + durationSec, stretch.endSec),
    };
    if (loaded.missing) missing.push(part);
    else if (loaded.muted && part.endSec > part.startSec) muted.push(part);
    // Without times of its own a stream closes up over a gap, and all after it would be early.
    const shifts = rendition.container === "aac" || rendition.container === "mp3";
    if (tooManyMissing(missing.length, segments.length) || (loaded.missing && shifts)) {
      throw new StageError("source_failed", "Parts of the recording are missing.");
    }
  };

  const cost = (segment: HlsSegment): number => estimate(segment, heldBytes);
  const downloads = downloadAhead(segments, AHEAD, cost, (segment) => load(segment));
  const close = (): Promise<void> => {
    stop.abort(new Error("The piece was closed."));
    stdin?.destroy();
    return Promise.resolve();
  };
  let stdin: Readable | undefined;
  try {
    let first: Loaded | undefined;
    for (;;) {
      const next = await downloads.next();
      if (next.done) break;
      take(next.value);
      if (next.value.missing) continue;
      first =
        next.value.segment === segments[0] ? next.value : await load(next.value.segment, true);
      break;
    }
    if (first === undefined) {
      await close();
      return null;
    }
    const opening = first;
    const map = await parts.map(opening.segment.map);
    const ptsOffsetSec = await offsetOf(rendition, run, opening, map, signal);
    const feed = async function* (): AsyncGenerator<Buffer> {
      try {
        if (map.length > 0) yield map;
        yield opening.bytes;
        for await (const loaded of downloads) {
          take(loaded);
          if (!loaded.missing) yield loaded.bytes;
        }
      } catch (error) {
        if (!signal.aborted) failure ??= error as Error;
        throw error;
      }
    };
    stdin = Readable.from(feed(), { objectMode: false, highWaterMark: 256 * 1024 });
    // Whoever pipes it sees the error; `failure` keeps it for whoever does not.
    stdin.on("error", () => undefined);
    const demuxer = rendition.container === "mp4" ? "mov" : rendition.container;
    return {
      ...stretch,
      ptsOffsetSec,
      inputArgs: ["-protocol_whitelist", "pipe", "-f", demuxer, "-i", "pipe:0"],
      stdin,
      muted,
      missing,
      bytesRead: () => bytesRead,
      failure: () => failure,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** The pieces of a range of one rendition, each opened when it is asked for. */
export async function* openHls(
  rendition: HlsRendition,
  range: Stretch,
  deps: SegmentDeps,
  reading: HlsReading,
): AsyncGenerator<MediaPiece> {
  for (const run of runsOf(rendition.segments)) {
    const last = run.segments.at(-1) as HlsSegment;
    const startSec = Math.max(range.startSec, run.segments[0]?.startSec ?? 0);
    const endSec = Math.min(range.endSec, last.startSec + last.durationSec);
    if (endSec <= startSec) continue;
    const piece = await openRun(rendition, run, { startSec, endSec }, deps, reading);
    if (piece) yield piece;
  }
}
