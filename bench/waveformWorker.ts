// The two sides of bench/waveform.ts: `peer ADDRESS FOLDER` and `ours ADDRESS FOLDER N/OF`, where the
// address is `127.0.0.1:port/list`. Prints the seconds of CPU it took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { memoryStore } from "../tests/memoryStore.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import { decodeRange } from "#shared/media/decodeRange.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { cutRanges } from "#shared/media/grid.ts";
import { createGuardedFetch } from "#shared/source/fetch.ts";
import { openRange } from "#shared/source/open.ts";
import { resolveSource } from "#shared/source/resolve.ts";

const SAMPLES_PER_PIXEL = 1024;
const RANGE_SEC = 300;
const PAD_SEC = 5;

const [side = "", address = "", folder = "", share = "0/1"] = process.argv.slice(2);
const ffmpeg = await findFfmpeg();

/** ffmpeg on the address; stereo samples read as they come. */
const peer = async (): Promise<void> => {
  const input = ["-nostdin", "-loglevel", "error", "-i", `http://${address}`, "-vn"];
  const child = spawn(ffmpeg.path, [...input, "-ac", "2", "-f", "s16le", "pipe:1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const peaks: number[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let min = 32_767;
  let max = -32_768;
  let count = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const frames = bytes.length >> 2;
    const aligned = bytes.byteOffset % 2 === 0 ? bytes : Buffer.from(bytes);
    const pcm = new Int16Array(aligned.buffer, aligned.byteOffset, frames * 2);
    for (let i = 0; i < pcm.length; i += 2) {
      const mixed = Math.trunc(((pcm[i] as number) + (pcm[i + 1] as number)) / 2);
      if (mixed < min) min = mixed;
      if (mixed > max) max = mixed;
      count += 1;
      if (count < SAMPLES_PER_PIXEL) continue;
      peaks.push(min, max);
      min = 32_767;
      max = -32_768;
      count = 0;
    }
    rest = bytes.subarray(frames * 4);
  }
  const [code] = (await exited) as [number | null];
  if (code !== 0 || peaks.length === 0) throw new Error("The peer read nothing.");
};

/** Every `of`-th range, as an instance of `media` does it. */
const ours = async (n: number, of: number): Promise<void> => {
  const { host, pathname } = new URL(`http://${address}`);
  const net = createGuardedFetch(standInNet({ "media.example": host }));
  const deps = { fetch: net.fetch, store: memoryStore() };
  const limits = { maxDurationSec: 36_000, maxBytes: 2 ** 40, maxSegments: 100_000 };
  const url = `http://media.example${pathname}`;
  const source = await resolveSource({ kind: "media", url }, { ...deps, limits, spoolTo: null });
  const { audio, durationSec } = source;
  if (!audio) throw new Error("The recording has no sound.");
  const grid = { samplesPerPixel: SAMPLES_PER_PIXEL, sampleRateHz: audio.sampleRateHz };
  const ranges = cutRanges({ startSec: 0, endSec: durationSec, ...grid }, RANGE_SEC);
  for (const { startSec, endSec } of ranges.filter((_, index) => index % of === n)) {
    const padded = { startSec: startSec - PAD_SEC, endSec: endSec + PAD_SEC };
    const { peaks } = await decodeRange({
      ...grid,
      startSec,
      endSec,
      padSec: PAD_SEC,
      channels: audio.channels,
      ffmpeg,
      pieces: openRange(source, { ...padded, track: "audio" }, deps),
      scratchDir: await mkdtemp(join(folder, "range-")),
    });
    if (peaks.every((value) => value === 0)) throw new Error("The range is silent.");
  }
  await net.close();
};

if (side === "peer") await peer();
else await ours(...(share.split("/").map(Number) as [number, number]));

// Of this process and those it waited for, as Linux counts them; elsewhere of this one alone.
const { user, system } = process.cpuUsage();
const stat = await readFile("/proc/self/stat", "utf8").catch(() => undefined);
const [userTicks, systemTicks] = stat?.slice(stat.lastIndexOf(")")).split(" ").slice(14, 16) ?? [];
const childTicks = Number(userTicks ?? 0) + Number(systemTicks ?? 0);
process.stdout.write(`${(user + system) / 1e6 + childTicks / 100}\n`);
