// Downloading an HLS recording from a server 30 ms away: what our reader of ranges does, beside
// `yt-dlp -N 8` where that is installed, and ffmpeg reading the playlist, which asks for one segment
// after another. Every side is a process of its own; what counts is from its first request to its
// last byte, as the server saw it, so that nobody pays for starting.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serveFile } from "#local/twitch/fileServer.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { type Bench, median } from "./row.ts";
import { scratchFolder, tie } from "./scratch.ts";
import { filesOf, makeRecording } from "./waveform.ts";

const LATENCY_MS = 30;
const SEGMENT_SEC = 2;
const ROUNDS = 3;
const WORKER = fileURLToPath(new URL("downloadWorker.ts", import.meta.url));

/** Serves the folder, every answer late; knows when it was first asked and last answered. */
const startServer = async (folder: string) => {
  const files = await filesOf(folder);
  let firstMs: number | undefined;
  let lastMs = 0;
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    firstMs ??= performance.now();
    response.once("close", () => {
      lastMs = performance.now();
    });
    serveFile(request, response, { ...file, latencyMs: LATENCY_MS }).catch((error: Error) =>
      response.destroy(error),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Seconds in which the process was served. */
    timed: async (child: ChildProcess): Promise<number> => {
      firstMs = undefined;
      const [code] = (await once(tie(child), "exit")) as [number | null];
      if (code !== 0) throw new Error(`${child.spawnargs[0]} ended with ${code}.`);
      return (lastMs - (firstMs ?? Number.NaN)) / 1000;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
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
  const server = await startServer(scratch.path);
  const { timed } = server;
  stack.defer(() => server.close());
  const ffmpeg = await findFfmpeg();
  const withYtDlp = await isInstalled("yt-dlp");

  for (const [track, mbitPerSec] of [
    ["video", 6],
    ["sound", 0.17],
  ] as const) {
    const playlist = `http://${server.address}/${track}/index.m3u8`;
    let peakRssMib = 0;
    const ours = async (): Promise<number> => {
      const child = spawn(process.execPath, [WORKER, server.address, track], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      child.once("message", (mib) => {
        peakRssMib = Math.max(peakRssMib, Number(mib));
      });
      return timed(child);
    };
    const one = (): Promise<number> => {
      const args = ["-v", "error", "-i", playlist, "-c", "copy", "-f", "mpegts", "-y", "/dev/null"];
      return timed(spawn(ffmpeg.path, args, { stdio: ["ignore", "ignore", "inherit"] }));
    };
    const ytDlp = (): Promise<number> => {
      const args = ["-q", "--no-warnings", "-N", "8", "--no-part", "--force-overwrites"];
      const output = ["--fixup", "never", "-o", join(scratch.path, "yt-dlp.ts")];
      return timed(
        spawn("yt-dlp", [...args, ...output, playlist], { stdio: ["ignore", "ignore", "inherit"] }),
      );
    };
    const took = { ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      took.peer.push(await (withYtDlp ? ytDlp() : one()));
      took.ours.push(await ours());
    }
    const megabytes = ((durationSec * mbitPerSec) / 8).toFixed(0);
    const peer = withYtDlp
      ? "peer: yt-dlp -N 8"
      : "peer: ffmpeg on the playlist, since yt-dlp, which the goal is about, is not installed";
    yield {
      name: `download of ${durationSec / SEGMENT_SEC} segments, ${megabytes} MB of ${track}, ${LATENCY_MS} ms away`,
      ours: median(took.ours),
      peer: median(took.peer),
      unit: "s",
      ratio: median(took.peer.map((sec, round) => sec / (took.ours[round] ?? Number.NaN))),
      goal: "≥ 3 in 256 MiB",
      note: `${peer}; our process took ${peakRssMib.toFixed(0)} MiB at most, Node itself included`,
    };
  }
};
