// Renders one clip by its recipe. In two steps, so that picture and sound stay in step whatever the
// source is like: each piece's picture is encoded onto a grid of frames that begins with the clip
// while its sound is laid out sample by sample; then the two are put together.
import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StageError } from "../contract/errors.ts";
import { decodePiece, hadNoSound } from "./decodePiece.ts";
import {
  concatList,
  PICTURE_LIMITS,
  pictureEncoder,
  pictureFilter,
  REPRODUCIBLE,
} from "./encoding.ts";
import { checkExit, feed, type Ffmpeg, type FfmpegExit, runFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import type { MediaPiece } from "./input.ts";
import { describeOwnFile, type OwnFile } from "./ownFile.ts";
import { PcmFile } from "./pcmFile.ts";
import type { ClipRecipe } from "./recipe.ts";
import { Timeline } from "./timeline.ts";

const MIB = 1024 * 1024;
/** A decoder of 4K and an encoder of 720p, with two threads each. */
const MEMORY_BYTES = 3072 * MIB;
/** A picture that ends this much before the sound does has ended early. */
const SHORT_SEC = 0.1;

export interface ClipOptions {
  recipe: ClipRecipe;
  /** Of the rendition with the picture, from a key frame before the clip on; of the sound without. */
  pieces: AsyncIterable<MediaPiece>;
  /** Where the pieces with the picture have no sound: those that have it. */
  soundPieces?: AsyncIterable<MediaPiece>;
  /** In the clip's own time; put into the clip as a subtitle track. */
  captionsVtt?: string;
  /** The mp4; made or replaced. */
  outPath: string;
  scratchDir: string;
  ffmpeg: Ffmpeg;
  signal?: AbortSignal | undefined;
  /** 0 to 1. */
  onProgress?: (fraction: number) => void;
}

/** What identifies subtitles in a recipe. */
export const captionsSha256 = (vtt: string): string =>
  createHash("sha256").update(vtt).digest("hex");

/** One piece's share of the clip. */
interface Share {
  piece: MediaPiece;
  /** Seconds after the clip's start. */
  fromSec: number;
  lengthSec: number;
}

const shareOf = (piece: MediaPiece, { startSec, endSec }: ClipRecipe): Share | null => {
  const from = Math.max(startSec, piece.startSec);
  const to = Math.min(endSec, piece.endSec);
  if (to <= from) return null;
  // ffmpeg's clock is moved so that the share begins at zero.
  const offset = (piece.ptsOffsetSec - from).toFixed(6);
  return {
    piece: {
      ...piece,
      ptsOffsetSec: from - startSec,
      inputArgs: ["-itsoffset", offset, ...piece.inputArgs],
    },
    fromSec: from - startSec,
    lengthSec: to - from,
  };
};

/** Encodes a piece's picture alone. */
const encodePicture = async (
  piece: MediaPiece,
  args: string[],
  { ffmpeg, signal }: ClipOptions,
): Promise<FfmpegExit> => {
  const child = startFfmpeg(
    ffmpeg,
    [
      ["-copyts", "-noaccurate_seek", "-threads", "2", ...PICTURE_LIMITS],
      [...piece.inputArgs, ...args],
    ].flat(),
    { input: piece.stdin !== undefined, memoryBytes: MEMORY_BYTES, signal },
  );
  child.stdout.resume();
  const fed = feed(piece.stdin, child);
  const exit = await child.exited;
  const failure = (await fed) ?? piece.failure?.();
  if (failure) throw failure;
  return exit;
};

class Renderer {
  readonly #options: ClipOptions;
  readonly #timeline: Timeline;
  readonly #sound: PcmFile | null;
  readonly #soundPath: string;
  readonly #files: string[] = [];
  readonly #parts: { path: string; fromSec: number }[] = [];
  #shape: OwnFile["video"] = null;

  constructor(options: ClipOptions) {
    const { recipe } = options;
    this.#options = options;
    this.#soundPath = this.#file("sound.pcm");
    this.#sound = recipe.audio && new PcmFile(this.#soundPath, recipe.audio.channels);
    const { sampleRateHz, channels } = recipe.audio ?? { sampleRateHz: 48_000, channels: 2 };
    const end = Math.round((recipe.endSec - recipe.startSec) * sampleRateHz);
    const sinks = this.#sound ? [this.#sound] : [];
    this.#timeline = new Timeline(sinks, { start: 0, end, sampleRateHz, channels });
  }

  async render(): Promise<OwnFile> {
    const { recipe, pieces, soundPieces, outPath, ffmpeg, signal } = this.#options;
    const fromPicture = recipe.video.from === "picture";
    await this.#eachShare(pieces, async (share) => {
      if (fromPicture) await this.#renderPicture(share);
      else await this.#laySound(share);
    });
    if (soundPieces && this.#sound)
      await this.#eachShare(soundPieces, (share) => this.#laySound(share));
    if (fromPicture && this.#parts.length === 0)
      throw new StageError("invalid_media", "There is no picture to make the clip of.");

    const lengthSec = await this.#endSound();
    this.#options.onProgress?.(0.9);
    await runFfmpeg(ffmpeg, [...(await this.#composition(lengthSec)), "-y", outPath], {
      signal,
      memoryBytes: MEMORY_BYTES,
      failure: "The clip could not be put together.",
    });
    return await describeOwnFile(outPath);
  }

  /** Removes everything but the clip. */
  async clean(): Promise<void> {
    this.#sound?.cancel();
    await Promise.all(this.#files.map((path) => rm(path, { force: true })));
  }

  #file(name: string): string {
    const path = join(this.#options.scratchDir, `clip-${name}`);
    this.#files.push(path);
    return path;
  }

  async #eachShare(
    pieces: AsyncIterable<MediaPiece>,
    use: (share: Share) => Promise<void>,
  ): Promise<void> {
    for await (const piece of pieces) {
      try {
        const share = shareOf(piece, this.#options.recipe);
        if (share) await use(share);
      } finally {
        await piece.close();
      }
    }
  }

  #decode(share: Share, beside?: string[]): Promise<FfmpegExit> {
    const { recipe, ffmpeg, signal, onProgress } = this.#options;
    const sound = this.#sound as PcmFile;
    const { sampleRateHz, channels } = recipe.audio as NonNullable<ClipRecipe["audio"]>;
    return decodePiece(share.piece, {
      timeline: this.#timeline,
      sampleRateHz,
      channels,
      drained: () => sound.drained(),
      ffmpeg,
      signal,
      onProgress: () => onProgress?.((0.9 * this.#timeline.at) / this.#timeline.end),
      ...(beside && {
        beside: { args: beside, untilPtsSec: share.lengthSec, memoryBytes: MEMORY_BYTES },
      }),
    });
  }

  async #laySound(share: Share): Promise<void> {
    const exit = await this.#decode(share);
    if (!hadNoSound(exit)) checkExit(exit);
  }

  async #renderPicture(share: Share): Promise<void> {
    const { recipe, soundPieces } = this.#options;
    const path = this.#file(`part-${this.#parts.length}.mp4`);
    const filter = pictureFilter(recipe, share.lengthSec, this.#shape);
    const args = ["-map", "0:v:0", "-vf", filter, ...pictureEncoder(recipe), ...REPRODUCIBLE];
    args.push("-f", "mp4", "-y", path);
    const exit =
      this.#sound && !soundPieces
        ? await this.#decode(share, args)
        : await encodePicture(share.piece, args, this.#options);
    checkExit(exit, "The picture of the clip cannot be decoded.");
    const { video } = await describeOwnFile(path);
    if (video === null) return; // nothing of the picture falls into this piece
    this.#shape ??= video;
    this.#parts.push({ path, fromSec: share.fromSec });
  }

  /** @returns length of the clip: shorter than asked for where the source ends in it */
  async #endSound(): Promise<number> {
    const { recipe } = this.#options;
    const wantedSec = recipe.endSec - recipe.startSec;
    const soundSec = (this.#timeline.at / this.#timeline.end) * wantedSec;
    const last = this.#parts.at(-1);
    const pictureSec = last
      ? last.fromSec + ((await describeOwnFile(last.path)).video?.durationSec ?? 0)
      : 0;
    const endsSec = Math.max(this.#sound ? soundSec : 0, pictureSec);
    const lengthSec = endsSec < wantedSec - SHORT_SEC ? endsSec : wantedSec;
    if (lengthSec <= 0)
      throw new StageError("invalid_media", "There is nothing in the source to make the clip of.");
    this.#timeline.fillTo(Math.round((lengthSec / wantedSec) * this.#timeline.end));
    await this.#sound?.finish();
    return lengthSec;
  }

  async #composition(lengthSec: number): Promise<string[]> {
    const { recipe, captionsVtt } = this.#options;
    const { audio } = recipe;
    const args = await this.#pictureInput();
    let inputs = args.length > 0 ? 1 : 0;
    const sound = audio && inputs;
    if (audio) {
      inputs += 1;
      args.push("-f", "s16le", "-ar", `${audio.sampleRateHz}`, "-ac", `${audio.channels}`);
      args.push("-i", this.#soundPath);
    }
    if (captionsVtt !== undefined) {
      const path = this.#file("captions.vtt");
      await writeFile(path, captionsVtt);
      args.push("-f", "webvtt", "-i", path);
    }
    if (this.#parts.length > 0) args.push("-map", "0:v", "-c:v", "copy");
    else {
      // Two samples a column, so that 960 columns make exactly 25 pictures of 48,000 samples.
      const waves =
        `[0:a]aformat=channel_layouts=mono,showwaves=s=960x540:mode=cline:n=2:scale=sqrt:` +
        `colors=0x9147ff,trim=end=${lengthSec.toFixed(6)},format=yuv420p[waves]`;
      args.push("-filter_complex", waves, "-map", "[waves]", ...pictureEncoder(recipe));
    }
    if (audio) args.push("-map", `${sound}:a`, "-c:a", audio.codec, "-b:a", `${audio.bitsPerSec}`);
    if (captionsVtt !== undefined) args.push("-map", `${inputs}:s`, "-c:s", "mov_text");
    return [...args, ...REPRODUCIBLE, "-movflags", "+faststart", "-f", "mp4"];
  }

  async #pictureInput(): Promise<string[]> {
    const [first] = this.#parts;
    if (!first) return [];
    if (this.#parts.length === 1) return ["-f", "mov", "-i", first.path];
    const list = this.#file("parts.ffconcat");
    await writeFile(list, concatList(this.#parts));
    return ["-f", "concat", "-safe", "0", "-i", list];
  }
}

/**
 * Renders a clip: mp4, H.264 and AAC, ready to play while it loads. The same recipe over the same
 * source gives the same bytes with the same ffmpeg.
 * @returns what came out; shorter than the recipe says where the source ends in it
 * @throws {StageError} `invalid_media`, what the source failed with, `resources_exhausted`,
 *   `stage_timeout`; the reason of an abort. No file is left then.
 */
export const renderClip = async (options: ClipOptions): Promise<OwnFile> => {
  const { recipe, captionsVtt } = options;
  const captions = captionsVtt === undefined ? null : captionsSha256(captionsVtt);
  if (captions !== recipe.captionsSha256)
    throw new StageError("internal", "The subtitles are not those of the recipe.");
  const renderer = new Renderer(options);
  try {
    return await renderer.render();
  } catch (error) {
    await rm(options.outPath, { force: true });
    throw error;
  } finally {
    await renderer.clean();
  }
};
