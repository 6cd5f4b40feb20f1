import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { StageError } from "../contract/errors.ts";
import { captionsSha256, type ClipOptions, renderClip } from "./clip.ts";
import { type Ffmpeg, findFfmpeg } from "./ffmpeg.ts";
import type { MediaPiece } from "./input.ts";
import type { OwnFile } from "./ownFile.ts";
import { ClipRecipe, clipRecipe } from "./recipe.ts";
import { joinReel } from "./reel.ts";
import { extractSubtitles } from "./subtitleTrack.ts";
import { each, filePiece, make, messagesOf, outputOf, scratch } from "./testing.ts";
import { makeThumbnail } from "./thumbnail.ts";

let ffmpeg: Ffmpeg;
beforeAll(async () => {
  ffmpeg = await findFfmpeg();
});

/** A white flash and a beep together at 3 s, black and silent elsewhere; 6 s. */
const flash = (size = "320x180", fps = 30): string =>
  `-f lavfi -i color=black:s=${size}:r=${fps}:d=6 -f lavfi -i color=white:s=${size}:r=${fps}:d=6 ` +
  "-f lavfi -i aevalsrc=exprs=0.8*sin(2*PI*1000*t)*between(t\\,3\\,3.3):s=44100:d=6 " +
  "-filter_complex [0][1]overlay=enable='between(t\\,3\\,3.3)',format=yuv420p[v] -map [v] -map 2:a " +
  "-preset ultrafast ";

/** When the picture first turns bright and the sound loud, seconds after the start of a file. */
const firstFlash = async (path: string, fps: number): Promise<{ light: number; beep: number }> => {
  const scale = ["-map", "0:v:0", "-vf", `fps=${fps}:start_time=0,scale=1:1,format=gray`];
  const grey = await outputOf(ffmpeg, ["-i", path, ...scale, "-f", "rawvideo"]);
  const align = ["-map", "0:a:0", "-af", "aresample=8000:async=1:first_pts=0", "-ac", "1"];
  const sound = await outputOf(ffmpeg, ["-i", path, ...align, "-f", "s16le"]);
  const pcm = new Int16Array(Uint8Array.from(sound).buffer);
  return {
    light: grey.findIndex((value) => value > 128) / fps,
    beep: pcm.findIndex((value) => Math.abs(value) > 4000) / 8000,
  };
};

const sha256Of = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

const recipeOf = (clip: Partial<Parameters<typeof clipRecipe>[0]> = {}): ClipRecipe =>
  clipRecipe({
    source: { identity: "test:1" },
    startSec: 2.113,
    endSec: 4.613,
    hasVideo: true,
    hasAudio: true,
    ffmpegVersion: ffmpeg.version,
    ...clip,
  });

const render = async (
  pieces: MediaPiece[],
  options: Partial<ClipOptions> = {},
): Promise<{ path: string; file: OwnFile; scratchDir: string }> => {
  const scratchDir = await scratch();
  const path = join(await scratch(), "clip.mp4");
  const recipe = recipeOf();
  const base = { recipe, pieces: each(...pieces), outPath: path, scratchDir, ffmpeg };
  return { path, scratchDir, file: await renderClip({ ...base, ...options }) };
};

