// Peak memory of each function while a recording of an hour with 200,000 chat messages is analysed:
// read from a control group, so that ffmpeg, the page cache and everything else counts.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChatMessage } from "#shared/contract/chat.ts";
import { findFfmpeg, runFfmpeg } from "#shared/media/ffmpeg.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { createApiClient } from "#local/cli/api.ts";
import { parseEvent } from "#local/cli/progressView.ts";
import { startTwitch } from "#local/twitch/server.ts";
import { isTerminal, STAGES } from "#shared/contract/stages.ts";
import { generateSample } from "../samples/generateSample.ts";
import type { Bench } from "./row.ts";

const DURATION_SEC = 3600;
const MESSAGES = 200_000;
const LIMIT_MIB = 1024;
const MIB = 1024 ** 2;
const VOD = "1000000001";
const ROOT = "/sys/fs/cgroup/memory";

/** The sample over and over, without encoding it again. */
const longRecording = async (dir: string): Promise<string> => {
  const { videoPath } = await generateSample({ seed: 1, outDir: dir });
  const path = join(dir, "long.mp4");
  const loops = String(Math.ceil(DURATION_SEC / 120) - 1);
  const input = ["-stream_loop", loops, "-i", videoPath, "-t", String(DURATION_SEC)];
  await runFfmpeg(await findFfmpeg(), [...input, "-c", "copy", path], { timeoutMs: 120_000 });
  return path;
};

/** Evenly spread, with a burst every five minutes. */
const manyMessages = (): ChatMessage[] =>
  Array.from({ length: MESSAGES }, (_, i) => {
    const burst = i % 4 === 0;
    const at = (i / MESSAGES) * DURATION_SEC;
    const body = burst ? "LETS GOOO PogChamp" : `message number ${i} of an ordinary chat`;
    return {
      id: `m-${i}`,
      offsetSec: Math.floor(burst ? Math.floor(at / 300) * 300 + (at % 20) : at),
      user: { id: `${i % 5000}`, login: `user${i % 5000}`, name: `User${i % 5000}`, badges: [] },
      body,
      fragments: [{ text: body }],
      bits: 0,
    };
  }).toSorted((a, b) => a.offsetSec - b.offsetSec);

/** Moves every new instance into its function's group as soon as it is there. */
const watchInstances = (cloud: LocalCloud, groupOf: (name: string) => Promise<string>) => {
  const moved = new Set<number>();
  const timer = setInterval(() => {
    for (const { function: name, pid } of cloud.instances()) {
      if (moved.has(pid)) continue;
      moved.add(pid);
      void groupOf(name).then((group) =>
        writeFile(join(group, "cgroup.procs"), String(pid)).catch(() => undefined),
      );
    }
  }, 5);
  return () => clearInterval(timer);
};

const analyse = async (cloud: LocalCloud): Promise<number> => {
  const api = createApiClient(cloud.origin, cloud.apiKey);
  const startMs = performance.now();
  const { job_id: jobId } = await api.submit({ url: VOD, options: {} });
  for await (const event of api.follow(jobId, AbortSignal.timeout(1_800_000))) {
    const data = parseEvent(event);
    if (data.type === "status" && isTerminal(data.status)) break;
  }
  const job = await api.status(jobId);
  if (job.status !== "Completed") throw new Error(job.error?.message ?? job.status);
  return (performance.now() - startMs) / 1000;
};

export const run: Bench = async function* () {
  if (!existsSync(join(ROOT, "memory.max_usage_in_bytes"))) {
    process.stdout.write("Skipped: there is no memory controller of control groups, version 1.\n");
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), "bench-memory-"));
  const base = join(ROOT, `klipstream-bench-${process.pid}`);
  await mkdir(base);
  const groups = new Set<string>();
  const groupOf = async (name: string): Promise<string> => {
    const group = join(base, name);
    groups.add(group);
    await mkdir(group, { recursive: true });
    return group;
  };
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    for (const group of groups) await rmdir(group);
    await rmdir(base);
    await rm(dir, { recursive: true });
  });
  const twitch = await startTwitch({
    vods: [{ id: VOD, mediaPath: await longRecording(dir), comments: manyMessages() }],
    cacheDir: join(dir, "hls"),
    ffmpegPath: (await findFfmpeg()).path,
  });
  stack.defer(() => twitch.close());
  const cloud = await startCloud({
    dataDir: join(dir, "data"),
    hosts: twitch.hosts,
    // One instance a function, so that a group holds one task.
    maxInstancesPerFunction: 1,
  });
  stack.defer(() => cloud.close());
  const stopWatching = watchInstances(cloud, groupOf);
  stack.defer(stopWatching);
  const tookSec = await analyse(cloud);
  for (const stage of STAGES) {
    const file = join(base, stage, "memory.max_usage_in_bytes");
    if (!existsSync(file)) continue;
    const peakMib = Number(await readFile(file, "utf8")) / MIB;
    yield {
      name: `peak memory of ${stage}`,
      ours: peakMib,
      peer: LIMIT_MIB,
      unit: "MiB",
      ratio: peakMib / LIMIT_MIB,
      goal: "≤ 1",
      ...(stage === "finish"
        ? { note: `the whole job took ${tookSec.toFixed(0)} s; peer: the limit for a task` }
        : {}),
    };
  }
};
