// Audio and waveform of an HLS recording that a server on this machine holds, beside what one would
// write first: ffmpeg on the address, its samples piped to a reader of peaks. Twenty minutes; an hour
// with `--full`. Both sides run in processes of their own; this one only serves.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFfmpeg, runFfmpeg } from "#shared/media/ffmpeg.ts";
import { type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import type { BenchRow } from "./row.ts";

const SEGMENT_SEC = 10;
const INSTANCES = 2;
const ROUNDS = 2;
const WORKER = fileURLToPath(new URL("waveformWorker.ts", import.meta.url));

/** A 1080p60 stream of 6 Mbit/s, as Twitch has them, and a rendition of its sound alone. */
const makeRecording = async (folder: string, durationSec: number): Promise<void> => {
  const ffmpeg = await findFfmpeg();
  const whole = join(folder, "whole.ts");
  const args =
    `-f lavfi -i testsrc2=s=1920x1080:r=60:d=${SEGMENT_SEC * 6} ` +
    `-f lavfi -i aevalsrc=exprs=0.4*sin(2*PI*220*t)*sin(3*t)+0.1*random(0)|0.4*sin(2*PI*331*t):s=48000:d=${SEGMENT_SEC * 6} ` +
    "-c:v libx264 -preset ultrafast -b:v 6000k -maxrate 6000k -bufsize 6000k -nal-hrd cbr -g 120 -pix_fmt yuv420p " +
    "-c:a aac -b:a 160k -f mpegts -y";
  await runFfmpeg(ffmpeg, [...args.split(" "), whole]);
  const renditions = { video: ["-map", "0"], sound: ["-map", "0:a"] };
  for (const [name, map] of Object.entries(renditions)) {
    await mkdir(join(folder, name));
    const loops = Math.ceil(durationSec / (SEGMENT_SEC * 6)) - 1;
    const hls = `-f hls -hls_time ${SEGMENT_SEC} -hls_list_size 0 -hls_playlist_type vod`.split(
      " ",
    );
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

const filesOf = async (folder: string): Promise<Record<string, ServedFile>> => {
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
      const child = spawn(process.execPath, [WORKER, ...args], { stdio: "inherit" });
      const [code] = (await once(child, "exit")) as [number | null];
      if (code !== 0) throw new Error(`${args[0]} ended with ${code}.`);
    }),
  );
  return (performance.now() - startMs) / 1000;
};

export const run = async (): Promise<BenchRow[]> => {
  const durationSec = process.argv.includes("--full") ? 3600 : 1200;
  const folder = await mkdtemp(join(tmpdir(), "klip-bench-"));
  try {
    await makeRecording(folder, durationSec);
    const server = await startFileServer(await filesOf(folder));
    try {
      const seconds = { ours: Infinity, peer: Infinity };
      for (let round = 0; round < ROUNDS; round += 1) {
        seconds.peer = Math.min(seconds.peer, await timed([["peer", server.address, folder]]));
        const instances = Array.from({ length: INSTANCES }, (_, n) => `${n}/${INSTANCES}`);
        const ours = instances.map((share) => ["ours", server.address, folder, share]);
        seconds.ours = Math.min(seconds.ours, await timed(ours));
      }
      return [
        {
          name: `audio, waveform and loudness of a ${durationSec / 60} min HLS recording`,
          ...seconds,
          unit: "s",
          ratio: seconds.peer / seconds.ours,
          goal: "≥ 2.5",
          note: `peer: ffmpeg to samples, piped to a reader of peaks (no 16 kHz audio); ours: ${INSTANCES} instances`,
        },
      ];
    } finally {
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
