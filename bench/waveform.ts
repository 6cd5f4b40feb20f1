// Audio and waveform of an HLS recording that a server on this machine holds, beside what one would
// write first: ffmpeg on the address, its samples piped to a reader of peaks. Twenty minutes; an hour
// with `--full`. Once with a rendition of the sound alone, as Twitch has it, and once without. Both
// sides run in processes of their own; this one only serves.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
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
  const picture = [
    "#EXTM3U",
    '#EXT-X-STREAM-INF:BANDWIDTH=6400000,RESOLUTION=1920x1080,CODECS="avc1.64002A,mp4a.40.2"',
    "video/index.m3u8\n",
  ].join("\n");
  const sound = '#EXT-X-STREAM-INF:BANDWIDTH=170000,CODECS="mp4a.40.2"\nsound/index.m3u8\n';
  await writeFile(join(folder, "master.m3u8"), picture + sound);
  await writeFile(join(folder, "pictures.m3u8"), picture);
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

interface Cost {
  /** From the start of the processes to the end of the last. */
  wallSec: number;
  /** Of the processes and all that they started. */
  cpuSec: number;
}

const timed = async (argLists: string[][], cacheFolder: string): Promise<Cost> => {
  const startMs = performance.now();
  // Both sides start from compiled code, as deployed functions do.
  const env = { ...process.env, NODE_COMPILE_CACHE: cacheFolder };
  const cpuSec = await Promise.all(
    argLists.map(async (args) => {
      const child = spawn(process.execPath, [WORKER, ...args], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      tie(child);
      const said = text(child.stdout);
      const [code] = (await once(child, "exit")) as [number | null];
      if (code !== 0) throw new Error(`${args[0]} ended with ${code}.`);
      return Number(await said);
    }),
  );
  const wallSec = (performance.now() - startMs) / 1000;
  return { wallSec, cpuSec: cpuSec.reduce((sum, sec) => sum + sec, 0) };
};

const CASES = [
  { list: "master.m3u8", what: "with a rendition of its sound alone (the peer takes the first)" },
  { list: "pictures.m3u8", what: "without a rendition of its sound alone" },
];

export const run: Bench = async function* ({ full }) {
  const durationSec = full ? 3600 : 1200;
  using scratch = scratchFolder();
  const folder = scratch.path;
  await makeRecording(folder, { durationSec });
  await using stack = new AsyncDisposableStack();
  const server = await startFileServer(await filesOf(folder));
  stack.defer(() => server.close());
  const cache = join(folder, "compiled");
  for (const { list, what } of CASES) {
    const ours: Cost[] = [];
    const peer: Cost[] = [];
    // The first round fills the caches, of compiled code and of files.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const address = `${server.address}/${list}`;
      const shares = Array.from({ length: INSTANCES }, (_, n) => `${n}/${INSTANCES}`);
      const pair = [
        await timed([["peer", address, folder]], cache),
        await timed(
          shares.map((share) => ["ours", address, folder, share]),
          cache,
        ),
      ] as const;
      if (round === 0) continue;
      peer.push(pair[0]);
      ours.push(pair[1]);
    }
    const ratioOf = (cost: keyof Cost): number =>
      median(peer.map((sec, round) => sec[cost] / (ours[round]?.[cost] ?? Number.NaN)));
    yield {
      name: `audio, waveform and loudness of a ${durationSec / 60} min HLS recording, ${what}`,
      ours: median(ours.map(({ wallSec }) => wallSec)),
      peer: median(peer.map(({ wallSec }) => wallSec)),
      unit: "s",
      ratio: ratioOf("wallSec"),
      goal: "≥ 2.5",
      note:
        `peer: ffmpeg on the same list to samples, piped to a reader of peaks (no 16 kHz audio); ` +
        `ours: ${INSTANCES} instances; medians of ${ROUNDS} rounds; ratio of CPU time ${ratioOf("cpuSec").toFixed(2)}`,
    };
  }
};
