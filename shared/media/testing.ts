// For the tests of this folder: media made by ffmpeg in a folder of the test's own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { checkExit, type Ffmpeg, runFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import type { MediaPiece } from "./input.ts";

/** A folder that goes with the test. */
export const scratch = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "klip-media-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** Runs ffmpeg with arguments given as one line, the file made at their end. */
export const make = async (ffmpeg: Ffmpeg, path: string, line: string): Promise<string> => {
  await runFfmpeg(ffmpeg, [...line.trim().split(/\s+/), "-y", path]);
  return path;
};

/** A piece that reads a local file. */
export const filePiece = (
  path: string,
  demuxer: string,
  piece: { startSec: number; endSec: number; seekSec?: number; ptsOffsetSec?: number },
): MediaPiece => ({
  startSec: piece.startSec,
  endSec: piece.endSec,
  ptsOffsetSec: piece.ptsOffsetSec ?? 0,
  inputArgs: [
    piece.seekSec ? ["-ss", piece.seekSec.toFixed(6)] : [],
    ["-f", demuxer, "-i", path],
  ].flat(),
  muted: [],
  bytesRead: () => 0,
  close: () => Promise.resolve(),
});

export async function* each<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

/** What ffmpeg writes to standard output. */
export const outputOf = async (ffmpeg: Ffmpeg, args: string[]): Promise<Buffer> => {
  const child = startFfmpeg(ffmpeg, [...args, "pipe:1"]);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  checkExit(await child.exited);
  return Buffer.concat(chunks);
};

/** ffmpeg's messages, warnings included, while it decodes all of a file. */
export const messagesOf = async (ffmpeg: Ffmpeg, path: string): Promise<string> => {
  const args = ["-loglevel", "warning", "-i", path, "-map", "0:v?", "-map", "0:a?"];
  return (await runFfmpeg(ffmpeg, [...args, "-f", "null", "-"])).stderr;
};