describe("a clip's picture and sound stay in step", () => {
  // Where ffmpeg's MPEG-TS muxer puts zero: behind the delay of the AAC encoder.
  const TS_OFFSET_SEC = -1.4 - 1024 / 44_100;
  const cases = [
    { name: "mp4", demuxer: "mov", codecs: "-c:v libx264 -c:a aac", fps: 30, ptsOffsetSec: 0 },
    {
      name: "ts",
      demuxer: "mpegts",
      codecs: "-c:v libx264 -g 15 -c:a aac",
      fps: 30,
      ptsOffsetSec: TS_OFFSET_SEC,
    },
    {
      name: "webm",
      demuxer: "matroska",
      codecs: "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus",
      fps: 25,
      ptsOffsetSec: 0,
    },
    { name: "mkv", demuxer: "matroska", codecs: "-c:v mpeg4 -c:a flac", fps: 60, ptsOffsetSec: 0 },
  ];
  it.for(cases)("$name", async ({ name, demuxer, codecs, fps, ptsOffsetSec }) => {
    const path = join(await scratch(), `flash.${name}`);
    await make(ffmpeg, path, `${flash("320x180", fps)} ${codecs}`);
    const piece = filePiece(path, demuxer, { startSec: 1, endSec: 6, seekSec: 0.9, ptsOffsetSec });
    const clip = await render([piece]);
    const { light, beep } = await firstFlash(clip.path, fps);
    expect(Math.abs(light - (3 - 2.113))).toBeLessThanOrEqual(1 / fps);
    expect(Math.abs(beep - (3 - 2.113))).toBeLessThan(0.015);
    expect(Math.abs(light - beep)).toBeLessThan(0.04);
    expect(clip.file.video).toMatchObject({ width: 320, height: 180 });
    expect(clip.file.video?.fps).toBeCloseTo(fps, 3);
    expect(Math.abs((clip.file.video?.durationSec ?? 0) - 2.5)).toBeLessThanOrEqual(1 / fps);
    expect(Math.abs((clip.file.audio?.durationSec ?? 0) - 2.5)).toBeLessThan(0.03);
    expect(await messagesOf(ffmpeg, clip.path)).toBe("");
    expect(await readdir(clip.scratchDir)).toEqual([]);
  });

  it("over a change of clock and size in the middle", async () => {
    const folder = await scratch();
    const a = await make(ffmpeg, join(folder, "a.ts"), `${flash()} -c:v libx264 -c:a aac -t 2.8`);
    const b = await make(
      ffmpeg,
      join(folder, "b.ts"),
      `${flash("160x120")} -c:v libx264 -c:a aac -ss 2.8`,
    );
    const clip = await render([
      filePiece(a, "mpegts", { startSec: 0, endSec: 2.8, ptsOffsetSec: TS_OFFSET_SEC }),
      filePiece(b, "mpegts", { startSec: 2.8, endSec: 6, ptsOffsetSec: 2.8 + TS_OFFSET_SEC }),
    ]);
    const { light, beep } = await firstFlash(clip.path, 30);
    expect(Math.abs(light - beep)).toBeLessThan(0.04);
    expect(Math.abs(beep - (3 - 2.113))).toBeLessThan(0.04);
    expect(clip.file.video).toMatchObject({ width: 320, height: 180 });
    expect(clip.file.durationSec).toBeCloseTo(2.5, 1);
    expect(await messagesOf(ffmpeg, clip.path)).toBe("");
  });

  it("with sound from another rendition", async () => {
    const folder = await scratch();
    const both = await make(ffmpeg, join(folder, "both.mp4"), `${flash()} -c:v libx264 -c:a aac`);
    const picture = await make(ffmpeg, join(folder, "picture.ts"), `-i ${both} -an -c copy`);
    const sound = await make(ffmpeg, join(folder, "sound.wav"), `-i ${both} -vn`);
    const clip = await render(
      [filePiece(picture, "mpegts", { startSec: 0, endSec: 6, ptsOffsetSec: TS_OFFSET_SEC })],
      { soundPieces: each(filePiece(sound, "wav", { startSec: 0, endSec: 6 })) },
    );
    const { light, beep } = await firstFlash(clip.path, 30);
    expect(Math.abs(light - beep)).toBeLessThan(0.04);
  });
});

