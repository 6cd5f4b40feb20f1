// Downloading an HLS recording from a server 30 ms away: what our reader of ranges does, beside
// `yt-dlp -N 8` where that is installed, and ffmpeg reading the playlist, which asks for one segment
// after another. Every side is a process of its own and is measured with its start.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startFileServer } from "#local/twitch/fileServer.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { type Bench, median } from "./row.ts";
import { scratchFolder, tie } from "./scratch.ts";
import { filesOf, makeRecording } from "./waveform.ts";

const LATENCY_MS = 30;
const SEGMENT_SEC = 2;
const ROUNDS = 3;
const WORKER = fileURLToPath(new URL("downloadWorker.ts", import.meta.url));

/** @returns seconds to the process's end */
const timed = async (child: ChildProcess): Promise<number> => {
  const startMs = performance.now();
  const [code] = (await once(tie(child), "exit")) as [number | null];
  if (code !== 0) throw new Error(`${child.spawnargs[0]} ended with ${code}.`);
  return (performance.now() - startMs) / 1000;
};

const isInstalled = async (program: string): Promise<boolean> => {
  const child = spawn(program, ["--version"], { stdio: "ignore" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
};

export const run: Bench = async function* ({ full }) {
  // 6 Mbit/s: 256 MiB are about six minutes.
  const durationSec = full ? 3600 : 360;
  using scratch = scratchFolder();
  await makeRecording(scratch.path, { durationSec, segmentSec: SEGMENT_SEC });
  await using stack = new AsyncDisposableStack();
  const files = await filesOf(scratch.path);
  for (const file of Object.values(files)) file.latencyMs = LATENCY_MS;
  const server = await startFileServer(files);
  stack.defer(() => server.close());
  const playlist = `http://${server.address}/video/index.m3u8`;
  const ffmpeg = await findFfmpeg();

  let peakRssMib = 0;
  const ours = async (): Promise<number> => {
    const child = spawn(process.execPath, [WORKER, server.address], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.once("message", (mib) => {
      peakRssMib = Math.max(peakRssMib, Number(mib));
    });
    return timed(child);
  };
  const peers: Record<string, () => Promise<number>> = {
    "ffmpeg on the playlist": () => {
      const args = ["-v", "error", "-i", playlist, "-c", "copy", "-f", "mpegts", "-y", "/dev/null"];
      return timed(spawn(ffmpeg.path, args, { stdio: ["ignore", "ignore", "inherit"] }));
    },
  };
  if (await isInstalled("yt-dlp"))
    peers["yt-dlp -N 8"] = () => {
      const args = ["-q", "-N", "8", "--no-part", "--force-overwrites", "--fixup", "never"];
      const output = join(scratch.path, "yt-dlp.ts");
      return timed(
        spawn("yt-dlp", [...args, "-o", output, playlist], {
          stdio: ["ignore", "ignore", "inherit"],
        }),
      );
    };
  const hasGoal = "yt-dlp -N 8" in peers;

  for (const [name, peer] of Object.entries(peers)) {
    const took = { ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      took.peer.push(await peer());
      took.ours.push(await ours());
    }
    yield {
      name: `download of ${(durationSec * 0.75).toFixed(0)} MB of HLS at ${LATENCY_MS} ms latency, beside ${name}`,
      ours: median(took.ours),
      peer: median(took.peer),
      unit: "s",
      ratio: median(took.peer.map((sec, round) => sec / (took.ours[round] ?? Number.NaN))),
      ...(name.startsWith("yt-dlp") ? { goal: "≥ 3, 256 MiB" } : {}),
      note: `our process took ${peakRssMib.toFixed(0)} MiB at most${hasGoal ? "" : "; yt-dlp, which the goal is about, is not installed here"}`,
    };
  }
};
