// A source that is an HLS recording: which renditions are read, what is in them, and where their
// segments lie in time. A playlist is anyone's text; it is read by us and never by ffmpeg.
import { createHash } from "node:crypto";
import { StageError } from "../contract/errors.ts";
import type { Warning } from "../contract/warnings.ts";
import { fetchBytes, withRetry } from "./answers.ts";
import { memoryBytes } from "./byteSource.ts";
import type { HlsRendition, HlsSegment, SourceDescription } from "./description.ts";
import type { FileDeps } from "./file.ts";
import { chooseRenditions } from "./hlsChoice.ts";
import { fitToTimes, runsOf, type RunTimes } from "./hlsTiming.ts";
import { checkDuration } from "./limits.ts";
import {
  MAX_PLAYLIST_BYTES,
  type MasterPlaylist,
  type MediaPlaylist,
  parsePlaylist,
} from "./m3u8.ts";
import { mapLimited } from "./mapLimited.ts";
import { type OpeningFacts, probeOpening } from "./probe.ts";
import { fetchSegment, mutedName, RenditionParts } from "./segment.ts";
import { sniff } from "./sniff.ts";

/** Enough of a segment to see its tracks and first times. */
const HEAD_BYTES = 512 * 1024;
/** Discontinuities that are looked at; beyond, the playlist's durations count. */
const MAX_MEASURED_RUNS = 200;

export interface HlsOptions {
  /** The provider's own name for the recording; the identity then needs nothing else. */
  id?: string;
  /** The site renames segments whose sound it removes. */
  mayBeMuted: boolean;
}

type Described = Omit<SourceDescription, "provider">;

const fetchPlaylist = async (
  url: string,
  deps: FileDeps,
): Promise<MasterPlaylist | MediaPlaylist> => {
  const signal = deps.signal ? { signal: deps.signal } : {};
  const answer = await withRetry(
    () =>
      fetchBytes(deps.fetch, url, {
        maxBytes: MAX_PLAYLIST_BYTES,
        headers: { "accept-encoding": "gzip" },
        ...signal,
      }),
    signal,
  );
  return parsePlaylist(answer.bytes.toString("utf8"), answer.url, deps.limits);
};

/** A variant must be a media playlist: a master in a master is a circle or a trap. */
const fetchMedia = async (url: string, deps: FileDeps): Promise<MediaPlaylist> => {
  const playlist = await fetchPlaylist(url, deps);
  if (playlist.kind === "media") return playlist;
  throw new StageError("invalid_playlist", "The playlist leads to another list of playlists.");
};

interface Head {
  facts: OpeningFacts | null;
  container: HlsRendition["container"];
  muted: boolean;
  etag: string | undefined;
}

const CONTAINERS = { mpegts: "mpegts", mov: "mp4", aac: "aac", mp3: "mp3" } as const;

const readHead = async (
  segment: HlsSegment,
  parts: RenditionParts,
  deps: FileDeps,
  mayBeMuted: boolean,
): Promise<Head> => {
  const [{ bytes, muted, etag }, map] = await Promise.all([
    fetchSegment(segment, parts, deps, { headBytes: HEAD_BYTES, mayBeMuted }),
    parts.map(segment.map),
  ]);
  const whole = Buffer.concat([map, bytes]);
  const sniffed = sniff(whole);
  const demuxer = sniffed.kind === "media" ? sniffed.demuxer : undefined;
  if (demuxer !== "mpegts" && demuxer !== "mov" && demuxer !== "aac" && demuxer !== "mp3") {
    throw new StageError("not_media", "The segments of the playlist are neither video nor sound.");
  }
  const facts = await probeOpening(memoryBytes(whole), deps.signal);
  return { facts, container: CONTAINERS[demuxer], muted, etag };
};

const isMissing = (error: unknown): boolean =>
  error instanceof StageError &&
  (error.code === "video_not_found" || error.code === "video_restricted");

