// A source that is one file: behind an address, or uploaded to the bucket. What it is (identity),
// what is in it, and how it will be read.
import type { ObjectStore } from "../cloud/objectStore.ts";
import { StageError } from "../contract/errors.ts";
import type { Warning } from "../contract/warnings.ts";
import { dropBody, expectOk, withRetry } from "./answers.ts";
import {
  bucketBytes,
  type ByteSource,
  httpBytes,
  parseContentRange,
  readBytes,
} from "./byteSource.ts";
import type { Playable, SourceDescription } from "./description.ts";
import type { GuardedFetch } from "./fetch.ts";
import type { InputProbe } from "./ffmpegProbe.ts";
import { flacLength, type FlacLength } from "./flac.ts";
import { scanFrames } from "./frames.ts";
import { checkDuration, checkSize, type SourceLimits } from "./limits.ts";
import { fileInputArgs } from "./openFile.ts";
import { type MediaFacts, probeBytes } from "./probe.ts";
import { startRangeServer } from "./rangeServer.ts";
import { type Demuxer, id3Bytes, riffBytes, sniff, SNIFF_BYTES } from "./sniff.ts";

export interface FileDeps {
  fetch: GuardedFetch;
  store: ObjectStore;
  limits: SourceLimits;
  signal?: AbortSignal;
  probe?: InputProbe;
}

type FilePlayable = Extract<Playable, { kind: "file" }>;

/** What a first look at an address found. */
export type Inspected =
  | { kind: "playlist"; url: string }
  | { kind: "file"; bytes: ByteSource; location: FilePlayable["location"]; identity: string | null }
  /** The server answers no ranges, or does not say how long the file is. */
  | { kind: "whole_only" };

const signalOf = (deps: { signal?: AbortSignal }) => (deps.signal ? { signal: deps.signal } : {});

/** Looks at the first bytes behind an address and at what the server says of the file. */
export const inspectAddress = (url: string, deps: FileDeps): Promise<Inspected> =>
  withRetry(async () => {
    const response = await deps.fetch(url, {
      headers: { range: `bytes=0-${SNIFF_BYTES - 1}` },
      maxBytes: deps.limits.maxBytes,
      ...signalOf(deps),
    });
    if (response.status === 416) {
      dropBody(response);
      throw new StageError("empty_file");
    }
    expectOk(response);
    const head: Buffer[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      head.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= SNIFF_BYTES) break; // leaving the loop ends the download
    }
    if (length === 0) throw new StageError("empty_file");
    if (sniff(Buffer.concat(head)).kind === "playlist") {
      return { kind: "playlist", url: response.url };
    }
    const range = parseContentRange(response.headers["content-range"]);
    const total = response.status === 206 ? range?.total : null;
    if (total === null || total === undefined || range?.start !== 0) return { kind: "whole_only" };
    checkSize(total, deps.limits);
    const etag = response.headers["etag"];
    const strong = etag !== undefined && /^"[^"]+"$/.test(etag) ? etag : undefined;
    const { origin, pathname } = new URL(url);
    return {
      kind: "file",
      bytes: httpBytes(deps.fetch, { url, etag: strong, sizeBytes: total }),
      location: { in: "http", url, ...(strong ? { etag: strong } : {}) },
      // Without its query, which may carry a signature.
      identity: strong ? `http ${origin}${pathname} ${strong} ${total}` : null,
    };
  }, signalOf(deps));

/** An object of the bucket as a file. @throws {StageError} `video_not_found`, `empty_file` */
export const inspectObject = async (
  object: string,
  deps: FileDeps,
): Promise<Extract<Inspected, { kind: "file" }>> => {
  const info = await deps.store.stat(object);
  if (info === null) throw new StageError("video_not_found", "There is no such upload.");
  if (info.sizeBytes === 0) throw new StageError("empty_file");
  checkSize(info.sizeBytes, deps.limits);
  return {
    kind: "file",
    bytes: bucketBytes(deps.store, object, info.sizeBytes),
    location: { in: "bucket", object },
    identity: info.sha256
      ? `sha256 ${info.sha256} ${info.sizeBytes}`
      : `crc32c ${info.crc32c} ${info.sizeBytes}`,
  };
};

