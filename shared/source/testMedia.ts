// Media made on the fly for the tests of this folder, and the decoding of a piece as those who
// use it would: samples with their times.
import { execFile } from "node:child_process";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { findFfmpeg, startFfmpeg } from "../media/ffmpeg.ts";
import type { MediaPiece } from "../media/input.ts";

const run = promisify(execFile);
const ffmpeg = await findFfmpeg();

/**
 * Samples by which a range may lie off. FFmpeg before 6 rounds the times that this measures by, not
 * the sound: `decodeRange`, which counts samples, is exact with it too.
 */
export const MAX_LAG = Number.parseInt(ffmpeg.version, 10) >= 6 ? 0 : 48;

/** Runs ffmpeg with these arguments and fails where it does. */
export const makeMedia = async (args: string[], cwd?: string): Promise<void> => {
  await run(ffmpeg.path, ["-nostdin", "-v", "error", "-y", ...args], cwd ? { cwd } : {});
};

export const RATE_HZ = 48_000;

/** A sweep from 200 Hz to 4 kHz: no stretch of it looks like another. */
export const sweepInput = (sec: number): string[] => [
  "-f",
  "lavfi",
  "-i",
  `aevalsrc=exprs='0.5*sin(2*PI*(200*t+${1900 / sec}*t*t))':s=${RATE_HZ}:d=${sec}`,
];

export const pictureInput = (sec: number): string[] => [
  "-f",
  "lavfi",
  "-i",
  `testsrc2=size=160x90:rate=25:duration=${sec}`,
];

/**
 * Mono samples of a piece from `startSec` to `endSec` of the video's time, placed by the times
 * that ffmpeg shows; what lies outside is dropped, what is missing is silent.
 */
export const decodePiece = async (piece: MediaPiece): Promise<Float32Array> => {
  const shift = piece.ptsOffsetSec;
  const child = startFfmpeg(
    ffmpeg,
    [
      "-copyts",
      ...piece.inputArgs,
      "-map",
      "0:a:0",
      "-af",
      `aresample=${RATE_HZ},asetpts=PTS+${shift}/TB,atrim=end=${piece.endSec + 1},ashowinfo`,
      "-loglevel",
      "info",
      "-ac",
      "1",
      "-f",
      "f32le",
      "-",
    ],
    { input: piece.stdin !== undefined, timeoutMs: 60_000 },
  );
  let feedError: NodeJS.ErrnoException | undefined;
  const feeding = piece.stdin
    ? pipeline(piece.stdin, child.stdin).catch((error: NodeJS.ErrnoException) => {
        feedError = error;
      })
    : Promise.resolve();
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const { stderr, code } = await child.exited;
  await feeding;
  // An early end of the pipe is ffmpeg's: it has what it needs.
  const ended = feedError?.code === "EPIPE" || feedError?.code === "ERR_STREAM_PREMATURE_CLOSE";
  if (feedError && !ended) throw feedError;
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${stderr}`);
  const joined = Buffer.concat(chunks);
  const decoded = new Float32Array(joined.buffer, joined.byteOffset, joined.length >> 2);
  // The last frame's time and size say where the first sample lies; stderr keeps only its end.
  const frames = [...stderr.matchAll(/pts_time:(-?[\d.e-]+).*?nb_samples:(\d+)/g)];
  const last = frames.at(-1);
  if (last === undefined) return new Float32Array(0);
  const endSec = Number(last[1]) + Number(last[2]) / RATE_HZ;
  const first = Math.round(endSec * RATE_HZ) - decoded.length;
  const from = Math.round(piece.startSec * RATE_HZ);
  const out = new Float32Array(Math.round(piece.endSec * RATE_HZ) - from);
  for (let i = 0; i < out.length; i += 1) out[i] = decoded[from + i - first] ?? 0;
  return out;
};

/** Samples that `b` lies behind `a`, found by correlation within ±`reach`; and how alike they are. */
export const lagOf = (a: Float32Array, b: Float32Array, reach = 1300) => {
  const from = reach;
  const to = Math.min(a.length, b.length) - reach;
  let best = { lag: 0, likeness: -1 };
  for (let lag = -reach; lag <= reach; lag += 1) {
    let dot = 0;
    let aa = 0;
    let bb = 0;
    for (let i = from; i < to; i += 7) {
      const x = a[i] ?? 0;
      const y = b[i + lag] ?? 0;
      dot += x * y;
      aa += x * x;
      bb += y * y;
    }
    const likeness = dot / Math.sqrt(aa * bb || 1);
    if (likeness > best.likeness) best = { lag, likeness };
  }
  return best;
};
