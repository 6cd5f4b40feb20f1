// ffmpeg's arguments for pictures that we encode, as a recipe asks for them.
import type { OwnFile } from "./ownFile.ts";
import type { ClipRecipe } from "./recipe.ts";

/** Before the input: pictures beyond 8K are refused before memory is taken for them. */
export const PICTURE_LIMITS = ["-max_pixels", `${8192 * 4352}`];

/** Options under which the same input gives the same bytes. */
export const REPRODUCIBLE = ["-bitexact", "-map_metadata", "-1", "-map_chapters", "-1"];

export const pictureEncoder = ({ video }: Pick<ClipRecipe, "video">): string[] =>
  [
    ["-c:v", video.codec, "-preset", video.preset, "-crf", `${video.crf}`],
    // No B-frames: frames are stored in the order they are shown, so that parts and clips can be
    // joined without encoding them again. A closed group of pictures every two seconds.
    ["-bf", "0", "-pix_fmt", "yuv420p", "-threads", `${video.threads}`],
    ["-force_key_frames", "expr:gte(t,n_forced*2)", "-x264-params", "open-gop=0"],
  ].flat();

/** Frames on a grid that begins at the clip's first moment; the first one fills what precedes it. */
export const pictureFilter = (
  { video }: ClipRecipe,
  lengthSec: number,
  like: OwnFile["video"],
): string => {
  const { maxFps, maxHeight } = video;
  const size = like
    ? `scale=${like.width}:${like.height}:force_original_aspect_ratio=decrease,` +
      `pad=${like.width}:${like.height}:-1:-1,setsar=1`
    : // Even sides, the shorter one at most `maxHeight`.
      `scale=w='if(gt(iw,ih),-2,min(${maxHeight},trunc(iw/2)*2))'` +
      `:h='if(gt(iw,ih),min(${maxHeight},trunc(ih/2)*2),-2)'`;
  return [
    `fps=fps=${like ? like.fps.toFixed(6) : `min(source_fps\\,${maxFps})`}:start_time=0`,
    `trim=end=${lengthSec.toFixed(6)}`,
    "bwdif=mode=send_frame:deint=interlaced",
    size,
    "format=yuv420p",
  ].join(",");
};

/** A list for ffmpeg's concat demuxer: each file begins at its own time. */
export const concatList = (parts: readonly { path: string; fromSec: number }[]): string =>
  parts
    .flatMap(({ path, fromSec }, n) => {
      const next = parts[n + 1];
      const length = next ? [`duration ${(next.fromSec - fromSec).toFixed(6)}`] : [];
      return [`file '${path.replaceAll("'", String.raw`'\''`)}'`, "inpoint 0", ...length];
    })
    .join("\n");

/**
 * A filter that joins pictures which do not agree, as large as the first.
 * @param firstInput number of the first picture's input; the rest follow
 * @returns filter graph with the output `[picture]`
 */
export const joinedPicture = (
  pictures: readonly OwnFile["video"][],
  firstInput: number,
  { maxFps }: ClipRecipe["video"],
): string => {
  const { width, height, fps } = pictures.find((picture) => picture !== null) ?? {
    width: 1280,
    height: 720,
    fps: 25,
  };
  const each = pictures.map(
    (_, n) =>
      `[${firstInput + n}:v]fps=${Math.min(fps, maxFps).toFixed(6)},` +
      `scale=${width}:${height}:force_original_aspect_ratio=decrease,` +
      `pad=${width}:${height}:-1:-1,setsar=1,format=yuv420p[v${n}]`,
  );
  const labels = pictures.map((_, n) => `[v${n}]`).join("");
  return `${each.join(";")};${labels}concat=n=${pictures.length}:v=1:a=0[picture]`;
};
