// An HLS recording on disk, cut from a media file by ffmpeg once and kept: a rendition with the
// picture and one with sound alone, named as Twitch names them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Rendition {
  /** Group of the master playlist, which is also the folder: `chunked`, `audio_only`. */
  name: string;
  dir: string;
  /** Seconds of each segment, in order; the files are `0.ts`, `1.ts`, … */
  durations: number[];
  bandwidth: number;
  height?: number;
}

const durationsOf = async (dir: string): Promise<number[]> =>
  [...(await readFile(join(dir, "index.m3u8"), "utf8")).matchAll(/^#EXTINF:([\d.]+)/gm)].map(
    ([, sec]) => Number(sec),
  );

const bandwidthOf = (dir: string, durations: number[]): number => {
  const bytes = durations.reduce((sum, _, i) => sum + statSync(join(dir, `${i}.ts`)).size, 0);
  const sec = durations.reduce((sum, each) => sum + each, 0);
  return Math.round((bytes * 8) / Math.max(sec, 1));
};

/**
 * Cuts `mediaPath` into segments below `cacheDir`, or finds them there.
 * @param segmentSec length of a segment; with a picture it falls on the next key frame
 * @param copy without encoding it anew; then the recording's own key frames say where segments begin
 */
export const cutRecording = async (
  mediaPath: string,
  cacheDir: string,
  options: { ffmpegPath: string; segmentSec: number; copy?: boolean },
): Promise<Rendition[]> => {
  const { size, mtimeMs } = statSync(mediaPath);
  const key = createHash("sha256")
    .update(JSON.stringify([mediaPath, size, mtimeMs, options.segmentSec, options.copy === true]))
    .digest("hex")
    .slice(0, 16);
  const dir = join(cacheDir, key);
  if (!existsSync(dir)) {
    const making = `${dir}.${process.pid}.${Date.now()}`;
    await mkdir(making, { recursive: true });
    const hls = ["-f", "hls", "-hls_time", String(options.segmentSec), "-hls_list_size", "0"];
    const cut = (name: string, codec: string[]) => async (): Promise<void> => {
      const out = join(making, name);
      await mkdir(out);
      const names = ["-hls_segment_filename", join(out, "%d.ts"), join(out, "index.m3u8")];
      await run(options.ffmpegPath, [
        "-nostdin",
        "-v",
        "error",
        "-i",
        mediaPath,
        ...codec,
        ...hls,
        ...names,
      ]);
    };
    const aac = ["-c:a", "aac", "-b:a", "96k"];
    const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
    const keyFrames = ["-force_key_frames", `expr:gte(t,n_forced*${options.segmentSec})`];
    const sound = ["-map", "0:a:0", ...(options.copy ? ["-c:a", "copy"] : aac)];
    const picture = [
      "-map",
      "0:v:0",
      ...(options.copy ? ["-c:v", "copy"] : [...x264, ...keyFrames]),
    ];
    await cut("audio_only", sound)();
    // A recording of sound alone has no picture to cut.
    const { stderr } = await run(options.ffmpegPath, ["-nostdin", "-i", mediaPath]).catch(
      (error: { stderr: string }) => error,
    );
    if (/Stream #0:\d+.*: Video:(?!.*attached pic)/.test(stderr)) {
      await cut("chunked", [...picture, ...sound])();
    }
    // Whole or not at all: another process may be making the same.
    await rename(making, dir).catch(async (error: NodeJS.ErrnoException) => {
      await rm(making, { recursive: true });
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  }
  const renditions: Rendition[] = [];
  for (const name of ["chunked", "audio_only"]) {
    const folder = join(dir, name);
    if (!existsSync(folder)) continue;
    const durations = await durationsOf(folder);
    const bandwidth = bandwidthOf(folder, durations);
    const picture = name === "chunked" ? { height: 360 } : {};
    renditions.push({ name, dir: folder, durations, bandwidth, ...picture });
  }
  return renditions;
};

/** Where a segment of a rendition lies. */
export const segmentPath = (rendition: Rendition, index: number): string =>
  join(rendition.dir, `${index}.ts`);

/** A segment with silence for its sound, made on first use; its times stay. */
export const mutedSegmentPath = async (
  rendition: Rendition,
  index: number,
  ffmpegPath: string,
): Promise<string> => {
  const muted = join(rendition.dir, `${index}-muted.ts`);
  if (existsSync(muted)) return muted;
  const making = `${muted}.${process.pid}.${Date.now()}.ts`;
  await run(
    ffmpegPath,
    [
      ...`-nostdin -v error -copyts -i ${index}.ts -map 0 -c:v copy -af volume=0 -c:a aac`.split(
        " ",
      ),
      ..."-muxdelay 0 -mpegts_copyts 1 -f mpegts".split(" "),
      making,
    ],
    { cwd: rendition.dir },
  );
  await rename(making, muted);
  return muted;
};