const sniffBytes = async (
  bytes: ByteSource,
  signal?: AbortSignal,
): Promise<{ demuxer: Demuxer; truncated: boolean }> => {
  const head = await readBytes(bytes, 0, SNIFF_BYTES, signal);
  const tag = id3Bytes(head);
  const afterTag =
    tag >= head.length && tag < bytes.sizeBytes
      ? await readBytes(bytes, tag, tag + 8192, signal)
      : undefined;
  const sniffed = sniff(head, afterTag);
  if (sniffed.kind !== "media") throw new StageError("not_media");
  // Any writer may leave out the padding byte at the end.
  const truncated = (riffBytes(head) ?? 0) > bytes.sizeBytes + 8;
  return { demuxer: sniffed.demuxer, truncated };
};

/** Facts of a file that is one track of sound from time zero. */
const soundFacts = (codec: string, found: FlacLength): MediaFacts => ({
  startPtsSec: 0,
  durationSec: found.durationSec,
  audio: { codec, sampleRateHz: found.sampleRateHz, channels: found.channels },
  video: null,
  truncated: found.truncated,
});

/** Containers in which FFmpeg finds text subtitles. */
const MAY_HAVE_SUBTITLES: ReadonlySet<Demuxer> = new Set(["mov", "matroska"]);

const askFfmpeg = async (bytes: ByteSource, demuxer: Demuxer, deps: FileDeps) => {
  if (deps.probe === undefined) return null;
  const server = await startRangeServer(bytes, deps.signal);
  try {
    const facts = await deps.probe(fileInputArgs(demuxer, server.url), deps.signal);
    const failure = server.failure();
    if (facts === null && failure !== undefined) throw failure;
    return facts;
  } finally {
    await server.close();
  }
};

/**
 * Everything a later stage needs to know of a file.
 * @throws {StageError} `not_media`, `invalid_media`, `video_too_long`
 */
export const describeFile = async (
  file: Extract<Inspected, { kind: "file" }>,
  deps: FileDeps,
): Promise<Omit<SourceDescription, "provider">> => {
  const { demuxer, truncated } = await sniffBytes(file.bytes, deps.signal);
  const framed = demuxer === "mp3" || demuxer === "aac";
  const scan = framed ? await scanFrames(file.bytes, demuxer, deps.signal) : null;
  const flac = demuxer === "flac" ? await flacLength(file.bytes, deps.signal) : null;
  const own = scan
    ? soundFacts(demuxer, { ...scan, sampleRateHz: scan.index.sampleRateHz })
    : flac
      ? soundFacts(demuxer, flac)
      : await probeBytes(file.bytes, deps.signal);
  const asked =
    own === null || MAY_HAVE_SUBTITLES.has(demuxer)
      ? await askFfmpeg(file.bytes, demuxer, deps)
      : null;
  const facts: MediaFacts | null =
    own ?? (asked?.durationSec ? { ...asked, durationSec: asked.durationSec } : null);
  if (facts === null || (facts.audio === null && facts.video === null) || facts.durationSec <= 0) {
    throw new StageError("invalid_media");
  }
  checkDuration(facts.durationSec, deps.limits);
  const warnings: Warning[] = [];
  if (facts.truncated || truncated) {
    warnings.push({
      code: "media_truncated",
      message: "The file ends before its index says; what is there was read.",
    });
  }
  return {
    identity: file.identity,
    durationSec: facts.durationSec,
    startPtsSec: facts.startPtsSec,
    audio: facts.audio,
    video: facts.video,
    ...(asked?.subtitleTrack === undefined ? {} : { subtitleTrack: asked.subtitleTrack }),
    playable: {
      kind: "file",
      location: file.location,
      sizeBytes: file.bytes.sizeBytes,
      demuxer,
      ...(scan ? { frames: scan.index } : {}),
    },
    warnings,
  };
};
