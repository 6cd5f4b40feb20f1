// What FFmpeg says of an input: the last word where the index cannot be read in this process, and
// the count of text subtitle tracks, which must be FFmpeg's own.
import { type Ffmpeg, startFfmpeg } from "../media/ffmpeg.ts";
import type { MediaFacts } from "./probe.ts";

export interface InputFacts extends Omit<MediaFacts, "durationSec"> {
  /** Null where the container does not say. */
  durationSec: number | null;
  /** First text subtitle track, as FFmpeg counts subtitle streams. */
  subtitleTrack?: number;
}

/** Describes what `inputArgs` name; null where FFmpeg cannot open it. */
export type InputProbe = (inputArgs: string[], signal?: AbortSignal) => Promise<InputFacts | null>;

/** Subtitle codecs that are text; the others are pictures. */
const TEXT_SUBTITLES = new Set([
  "mov_text",
  "subrip",
  "srt",
  "ass",
  "ssa",
  "webvtt",
  "text",
  "tx3g",
]);

/** Reads the description that `ffmpeg -i` prints. */
const parseInputDump = (text: string): InputFacts | null => {
  const streams = [...text.matchAll(/^ *Stream #0:\d+\S*: (Audio|Video|Subtitle): ([^\n]*)$/gm)];
  if (streams.length === 0) return null;
  let audio: MediaFacts["audio"] = null;
  let video: MediaFacts["video"] = null;
  let subtitles = 0;
  let subtitleTrack: number | undefined;
  for (const [, type, line = ""] of streams) {
    const codec = /^(\w+)/.exec(line)?.[1] ?? "unknown";
    if (type === "Subtitle") {
      if (TEXT_SUBTITLES.has(codec)) subtitleTrack ??= subtitles;
      subtitles += 1;
    } else if (type === "Audio" && audio === null) {
      const rate = Number(/(\d+) Hz/.exec(line)?.[1] ?? 0);
      const layout = /Hz, ([^,]+)/.exec(line)?.[1] ?? "";
      const channels =
        { mono: 1, stereo: 2, "5.1": 6, "7.1": 8 }[layout.replace(/\(.*/, "").trim()] ??
        Number(/(\d+) channels/.exec(layout)?.[1] ?? 2);
      if (rate > 0) audio = { codec, sampleRateHz: rate, channels };
    } else if (type === "Video" && video === null && !line.includes("(attached pic)")) {
      const [, width, height] = /, (\d{1,5})x(\d{1,5})/.exec(line) ?? [];
      const fps = Number(/([\d.]+) fps/.exec(line)?.[1] ?? 0);
      if (width !== undefined && height !== undefined) {
        const facts = { codec, width: Number(width), height: Number(height) };
        video = fps > 0 ? { ...facts, fps } : facts;
      }
    }
  }
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/.exec(text) ?? [];
  const start = Number(/start: (-?[\d.]+)/.exec(text)?.[1] ?? 0);
  return {
    startPtsSec: Math.max(0, start),
    durationSec:
      seconds === undefined ? null : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    audio,
    video,
    truncated: false,
    ...(subtitleTrack === undefined ? {} : { subtitleTrack }),
  };
};

/** An `InputProbe` that starts FFmpeg, for at most a minute. */
export const ffmpegProbe =
  (ffmpeg: Ffmpeg): InputProbe =>
  async (inputArgs, signal) => {
    const child = startFfmpeg(ffmpeg, ["-loglevel", "info", ...inputArgs], {
      timeoutMs: 60_000,
      ...(signal ? { signal } : {}),
    });
    child.stdout.resume();
    // It always ends with "At least one output file must be specified".
    const { stderr } = await child.exited;
    return parseInputDump(stderr);
  };