describe("a clip", () => {
  let talk: string;
  let whole: MediaPiece;
  beforeAll(async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(join(tmpdir(), "klip-clip-"));
    talk = await make(ffmpeg, join(folder, "talk.mp4"), `${flash()} -c:v libx264 -c:a aac`);
    whole = filePiece(talk, "mov", { startSec: 0, endSec: 6 });
    return () => rm(folder, { recursive: true, force: true });
  });

  it("comes out the same again from its kept recipe", async () => {
    const captionsVtt = "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nflash\n";
    const recipe = recipeOf({ captionsSha256: captionsSha256(captionsVtt) });
    const kept = ClipRecipe.parse(JSON.parse(JSON.stringify(recipe)));
    const a = await render([whole], { recipe, captionsVtt });
    const later = filePiece(talk, "mov", { startSec: 1, endSec: 6, seekSec: 1.5 });
    const b = await render([later], { recipe: kept, captionsVtt });
    expect(await sha256Of(b.path)).toBe(await sha256Of(a.path));
    const clip = filePiece(a.path, "mov", { startSec: 0, endSec: 3 });
    expect(await extractSubtitles({ pieces: each(clip), track: 0, ffmpeg })).toBe(captionsVtt);
    await expect(render([whole], { recipe })).rejects.toThrow("not those of the recipe");
  });

  it("of a source without picture shows its sound", async () => {
    const recipe = recipeOf({ hasVideo: false });
    const clip = await render([whole], { recipe });
    expect(clip.file.video).toMatchObject({ width: 960, height: 540, fps: 25 });
    expect(clip.file.durationSec).toBeCloseTo(2.5, 1);
    const { light, beep } = await firstFlash(clip.path, 25);
    expect(beep).toBeCloseTo(3 - 2.113, 1);
    expect(light).toBeLessThan(0); // mostly dark, whatever is drawn
    expect(await messagesOf(ffmpeg, clip.path)).toBe("");
    const again = await render([whole], { recipe });
    expect(await sha256Of(again.path)).toBe(await sha256Of(clip.path));
  });

  it("of a source without sound has none", async () => {
    const clip = await render([whole], { recipe: recipeOf({ hasAudio: false }) });
    expect(clip.file.audio).toBeNull();
    expect(clip.file.video?.durationSec).toBeCloseTo(2.5, 1);
    expect(await messagesOf(ffmpeg, clip.path)).toBe("");
  });

  it.for([
    { from: "1920x1080", to: { width: 1280, height: 720 } },
    { from: "1080x1920", to: { width: 720, height: 1280 } },
    { from: "321x243", to: { width: 320, height: 242 } },
  ])("of a picture of $from is $to.width wide", async ({ from, to }) => {
    const path = join(await scratch(), "size.mkv");
    await make(ffmpeg, path, `-f lavfi -i testsrc2=s=${from}:r=10:d=1 -c:v ffv1`);
    const recipe = recipeOf({ startSec: 0, endSec: 0.5, hasAudio: false });
    const clip = await render([filePiece(path, "matroska", { startSec: 0, endSec: 1 })], {
      recipe,
    });
    const { width, height } = clip.file.video ?? {};
    expect(Math.abs((width ?? 0) - to.width)).toBeLessThanOrEqual(2);
    expect(height).toBe(to.height);
  });

  it("ends where the source does", async () => {
    const recipe = recipeOf({ startSec: 4, endSec: 9 });
    const clip = await render([whole], { recipe });
    expect(clip.file.durationSec).toBeCloseTo(2, 1);
    await expect(
      render([whole], { recipe: recipeOf({ startSec: 20, endSec: 30 }) }),
    ).rejects.toThrow("no picture");
  });

  it("of garbage fails, and leaves no file", async () => {
    const path = join(await scratch(), "garbage.mp4");
    await writeFile(path, Buffer.alloc(50_000, "not a film at all "));
    const outPath = join(await scratch(), "out.mp4");
    const scratchDir = await scratch();
    const piece = filePiece(path, "mov", { startSec: 0, endSec: 6 });
    const error: unknown = await render([piece], { outPath, scratchDir }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "invalid_media" });
    expect([existsSync(outPath), await readdir(scratchDir)]).toEqual([false, []]);
  });

  it("given up on the way leaves no file", async () => {
    const stop = new AbortController();
    const outPath = join(await scratch(), "out.mp4");
    const scratchDir = await scratch();
    const rendering = render([whole], {
      outPath,
      scratchDir,
      signal: stop.signal,
      onProgress: () => stop.abort(new StageError("lease_expired")),
    });
    await expect(rendering).rejects.toMatchObject({ code: "lease_expired" });
    expect([existsSync(outPath), await readdir(scratchDir)]).toEqual([false, []]);
  });

  it("gets a still that is not black, though most of it is", async () => {
    const clip = await render([whole]);
    const outPath = join(await scratch(), "still.jpg");
    const still = { clipPath: clip.path, clipDurationSec: clip.file.durationSec, outPath, ffmpeg };
    await makeThumbnail({ ...still, atSec: 1 });
    const grey = await outputOf(ffmpeg, ["-i", outPath, "-vf", "format=gray", "-f", "rawvideo"]);
    expect(grey).toHaveLength(640 * 360);
    expect(grey[0]).toBeGreaterThan(200);
    await makeThumbnail({ ...still, atSec: 99 }); // black, but there is nothing else
    expect(existsSync(outPath)).toBe(true);
  });

  it("gets a still of the same colours, though JPEG writes colours in another way than HD", async () => {
    const clipPath = join(await scratch(), "green.mp4");
    const hd = "-colorspace bt709 -color_primaries bt709 -color_trc bt709";
    const green = "-f lavfi -i color=0x41d19a:s=320x180:d=2,format=gbrp";
    const encode = `-vf scale=out_color_matrix=bt709,format=yuv420p ${hd} -c:v libx264`;
    await make(ffmpeg, clipPath, `${green} ${encode}`);
    const outPath = join(await scratch(), "still.jpg");
    await makeThumbnail({ clipPath, clipDurationSec: 2, atSec: 1, outPath, ffmpeg });
    const rgb = await outputOf(ffmpeg, ["-i", outPath, "-pix_fmt", "rgb24", "-f", "rawvideo"]);
    for (const [i, value] of [0x41, 0xd1, 0x9a].entries())
      expect(Math.abs(value - (rgb[i] ?? 0)), `channel ${i}`).toBeLessThan(6);
  });
});

