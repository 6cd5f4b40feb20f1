// Reads HLS playlists (RFC 8216) as Twitch and others write them. Unknown tags are passed over and
// small sins forgiven; what is bounded is bounded while it is read, since anyone may have written
// the text. Every address in the result is absolute and allowed by `checkUrl`.
import { StageError } from "../contract/errors.ts";
import { checkUrl } from "./address.ts";
import type { HlsRendition, HlsSegment } from "./description.ts";

/** Most bytes of a playlist: two days of one-second segments with long addresses. */
export const MAX_PLAYLIST_BYTES = 32 * 2 ** 20;
const MAX_VARIANTS = 200;

export interface Variant {
  url: string;
  bandwidth: number;
  codecs: string | undefined;
  height: number | undefined;
  frameRate: number | undefined;
  /** Group of renditions that hold its sound. */
  audioGroup: string | undefined;
}

export interface AudioRendition {
  group: string;
  /** Absent where the sound is inside the variants. */
  url: string | undefined;
  isDefault: boolean;
}

export interface MasterPlaylist {
  kind: "master";
  variants: Variant[];
  audio: AudioRendition[];
}

export interface MediaPlaylist extends Pick<HlsRendition, "segments" | "maps" | "keys"> {
  kind: "media";
  ended: boolean;
  type: "VOD" | "EVENT" | undefined;
  mediaSequence: number;
  durationSec: number;
  /** Length by Twitch's own tag. */
  twitchTotalSec: number | undefined;
}

const bad = (detail: string): StageError =>
  new StageError("invalid_playlist", undefined, { cause: new Error(detail) });

/** `A=1,B="x,y"` as a record. */
const parseAttributes = (text: string): Record<string, string> => {
  const attributes: Record<string, string> = {};
  for (const [, name = "", quoted, plain] of text.matchAll(
    /([A-Z0-9-]{1,64})\s*=\s*(?:"([^"]{0,8192})"|([^",]{0,1024}))/g,
  )) {
    attributes[name] ??= quoted ?? plain?.trim() ?? "";
  }
  return attributes;
};

const addressIn = (uri: string | undefined, base: string): string => {
  if (uri === undefined || uri === "") throw bad("an address is missing");
  try {
    return checkUrl(uri, base).href;
  } catch (error) {
    if (!(error instanceof StageError) || error.code !== "invalid_url") throw error;
    throw new StageError("invalid_playlist", "The playlist names an address that is not read.", {
      cause: error,
    });
  }
};

const number = (text: string | undefined): number | undefined => {
  const value = Number.parseFloat(text ?? "");
  return Number.isFinite(value) ? value : undefined;
};

const parseMaster = (lines: string[], base: string): MasterPlaylist => {
  const variants: Variant[] = [];
  const audio: AudioRendition[] = [];
  let pending: Record<string, string> | null = null;
  for (const line of lines) {
    if (line.startsWith("#EXT-X-STREAM-INF:")) {
      pending = parseAttributes(line.slice(18));
    } else if (line.startsWith("#EXT-X-MEDIA:")) {
      const media = parseAttributes(line.slice(13));
      if (media["TYPE"] !== "AUDIO") continue;
      audio.push({
        group: media["GROUP-ID"] ?? "",
        url: media["URI"] === undefined ? undefined : addressIn(media["URI"], base),
        isDefault: media["DEFAULT"] === "YES",
      });
    } else if (!line.startsWith("#") && pending !== null) {
      variants.push({
        url: addressIn(line, base),
        bandwidth: number(pending["BANDWIDTH"]) ?? 0,
        codecs: pending["CODECS"],
        height: number(pending["RESOLUTION"]?.split("x")[1]),
        frameRate: number(pending["FRAME-RATE"]),
        audioGroup: pending["AUDIO"],
      });
      pending = null;
    }
    if (variants.length + audio.length > MAX_VARIANTS) throw bad("too many renditions");
  }
  if (variants.length === 0) throw bad("no variant");
  return { kind: "master", variants, audio };
};

type ByteRange = { offset: number; length: number };

/** `length[@offset]`; without an offset it goes on where the last one of the same address ended. */
const parseByteRange = (text: string | undefined, follows: number | undefined): ByteRange => {
  const [, length, offset] = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text?.trim() ?? "") ?? [];
  const from = offset === undefined ? follows : Number(offset);
  if (length === undefined || Number(length) === 0 || from === undefined) {
    throw bad(`byte range ${text}`);
  }
  return { offset: from, length: Number(length) };
};

/** The media sequence number as an initialisation vector (RFC 8216, 5.2). */
const sequenceIv = (sequence: number): string => sequence.toString(16).padStart(32, "0");

/** Sites rename a segment whose sound they removed. */
const isMutedName = (url: string): boolean => /-muted\.\w+(?:\?|$)/.test(url);

interface KeyState {
  index: number;
  iv: string | undefined;
}