/** A rendition measured, with what its first segments say of it. */
interface Measured {
  rendition: HlsRendition;
  facts: OpeningFacts | null;
  /** What its server says its ends are; null where it says nothing. */
  etags: string | null;
}

const measure = async (
  playlist: MediaPlaylist,
  deps: FileDeps,
  { mayBeMuted }: HlsOptions,
): Promise<Measured> => {
  const parts = new RenditionParts(playlist, deps);
  const heads = new Map<HlsSegment, Head>();
  const look = async (segment: HlsSegment): Promise<Head | null> => {
    try {
      const head = heads.get(segment) ?? (await readHead(segment, parts, deps, mayBeMuted));
      heads.set(segment, head);
      return head;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };

  const { segments } = playlist;
  const first = segments[0] as HlsSegment;
  const opening = await readHead(first, parts, deps, mayBeMuted);
  heads.set(first, opening);
  const { container } = opening;

  const runs = runsOf(segments).slice(0, MAX_MEASURED_RUNS);
  const times = new Map<number, RunTimes>();
  // Plain AAC and MP3 carry no times; the playlist's are all there is.
  if (container === "mpegts" || container === "mp4") {
    await mapLimited(runs, 8, async (run) => {
      const at = async (segment: HlsSegment | undefined): Promise<number | null> =>
        (segment && (await look(segment)))?.facts?.startPtsSec ?? null;
      const firstPtsSec = await at(run.segments[0]);
      const lastPtsSec = run.segments.length > 1 ? await at(run.segments.at(-1)) : null;
      times.set(run.discontinuity, { firstPtsSec, lastPtsSec });
    });
  }
  // A segment without its sound says little of the sound.
  const loud = first.muted ? segments.find((segment) => !segment.muted) : undefined;
  const facts = (loud && (await look(loud))?.facts) ?? opening.facts;
  const last = await look(segments.at(-1) as HlsSegment);
  const etags = [opening.etag, last?.etag].every((etag) => etag?.startsWith('"'))
    ? `${opening.etag} ${last?.etag}`
    : null;
  return {
    rendition: {
      ...fitToTimes(segments, times),
      maps: playlist.maps,
      keys: playlist.keys,
      container,
    },
    facts,
    etags,
  };
};

/** Twitch lists some muted segments under names that it then refuses; one is tried for all. */
const withoutUnmuted = async (playlist: MediaPlaylist, deps: FileDeps): Promise<MediaPlaylist> => {
  const sample = playlist.segments.find((segment) => segment.uri.includes("-unmuted."));
  if (sample === undefined) return playlist;
  const parts = new RenditionParts(playlist, deps);
  const { muted } = await fetchSegment(sample, parts, deps, { headBytes: 1024, mayBeMuted: true });
  if (!muted) return playlist;
  const segments = playlist.segments.map((segment) => {
    const uri = segment.uri.includes("-unmuted.") ? mutedName(segment.uri) : null;
    return uri === null ? segment : { ...segment, uri, muted: true };
  });
  return { ...playlist, segments };
};

/** The same clock in both renditions, where they differ by an encoder's run-up only. */
const alignBases = (audio: HlsRendition, video: HlsRendition): void => {
  for (const [run, base] of Object.entries(audio.basePtsSec)) {
    const other = video.basePtsSec[run];
    if (other === undefined || Math.abs(other - base) > 1) continue;
    audio.basePtsSec[run] = video.basePtsSec[run] = Math.min(base, other);
  }
};

const segmentName = (segment: HlsSegment): string => {
  const { byteRange, durationSec } = segment;
  const range = byteRange ? `@${byteRange.offset}+${byteRange.length}` : "";
  return `${new URL(segment.uri).pathname.split("/").at(-1)}${range} ${durationSec}`;
};

const hashOf = (playlists: MediaPlaylist[]): string => {
  const hash = createHash("sha256");
  for (const { segments } of playlists) {
    for (const segment of segments) hash.update(`${segmentName(segment)}\n`);
  }
  return hash.digest("hex");
};

const minutes = (sec: number): string =>
  sec < 90 ? `${Math.round(sec)} s` : `${Math.round(sec / 60)} min`;

const warningsOf = (playlist: MediaPlaylist): Warning[] => {
  const warnings: Warning[] = [];
  const mutedSec = playlist.segments
    .filter((segment) => segment.muted)
    .reduce((sum, segment) => sum + segment.durationSec, 0);
  if (mutedSec > 0) {
    warnings.push({
      code: "segments_muted",
      message: `The site removed the sound of ${minutes(mutedSec)} of the video.`,
    });
  }
  if (!playlist.ended) {
    warnings.push({
      code: "playlist_unfinished",
      message: "The recording is still growing; it was taken as it stood.",
    });
  }
  return warnings;
};

/** A list that slides forgets its beginning, so there is no whole to take. */
const refuseLive = (playlist: MediaPlaylist): void => {
  if (playlist.ended || playlist.type !== undefined) return;
  if (playlist.mediaSequence > 0) throw new StageError("live_stream");
};

/**
 * Everything a later stage needs to know of an HLS recording.
 * @param url a master or a media playlist
 * @throws {StageError} `invalid_playlist`, `live_stream`, `too_many_segments`, `video_too_long`,
 *   `not_media`, `invalid_media`, and as the fetch
 */
export const describeHls = async (
  url: string,
  deps: FileDeps,
  options: HlsOptions,
): Promise<Described> => {
  const top = await fetchPlaylist(url, deps);
  const choice = top.kind === "master" ? chooseRenditions(top) : null;
  const open = async (address: string): Promise<MediaPlaylist> =>
    withoutUnmuted(await fetchMedia(address, deps), deps);

  const videoList =
    top.kind === "media"
      ? await withoutUnmuted(top, deps)
      : choice?.video
        ? await open(choice.video.url)
        : null;
  const sameUrl = top.kind === "media" || choice?.audioUrl === choice?.video?.url;
  const audioList = sameUrl || !choice?.audioUrl ? videoList : await open(choice.audioUrl);
  const main = audioList ?? videoList;
  if (main === null) throw new StageError("invalid_playlist");
  const lists = [...new Set([main, videoList].filter((list) => list !== null))];
  for (const list of lists) refuseLive(list);
  checkDuration(main.durationSec, deps.limits);

  const audioFound = await measure(main, deps, options);
  const videoFound =
    videoList === null || videoList === main ? null : await measure(videoList, deps, options);
  const picture = videoFound ?? (videoList === null ? null : audioFound);
  const audio = audioFound.facts?.audio ?? null;
  const video = picture?.facts?.video ?? null;
  if (audio === null && video === null) throw new StageError("invalid_media");
  if (videoFound) alignBases(audioFound.rendition, videoFound.rendition);

  const last = audioFound.rendition.segments.at(-1) as HlsSegment;
  const durationSec = last.startSec + last.durationSec;
  checkDuration(durationSec, deps.limits);
  const { origin, pathname } = new URL(url);
  const etags = [audioFound, videoFound].map((found) => (found ? found.etags : ""));
  const known =
    options.id ?? (etags.includes(null) ? null : `${origin}${pathname} ${etags.join(" ")}`);
  const rendition = picture && {
    ...picture.rendition,
    ...(choice?.video?.height ? { height: choice.video.height } : {}),
    ...(choice?.video?.bandwidth ? { bandwidth: choice.video.bandwidth } : {}),
  };
  return {
    identity: known === null ? null : `hls ${known} ${hashOf(lists)}`,
    durationSec,
    startPtsSec: audioFound.rendition.basePtsSec["0"] ?? 0,
    audio,
    video,
    playable: {
      kind: "hls",
      audio: audio === null ? null : audioFound.rendition,
      video: video === null ? null : rendition,
      soundApart: videoFound !== null && audio !== null && videoFound.facts?.audio === null,
    },
    warnings: warningsOf(main),
  };
};