describe("a reel", () => {
  it("joins clips, each in step with itself and with its subtitles", async () => {
    const path = join(await scratch(), "flash.mp4");
    await make(ffmpeg, path, `${flash()} -c:v libx264 -c:a aac`);
    const scratchDir = await scratch();
    const captionsVtt = "WEBVTT\n\n1\n00:00:00.500 --> 00:00:01.000 line:0\nhere\n";
    const starts = [2.113, 2.5, 1.017];
    const clips = await Promise.all(
      starts.map(async (startSec) => {
        const recipe = recipeOf({ startSec, endSec: startSec + 2.51 });
        const clip = await render([filePiece(path, "mov", { startSec: 0, endSec: 6 })], { recipe });
        return { path: clip.path, captionsVtt };
      }),
    );
    const { video } = recipeOf();
    const outPath = join(scratchDir, "reel.mp4");
    const reel = await joinReel({ clips, outPath, scratchDir, ffmpeg, video });
    expect(await messagesOf(ffmpeg, outPath)).toBe("");
    expect(reel.startsSec[2]).toBeCloseTo(5, 6); // 75 frames each, though their sound is a little longer
    expect(reel.durationSec).toBeCloseTo(7.5, 1);

    const { light, beep } = await firstFlash(outPath, 30);
    expect(Math.abs(light - beep)).toBeLessThan(0.04);
    const third = join(scratchDir, "third.mp4");
    await make(ffmpeg, third, `-ss ${reel.startsSec[2]} -i ${outPath} -c:v libx264 -c:a aac`);
    const last = await firstFlash(third, 30);
    expect(last.light).toBeCloseTo(3 - 1.017, 1);
    expect(Math.abs(last.light - last.beep)).toBeLessThan(0.04);

    expect(reel.captionsVtt).toBe(
      `WEBVTT\n\n${[0.5, 3, 5.5]
        .map((s) => `00:00:0${s.toFixed(3)} --> 00:00:0${(s + 0.5).toFixed(3)} line:0\nhere\n`)
        .join("\n")}`,
    );
    const sha = await sha256Of(outPath);
    await joinReel({ clips, outPath, scratchDir, ffmpeg, video });
    expect(await sha256Of(outPath)).toBe(sha);
    expect(await readdir(scratchDir)).not.toContain("reel.ffconcat");
  });

  it("of clips of different sizes is as large as the first, with silence where one has no sound", async () => {
    const folder = await scratch();
    const a = await make(
      ffmpeg,
      join(folder, "a.mp4"),
      `${flash()} -c:v libx264 -bf 0 -c:a aac -t 2`,
    );
    const b = await make(
      ffmpeg,
      join(folder, "b.mp4"),
      `${flash("160x120")} -c:v libx264 -an -t 1`,
    );
    const outPath = join(folder, "reel.mp4");
    const clips = [{ path: a }, { path: b }];
    const { video } = recipeOf();
    const reel = await joinReel({ clips, outPath, scratchDir: folder, ffmpeg, video });
    expect(reel.durationSec).toBeCloseTo(3, 1);
    expect(reel.captionsVtt).toBeNull();
    expect(await messagesOf(ffmpeg, outPath)).toBe("");
  });
});
