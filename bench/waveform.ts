// Audio and waveform of an HLS recording that a server on this machine holds, beside what one would
// write first: ffmpeg on the address, its samples piped to a reader of peaks. Twenty minutes; an hour
// with `--full`. Both sides run in processes of their own; this one only serves.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFfmpeg, runFfmpeg } from "#shared/media/ffmpeg.ts";
import { type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { type Bench, median } from "./row.ts";
import { scratchFolder, tie } from "./scratch.ts";

const SEGMENT_SEC = 10;
/** Encoded once, then repeated. */
const LOOP_SEC = 60;
const INSTANCES = 2;
const ROUNDS = 3;
const WORKER = fileURLToPath(new URL("waveformWorker.ts", import.meta.url));

/** A 1080p60 stream of 6 Mbit/s, as Twitch has them, and a rendition of its sound alone. */
export const makeRecording = async (
  folder: string,
  { durationSec, segmentSec = SEGMENT_SEC }: { durationSec: number; segmentSec?: number },
): Promise<void> => {
  const ffmpeg = await findFfmpeg();
  const whole = join(folder, "whole.ts");
  const args =
    `-f lavfi -i testsrc2=s=1920x1080:r=60:d=${LOOP_SEC} ` +
    `-f lavfi -i aevalsrc=exprs=0.4*sin(2*PI*220*t)*sin(3*t)+0.1*random(0)|0.4*sin(2*PI*331*t):s=48000:d=${LOOP_SEC} ` +
    "-c:v libx264 -preset ultrafast -b:v 6000k -maxrate 6000k -bufsize 6000k -nal-hrd cbr -g 120 -pix_fmt yuv420p " +
    "-c:a aac -b:a 160k -f mpegts -y";
  await runFfmpeg(ffmpeg, [...args.split(" "), whole]);
  const renditions = { video: ["-map", "0"], sound: ["-map", "0:a"] };
  for (const [name, map] of Object.entries(renditions)) {
    await mkdir(join(folder, name));
    const loops = Math.ceil(durationSec / LOOP_SEC) - 1;
    const hls = `-f hls -hls_time ${segmentSec} -hls_list_size 0 -hls_playlist_type vod`.split(" ");
    const args = ["-stream_loop", `${loops}`, "-i", whole, ...map, "-c", "copy", ...hls];
    await runFfmpeg(ffmpeg, [...args, join(folder, name, "index.m3u8")]);
  }
  await rm(whole);
  await writeFile(
    join(folder, "master.m3u8"),
    [
      "#EXTM3U",
      '#EXT-X-STREAM-INF:BANDWIDTH=6400000,RESOLUTION=1920x1080,CODECS="avc1.64002A,mp4a.40.2"',
      "video/index.m3u8",
      '#EXT-X-STREAM-INF:BANDWIDTH=170000,CODECS="mp4a.40.2"',
      "sound/index.m3u8\n",
    ].join("\n"),
  );
};

export const filesOf = async (folder: string): Promise<Record<string, ServedFile>> => {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), { body: path }]),
  );
};

/** @returns seconds from the start of the processes to the end of the last */
const timed = async (argLists: string[][]): Promise<number> => {
  const startMs = performance.now();
  await Promise.all(
    argLists.map(async (args) => {
      const child = tie(spawn(process.execPath, [WORKER, ...args], { stdio: "inherit" }));
      const [code] = (await once(child, "exit")) as [number | null];
      if (code !== 0) throw new Error(`${args[0]} ended with ${code}.`);
    }),
  );
  return (performance.now() - startMs) / 1000;
};

export const run: Bench = async function* ({ full }) {
  const durationSec = full ? 3600 : 1200;
  using scratch = scratchFolder();
  const folder = scratch.path;
  await makeRecording(folder, { durationSec });
  await using stack = new AsyncDisposableStack();
  const server = await startFileServer(await filesOf(folder));
  stack.defer(() => server.close());
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    peer.push(await timed([["peer", server.address, folder]]));
    const instances = Array.from({ length: INSTANCES }, (_, n) => `${n}/${INSTANCES}`);
    ours.push(await timed(instances.map((share) => ["ours", server.address, folder, share])));
  }
  yield {
    name: `audio, waveform and loudness of a ${durationSec / 60} min HLS recording`,
    ours: median(ours),
    peer: median(peer),
    unit: "s",
    ratio: median(peer.map((sec, round) => sec / (ours[round] ?? Number.NaN))),
    goal: "≥ 2.5",
    note: `peer: ffmpeg to samples, piped to a reader of peaks (no 16 kHz audio); ours: ${INSTANCES} instances; medians of ${ROUNDS} rounds`,
  };
};
