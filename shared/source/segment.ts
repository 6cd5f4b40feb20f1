// One segment of an HLS rendition as clear bytes: fetched by its range, decrypted, and found under
// its other name where the site has removed its sound since the playlist was made.
import { createDecipheriv } from "node:crypto";
import { StageError } from "../contract/errors.ts";
import { fetchBytes, type FetchedBytes, withRetry } from "./answers.ts";
import { parseContentRange } from "./byteSource.ts";
import type { HlsRendition, HlsSegment } from "./description.ts";
import type { GuardedFetch } from "./fetch.ts";
import { id3Bytes } from "./sniff.ts";
import { SoundPackets, soundPacketsOf } from "./soundPackets.ts";

/** Largest segment that is read. */
export const MAX_SEGMENT_BYTES = 64 * 2 ** 20;
const MAX_MAP_BYTES = 2 ** 20;

export interface SegmentDeps {
  fetch: GuardedFetch;
  signal?: AbortSignal;
}

type Part = { uri: string; byteRange?: { offset: number; length: number } | undefined };

export interface SegmentBytes {
  bytes: Buffer;
  /** The name it was found under says that its sound was removed. */
  muted: boolean;
  etag: string | undefined;
  /** Bytes that came over the network. */
  received: number;
}

type FoundPart = Pick<FetchedBytes, "bytes" | "received"> & { etag: string | undefined };

/**
 * Bytes of an address or a part of it; at most `headBytes` of its beginning where that is given, or
 * of an address as a whole only the packets of its sound.
 */
const fetchPart = async (
  part: Part,
  deps: SegmentDeps,
  maxBytes: number,
  { headBytes, onlySound = false }: { headBytes?: number | undefined; onlySound?: boolean } = {},
): Promise<FoundPart> => {
  const { byteRange } = part;
  if (byteRange && byteRange.length > maxBytes) throw new StageError("video_too_large");
  const start = byteRange?.offset ?? 0;
  const length = Math.min(byteRange?.length ?? Infinity, headBytes ?? Infinity);
  const ranged = Number.isFinite(length);
  return withRetry(
    async () => {
      const request = {
        maxBytes,
        ...(ranged ? { headers: { range: `bytes=${start}-${start + length - 1}` } } : {}),
        ...(deps.signal ? { signal: deps.signal } : {}),
      };
      const collector = onlySound && !ranged ? new SoundPackets() : undefined;
      const answer = await fetchBytes(deps.fetch, part.uri, request, collector);
      const { received } = answer;
      const etag = answer.headers["etag"];
      if (answer.status !== 206) {
        // The server does not know ranges and sent everything.
        const bytes = ranged ? answer.bytes.subarray(start, start + length) : answer.bytes;
        return { bytes, received, etag };
      }
      if (parseContentRange(answer.headers["content-range"])?.start !== start) {
        throw new StageError("source_failed", "The server sends another part than was asked for.");
      }
      return { bytes: answer.bytes, received, etag };
    },
    deps.signal ? { signal: deps.signal } : {},
  );
};

/** Keys and maps of a rendition, each fetched once. */
export class RenditionParts {
  readonly #rendition: Pick<HlsRendition, "maps" | "keys">;
  readonly #deps: SegmentDeps;
  readonly #keys = new Map<number, Promise<Buffer>>();
  readonly #maps = new Map<number, Promise<Buffer>>();

  constructor(rendition: Pick<HlsRendition, "maps" | "keys">, deps: SegmentDeps) {
    this.#rendition = rendition;
    this.#deps = deps;
  }

  key(index: number): Promise<Buffer> {
    const kept = this.#keys.get(index) ?? this.#fetchKey(index);
    this.#keys.set(index, kept);
    return kept;
  }

  async #fetchKey(index: number): Promise<Buffer> {
    const { bytes } = await fetchPart(this.#rendition.keys[index] as Part, this.#deps, 1024);
    if (bytes.length !== 16) {
      throw new StageError("invalid_playlist", "The key of the video is not a key.");
    }
    return bytes;
  }

