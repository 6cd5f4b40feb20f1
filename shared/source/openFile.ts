// A range of a file as a piece: a loopback server in front of the bytes, and ffmpeg told to seek
// close to the range.
import type { ObjectStore } from "../cloud/objectStore.ts";
import type { MediaPiece } from "../media/input.ts";
import { bucketBytes, httpBytes } from "./byteSource.ts";
import type { Playable, SourceDescription } from "./description.ts";
import type { GuardedFetch } from "./fetch.ts";
import { openFrames } from "./openFrames.ts";
import { startRangeServer } from "./rangeServer.ts";

/** ffmpeg's arguments for a file behind the range server; it can reach nothing else by them. */
export const fileInputArgs = (demuxer: string, url: string, seekSec = 0): string[] => [
  "-protocol_whitelist",
  "http,tcp",
  // Nothing before the seek point is cut: times are read off the samples, not off the seek.
  ...(seekSec > 0 ? ["-noaccurate_seek", "-ss", seekSec.toFixed(3)] : []),
  "-f",
  demuxer,
  "-i",
  url,
];

/** Decoders need a run-up, and containers seek to a point before the one that is asked for. */
const RUN_UP_SEC = 1;
/** MPEG-TS has no index of key frames: a picture can be decoded from the next one on. */
const TS_PICTURE_RUN_UP_SEC = 12;

export interface OpenDeps {
  fetch: GuardedFetch;
  store: ObjectStore;
  signal?: AbortSignal;
}

export const openFile = async (
  description: SourceDescription,
  file: Extract<Playable, { kind: "file" }>,
  { track, ...range }: { startSec: number; endSec: number; track: "audio" | "video" },
  deps: OpenDeps,
): Promise<MediaPiece> => {
  const { location, sizeBytes } = file;
  const bytes =
    location.in === "http"
      ? httpBytes(deps.fetch, { url: location.url, etag: location.etag, sizeBytes })
      : bucketBytes(deps.store, location.object, sizeBytes);
  if (file.frames) return openFrames(bytes, file.demuxer, file.frames, range, deps.signal);
  const server = await startRangeServer(bytes, deps.signal);
  const runUpSec =
    track === "video" && file.demuxer === "mpegts" ? TS_PICTURE_RUN_UP_SEC : RUN_UP_SEC;
  return {
    ...range,
    ptsOffsetSec: -description.startPtsSec,
    inputArgs: fileInputArgs(file.demuxer, server.url, Math.max(0, range.startSec - runUpSec)),
    muted: [],
    bytesRead: server.bytesRead,
    failure: server.failure,
    close: server.close,
  };
};
