// All clips of a job after one another. Pictures are taken over as they are where they agree, which
// clips of one source do; sound is joined by samples, so that no clip's drifts against its picture.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { concatList, joinedPicture, pictureEncoder, REPRODUCIBLE } from "./encoding.ts";
import { type Ffmpeg, runFfmpeg } from "./ffmpeg.ts";
import { describeOwnFile, type OwnFile } from "./ownFile.ts";
import type { ClipRecipe } from "./recipe.ts";
import { joinVtt } from "./vtt.ts";

export interface ReelOptions {
  /** In the order they are shown; at least one. */
  clips: readonly { path: string; captionsVtt?: string }[];
  outPath: string;
  scratchDir: string;
  ffmpeg: Ffmpeg;
  /** How the picture is encoded where that is needed. */
  video: ClipRecipe["video"];
  signal?: AbortSignal | undefined;
}

export interface Reel {
  durationSec: number;
  /** Where each clip begins in the reel, seconds. */
  startsSec: number[];
  /** The clips' subtitles, moved to their place; null where no clip has any. */
  captionsVtt: string | null;
}

const BITS_PER_SEC = 128_000;
const SAMPLE_RATE_HZ = 48_000;

/** Every clip's sound, cut or padded to the length of its picture. */
const joinedSound = (files: readonly OwnFile[], lengthsSec: readonly number[]): string => {
  const each = files.map(({ audio }, n) => {
    const length = (lengthsSec[n] as number).toFixed(6);
    // Input 0 is the joined picture where that is taken over; the clips follow.
    return audio
      ? `[${n + 1}:a]aresample=${SAMPLE_RATE_HZ},aformat=channel_layouts=stereo,apad,atrim=end=${length}[a${n}]`
      : `anullsrc=r=${SAMPLE_RATE_HZ}:cl=stereo,atrim=end=${length}[a${n}]`;
  });
  const labels = files.map((_, n) => `[a${n}]`).join("");
  return `${each.join(";")};${labels}concat=n=${files.length}:v=0:a=1[sound]`;
};

/**
 * Joins clips that we rendered into one mp4.
 * @throws {StageError} `internal` where a clip cannot be read, `resources_exhausted`,
 *   `stage_timeout`; the reason of an abort. No file is left then.
 */
export const joinReel = async (options: ReelOptions): Promise<Reel> => {
  const { clips, outPath, scratchDir, ffmpeg, signal } = options;
  const files = await Promise.all(clips.map(({ path }) => describeOwnFile(path)));
  // A frame more or less than the sound has would add up: the picture says how long a clip is.
  const lengthsSec = files.map((file) => file.video?.durationSec ?? file.durationSec);
  const startsSec = lengthsSec.map((_, n) => lengthsSec.slice(0, n).reduce((a, b) => a + b, 0));
  const list = join(scratchDir, "reel.ffconcat");
  await writeFile(
    list,
    concatList(clips.map(({ path }, n) => ({ path, fromSec: startsSec[n] as number }))),
  );

  const agree = new Set(files.map((file) => file.video?.decoderConfig)).size === 1;
  const graph = agree
    ? []
    : [
        joinedPicture(
          files.map((file) => file.video),
          1,
          options.video,
        ),
      ];
  const hasSound = files.some((file) => file.audio !== null);
  if (hasSound) graph.push(joinedSound(files, lengthsSec));
  const args = [
    ["-f", "concat", "-safe", "0", "-i", list],
    ...clips.map(({ path }) => ["-f", "mov", "-i", path]),
    graph.length > 0 ? ["-filter_complex", graph.join(";")] : [],
    agree ? ["-map", "0:v", "-c:v", "copy"] : ["-map", "[picture]", ...pictureEncoder(options)],
    hasSound ? ["-map", "[sound]", "-c:a", "aac", "-b:a", `${BITS_PER_SEC}`] : [],
    [...REPRODUCIBLE, "-movflags", "+faststart", "-f", "mp4", "-y", outPath],
  ].flat();
  try {
    await runFfmpeg(ffmpeg, args, { signal, failure: "The clips could not be joined." });
  } catch (error) {
    await rm(outPath, { force: true });
    throw error;
  } finally {
    await rm(list, { force: true });
  }

  const parts = clips.flatMap(({ captionsVtt: vtt }, n) =>
    vtt === undefined ? [] : [{ vtt, offsetSec: startsSec[n] as number }],
  );
  return {
    durationSec: (await describeOwnFile(outPath)).durationSec,
    startsSec,
    captionsVtt: parts.length > 0 ? joinVtt(parts) : null,
  };
};