/** Keys or maps of a playlist, each once. */
class Parts<T extends { uri: string; byteRange?: ByteRange | undefined }> {
  readonly list: T[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Where the item is in the list, which it may be new to. */
  indexOf(item: T): number {
    const name = `${item.byteRange?.offset} ${item.byteRange?.length} ${item.uri}`;
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    // There may be many without a segment that uses them.
    if (this.list.length >= this.#most) throw new StageError("too_many_segments");
    this.#indexes.set(name, this.list.length);
    return this.list.push(item) - 1;
  }
}

type Keys = Parts<MediaPlaylist["keys"][number]>;

const parseKey = (text: string, base: string, keys: Keys): KeyState | null => {
  const key = parseAttributes(text);
  if (key["METHOD"] === "NONE") return null;
  const format = key["KEYFORMAT"] ?? "identity";
  if (key["METHOD"] !== "AES-128" || format !== "identity") {
    throw new StageError("unsupported_source", "The video is protected against copying.");
  }
  const iv = key["IV"];
  const hex = iv === undefined ? undefined : /^0x([0-9a-f]{1,32})$/i.exec(iv)?.[1];
  if (iv !== undefined && hex === undefined) throw bad("initialisation vector");
  return {
    index: keys.indexOf({ uri: addressIn(key["URI"], base) }),
    iv: hex?.padStart(32, "0").toLowerCase(),
  };
};

const parseMedia = (lines: string[], base: string, maxSegments: number): MediaPlaylist => {
  const segments: HlsSegment[] = [];
  const maps = new Parts<MediaPlaylist["maps"][number]>(maxSegments);
  const keys: Keys = new Parts(maxSegments);
  let sequence = 0;
  let mediaSequence = 0;
  let ended = false;
  let type: MediaPlaylist["type"];
  let twitchTotalSec: number | undefined;
  let durationSec: number | undefined;
  let range: string | undefined;
  let key: KeyState | null = null;
  let map: number | undefined;
  let discontinuity = 0;
  let gap = false;
  let at = 0;
  const rangeEnds = new Map<string, number>();

  for (const line of lines) {
    const colon = line.indexOf(":");
    const tag = line.startsWith("#") ? (colon < 0 ? line : line.slice(0, colon)) : "";
    const value = colon < 0 ? "" : line.slice(colon + 1);
    switch (tag) {
      case "#EXTINF": {
        durationSec = number(value);
        if (durationSec === undefined || durationSec < 0 || durationSec > 86_400) {
          throw bad(`duration ${value}`);
        }
        break;
      }
      case "#EXT-X-BYTERANGE":
        range = value;
        break;
      case "#EXT-X-MEDIA-SEQUENCE":
        // It becomes an initialisation vector, so nothing but a whole number counts.
        mediaSequence = /^\d{1,20}$/.test(value.trim()) ? Number(value) : 0;
        sequence = mediaSequence;
        break;
      case "#EXT-X-PLAYLIST-TYPE":
        type = value === "VOD" || value === "EVENT" ? value : undefined;
        break;
      case "#EXT-X-ENDLIST":
        ended = true;
        break;
      case "#EXT-X-DISCONTINUITY":
        // Before the first segment it says nothing about this playlist.
        if (segments.length > 0) discontinuity = (segments.at(-1)?.discontinuity ?? 0) + 1;
        break;
      case "#EXT-X-GAP":
        gap = true;
        break;
      case "#EXT-X-KEY":
        key = parseKey(value, base, keys);
        break;
      case "#EXT-X-MAP": {
        const attributes = parseAttributes(value);
        const uri = addressIn(attributes["URI"], base);
        const byteRange = attributes["BYTERANGE"]
          ? { byteRange: parseByteRange(attributes["BYTERANGE"], 0) }
          : {};
        // A map is encrypted only with a vector of its own; there is no sequence number for it.
        const encrypted: { key: number; iv: string } | object =
          key?.iv === undefined ? {} : { key: key.index, iv: key.iv };
        const next = maps.indexOf({ uri, ...byteRange, ...encrypted });
        // Another initialisation is another stream to a decoder, said so or not.
        if (map !== undefined && map !== next && segments.at(-1)?.discontinuity === discontinuity) {
          discontinuity += 1;
        }
        map = next;
        break;
      }
      case "#EXT-X-I-FRAMES-ONLY":
        throw bad("pictures only");
      case "#EXT-X-TWITCH-TOTAL-SECS":
        twitchTotalSec = number(value);
        break;
      case "": {
        if (durationSec === undefined) throw bad("a segment without a duration");
        const uri = addressIn(line, base);
        const byteRange =
          range === undefined ? undefined : parseByteRange(range, rangeEnds.get(uri));
        if (byteRange) rangeEnds.set(uri, byteRange.offset + byteRange.length);
        if (!gap) {
          segments.push({
            uri,
            startSec: at,
            durationSec,
            ...(byteRange ? { byteRange } : {}),
            ...(map === undefined ? {} : { map }),
            ...(key === null ? {} : { key: key.index, iv: key.iv ?? sequenceIv(sequence) }),
            discontinuity,
            muted: isMutedName(uri),
          });
        }
        at += durationSec;
        sequence += 1;
        durationSec = undefined;
        range = undefined;
        gap = false;
        if (segments.length > maxSegments) throw new StageError("too_many_segments");
        break;
      }
      default:
    }
  }
  if (segments.length === 0) throw bad("no segment");
  return {
    kind: "media",
    segments,
    maps: maps.list,
    keys: keys.list,
    ended,
    type,
    mediaSequence,
    durationSec: at,
    twitchTotalSec,
  };
};

/**
 * @param text the playlist
 * @param base its own address, after redirects
 * @throws {StageError} `invalid_playlist`, `private_address`, `too_many_segments`,
 *   `unsupported_source` for a protected one
 */
export const parsePlaylist = (
  text: string,
  base: string,
  limits: { maxSegments: number },
): MasterPlaylist | MediaPlaylist => {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (!lines[0]?.startsWith("#EXTM3U")) throw bad("no header");
  return lines.some((line) => line.startsWith("#EXT-X-STREAM-INF:"))
    ? parseMaster(lines, base)
    : parseMedia(lines, base, limits.maxSegments);
};
