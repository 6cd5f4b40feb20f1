// A still of a clip: the frame that stands best for the moment, which a black or blurred one does not.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { REPRODUCIBLE } from "./encoding.ts";
import { type Ffmpeg, runFfmpeg } from "./ffmpeg.ts";

/** Frames are chosen from this long around the moment. */
const WINDOW_SEC = 2;
const WIDTH = 640;
const FPS = 12;
/** JPEG's colours are BT.601's, HD's BT.709's; some ffmpegs convert only by way of RGB. */
const JPEG_COLORS = "format=gbrp,scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p";
/** Leaves out frames of which 95 in 100 points are black. */
const NOT_BLACK =
  "blackframe=amount=0:threshold=24," +
  "metadata=mode=select:key=lavfi.blackframe.pblack:value=95:function=less,";

/**
 * Makes a JPEG, 640 pixels wide, of a clip that we rendered.
 * @param options.atSec seconds after the clip's start
 * @throws {StageError} `invalid_media`, `resources_exhausted`; no file is left then
 */
export const makeThumbnail = async (options: {
  clipPath: string;
  clipDurationSec: number;
  atSec: number;
  outPath: string;
  ffmpeg: Ffmpeg;
  signal?: AbortSignal | undefined;
}): Promise<void> => {
  const { clipPath, clipDurationSec, outPath, ffmpeg, signal } = options;
  const latest = Math.max(0, clipDurationSec - WINDOW_SEC);
  const fromSec = Math.min(Math.max(0, options.atSec - WINDOW_SEC / 2), latest);
  const input = ["-ss", fromSec.toFixed(3), "-t", `${WINDOW_SEC}`, "-f", "mov", "-i", clipPath];
  const filter = `fps=${FPS},thumbnail=n=${FPS * WINDOW_SEC},scale=${WIDTH}:-2:flags=area,${JPEG_COLORS}`;
  const output = ["-frames:v", "1", "-q:v", "4", "-threads", "1", ...REPRODUCIBLE];
  const make = (guard: string): Promise<unknown> =>
    runFfmpeg(
      ffmpeg,
      [
        [...input, "-map", "0:v:0", "-vf", guard + filter],
        [...output, "-f", "image2", "-update", "1", "-y", outPath],
      ].flat(),
      { signal, failure: "The still of the clip could not be made." },
    );
  await rm(outPath, { force: true });
  try {
    await make(NOT_BLACK);
    if (!existsSync(outPath)) await make(""); // nothing but black
  } catch (error) {
    await rm(outPath, { force: true });
    throw error;
  }
};