  /** The initialisation section; empty where there is none. */
  map(index: number | undefined): Promise<Buffer> {
    if (index === undefined) return Promise.resolve(Buffer.alloc(0));
    const kept = this.#maps.get(index) ?? this.#fetchMap(index);
    this.#maps.set(index, kept);
    return kept;
  }

  async #fetchMap(index: number): Promise<Buffer> {
    const map = this.#rendition.maps[index];
    if (map === undefined) throw new StageError("invalid_playlist");
    const { bytes } = await fetchPart(map, this.#deps, MAX_MAP_BYTES);
    if (map.key === undefined || map.iv === undefined) return bytes;
    return decrypt(bytes, await this.key(map.key), map.iv, true);
  }
}

const decrypt = (bytes: Buffer, key: Buffer, iv: string, whole: boolean): Buffer => {
  const decipher = createDecipheriv("aes-128-cbc", key, Buffer.from(iv, "hex"));
  try {
    if (whole) return Buffer.concat([decipher.update(bytes), decipher.final()]);
    // The padding is at the end, which is not here.
    decipher.setAutoPadding(false);
    return decipher.update(bytes.subarray(0, bytes.length & ~15));
  } catch (cause) {
    throw new StageError("invalid_media", "A segment cannot be decrypted.", { cause });
  }
};

const gone = (error: unknown): error is StageError =>
  error instanceof StageError &&
  (error.code === "video_restricted" || error.code === "video_not_found");

/** Name of the same segment without its sound; null where it is that one already. */
export const mutedName = (uri: string): string | null => {
  const url = new URL(uri);
  if (/-muted\.\w+$/.test(url.pathname)) return null;
  const renamed = url.pathname.replace(/(?:-unmuted)?(\.\w+)$/, "-muted$1");
  if (renamed === url.pathname) return null;
  url.pathname = renamed;
  return url.href;
};

/**
 * A segment's bytes, without its map.
 * @param headBytes only its beginning, about so many bytes
 * @param maxBytes default `MAX_SEGMENT_BYTES`
 * @param mayBeMuted whether the site renames segments, so that a refused one is worth a second look
 * @param onlySound of a whole MPEG transport stream, leave out the packets of its pictures
 * @throws {StageError} `video_not_found`, `video_restricted` where it is missing,
 *   `video_too_large`; as the fetch
 */
export const fetchSegment = async (
  segment: HlsSegment,
  parts: RenditionParts,
  deps: SegmentDeps,
  options: { headBytes?: number; maxBytes?: number; mayBeMuted: boolean; onlySound?: boolean },
): Promise<SegmentBytes> => {
  const { headBytes, maxBytes = MAX_SEGMENT_BYTES, onlySound = false } = options;
  const encrypted = segment.key !== undefined && segment.iv !== undefined;
  const read = { headBytes, onlySound: onlySound && !encrypted };
  let muted = segment.muted;
  let found: FoundPart;
  try {
    found = await fetchPart(segment, deps, maxBytes, read);
  } catch (error) {
    const other =
      gone(error) && (options.mayBeMuted || segment.uri.includes("-unmuted."))
        ? mutedName(segment.uri)
        : null;
    if (other === null) throw error;
    found = await fetchPart({ ...segment, uri: other }, deps, maxBytes, read);
    muted = true;
  }
  let { bytes } = found;
  if (segment.key !== undefined && segment.iv !== undefined) {
    const length = segment.byteRange?.length;
    const whole = headBytes === undefined || bytes.length < headBytes || bytes.length === length;
    bytes = decrypt(bytes, await parts.key(segment.key), segment.iv, whole);
  }
  bytes = bytes.subarray(id3Bytes(bytes));
  if (onlySound && (encrypted || segment.byteRange)) bytes = soundPacketsOf(bytes);
  return { bytes, muted, etag: found.etag, received: found.received };
};
