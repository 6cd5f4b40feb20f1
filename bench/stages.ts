// What each function uses while a recording is analysed on the local cloud: processor, memory with
// ffmpeg and /tmp, time, and what it asks of others. Sizes in functions/catalog.ts and the figures that
// deploy/cost.ts reckons with come from here.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CATALOG } from "#functions/catalog.ts";
import { createApiClient } from "#local/cli/api.ts";
import { parseEvent } from "#local/cli/progressView.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { startTwitch } from "#local/twitch/server.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { FRAMEWORK } from "./bareFunction.ts";
import { type GroupUse, hasControlGroups, makeControlGroups } from "./controlGroups.ts";
import { makeChat, makeRecording } from "./recording.ts";
import { type Bench, quantile } from "./row.ts";
import { scratchFolder } from "./scratch.ts";
import type { InstanceReport } from "./watchInstance.ts";

const MIB = 1024 ** 2;
const VOD = "1000000001";
/** Before each answer of the site. */
const SITE_LATENCY_MS = 50;
const WAIT_MS = 3_600_000;

export interface StagesOptions {
  durationSec: number;
  messagesPerHour: number;
  /** Without it there are no clips, and the recording is small. */
  hasPicture: boolean;
  speech: "remote" | "none";
}

/** What one function did for the whole job. */
export interface FunctionFigures extends GroupUse {
  name: string;
  /** Of Pub/Sub, Scheduler and callers. */
  requests: number;
  /** Sum over the requests, and the slowest of a hundred. */
  wallSec: number;
  p99Sec: number;
  /** Of one instance, before its first request. */
  startCpuSec: number;
  /** Storage operations by price class, calls of Convex, and requests to the site or provider. */
  classA: number;
  classB: number;
  convexCalls: number;
  outside: number;
  logBytes: number;
}

export interface JobFigures {
  options: StagesOptions;
  tookSec: number;
  functions: FunctionFigures[];
  /** Left under `stages/` and `jobs/`. */
  storedBytes: { stages: number; jobs: number };
}

/** A server of OpenAI's protocol that has heard a word every 0.4 s before it is asked. */
const startSpeech = async () => {
  const words = Array.from({ length: 775 }, (_, i) => ({
    word: `word${i % 400}`,
    start: i * 0.4,
    end: i * 0.4 + 0.3,
  }));
  const text = words.map(({ word }) => word).join(" ");
  const answer = JSON.stringify({ language: "english", text, words });
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      response.setHeader("content-type", "application/json").end(answer);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

const analyse = async (cloud: LocalCloud, options: StagesOptions): Promise<number> => {
  const api = createApiClient(cloud.origin, cloud.apiKey);
  const startMs = performance.now();
  const { job_id: jobId } = await api.submit({ url: VOD, options: { clips: options.hasPicture } });
  for await (const event of api.follow(jobId, AbortSignal.timeout(WAIT_MS))) {
    const data = parseEvent(event);
    if (data.type === "status" && isTerminal(data.status)) break;
  }
  const job = await api.status(jobId);
  if (job.status !== "Completed")
    throw new Error(`${job.status}: ${JSON.stringify(job.error)} ${JSON.stringify(job.warnings)}`);
  return (performance.now() - startMs) / 1000;
};

/** What the functions' logs complain of; they are gone with the rest. */
const complaints = (folder: string): string =>
  readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"))
    .filter((line) => !line.includes('"INFO"'))
    .slice(-20)
    .join("\n");

const storedUnder = async (cloud: LocalCloud, prefix: string): Promise<number> => {
  let sum = 0;
  for (let pageToken: string | undefined = ""; pageToken !== undefined;) {
    const query: string = new URLSearchParams({ prefix, pageToken }).toString();
    const answer = await fetch(`${cloud.storageOrigin}/storage/v1/b/${cloud.bucket}/o?${query}`);
    const page = (await answer.json()) as { items?: { size: string }[]; nextPageToken?: string };
    for (const { size } of page.items ?? []) sum += Number(size);
    pageToken = page.nextPageToken;
  }
  return sum;
};

const readReports = (folder: string, name: string): InstanceReport[] =>
  readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as InstanceReport);

/** Which price class a storage request has; copying and listing are of the dear one. */
const isClassA = (key: string): boolean => /^(POST|PUT|PATCH) /.test(key) || key.endsWith(" list");

const askedOf = (
  reports: readonly InstanceReport[],
  cloud: { storage: string; convex: string },
) => {
  const sums = { classA: 0, classB: 0, convexCalls: 0, outside: 0 };
  for (const [key, times] of reports.flatMap(({ asked }) => Object.entries(asked))) {
    const [method, origin] = key.split(" ");
    if (origin === cloud.convex) sums.convexCalls += times;
    else if (origin !== cloud.storage) sums.outside += times;
    else if (isClassA(key)) sums.classA += times;
    // Deleting is free.
    else if (method !== "DELETE") sums.classB += times;
  }
  return sums;
};

/** @throws {Error} where the job does not complete */
export const measureStages = async (options: StagesOptions): Promise<JobFigures> => {
  using disk = scratchFolder();
  // What instances write must count as their memory.
  using memory = scratchFolder(existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  const { durationSec, hasPicture } = options;
  const recording = await makeRecording(disk.path, { durationSec, hasPicture });
  const twitch = await startTwitch({
    vods: [
      { id: VOD, mediaPath: recording, comments: makeChat(durationSec, options.messagesPerHour) },
    ],
    cacheDir: join(disk.path, "hls"),
    ffmpegPath: (await findFfmpeg()).path,
    latencyMs: SITE_LATENCY_MS,
    copy: true,
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => twitch.close());
  using speech = await startSpeech();
  // Its groups are empty only when the cloud below is gone.
  const groups = stack.use(makeControlGroups());
  const reports = join(disk.path, "reports");
  mkdirSync(reports);
  const dataDir = join(memory.path, "data");
  const cloud = await startCloud({
    dataDir,
    hosts: twitch.hosts,
    announced: false,
    // One instance a function, so that a group holds one task.
    maxInstancesPerFunction: 1,
    env: {
      SPEECH_PROVIDER: options.speech === "remote" ? "openai" : "none",
      OPENAI_BASE_URL: speech.baseUrl,
      BENCH_REPORTS: reports,
      BENCH_CPU: groups.cpuFolder,
    },
    instanceCommand: [
      "/bin/sh",
      "-c",
      groups.enter,
      "sh",
      process.execPath,
      "--import",
      new URL("../local/front/preload.ts", import.meta.url).href,
      "--import",
      new URL("watchInstance.ts", import.meta.url).href,
      FRAMEWORK,
    ],
  });
  let isUp = true;
  stack.defer(async () => {
    if (isUp) await cloud.close();
  });
  const tookSec = await analyse(cloud, options).catch((error: unknown) => {
    throw new Error(`The job failed:\n${complaints(join(dataDir, "logs"))}`, { cause: error });
  });
  const storedBytes = {
    stages: await storedUnder(cloud, "stages/"),
    jobs: await storedUnder(cloud, "jobs/"),
  };
  isUp = false;
  await cloud.close();
  const origins = { storage: cloud.storageOrigin, convex: cloud.convexUrl };
  const functions = CATALOG.flatMap(({ name }): FunctionFigures[] => {
    const use = groups.use(name);
    if (!use) return [];
    const found = readReports(reports, name);
    const requests = found.flatMap((one) => one.requests);
    const seconds = requests.map(({ ms }) => ms / 1000);
    const inRequests = requests.reduce((sum, { cpuMs }) => sum + cpuMs / 1000, 0);
    const log = join(dataDir, "logs", `${name}.log`);
    return [
      {
        name,
        ...use,
        requests: requests.length,
        wallSec: seconds.reduce((sum, sec) => sum + sec, 0),
        p99Sec: quantile(seconds, 0.99),
        startCpuSec: Math.max(0, use.cpuSec - inRequests) / Math.max(1, found.length),
        ...askedOf(found, origins),
        logBytes: existsSync(log) ? statSync(log).size : 0,
      },
    ];
  });
  return { options, tookSec, functions, storedBytes };
};

const lineOf = (one: FunctionFigures): string =>
  [
    `${one.requests} requests in ${one.wallSec.toFixed(1)} s (p99 ${one.p99Sec.toFixed(2)} s)`,
    `processor ${one.cpuSec.toFixed(1)} s (${one.startCpuSec.toFixed(2)} of it to start)`,
    `/tmp ${Math.ceil(one.peakTmpBytes / MIB)} MiB`,
    `storage ${one.classA}+${one.classB}, Convex ${one.convexCalls}, outside ${one.outside}`,
    `log ${(one.logBytes / 1024).toFixed(1)} KiB`,
  ].join("; ");

export const run: Bench = async function* ({ full }) {
  if (!hasControlGroups()) {
    process.stdout.write("Skipped: there are no control groups of version 1.\n");
    return;
  }
  const { functions, tookSec } = await measureStages({
    durationSec: 3600,
    messagesPerHour: full ? 200_000 : 30_000,
    hasPicture: true,
    speech: "remote",
  });
  for (const one of functions) {
    const size = CATALOG.find(({ name }) => name === one.name)!.memoryMiB;
    const peakMib = one.peakBytes / MIB;
    yield {
      name: `memory of ${one.name}, an hour of video`,
      ours: peakMib,
      peer: size,
      unit: "MiB",
      ratio: peakMib / size,
      goal: "≤ 0.75",
      note: `peer: its size in the catalog; ${lineOf(one)}`,
    };
  }
  process.stdout.write(`The whole job took ${tookSec.toFixed(0)} s, one instance a function.\n`);
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      hours: { type: "string", default: "1" },
      messages: { type: "string", default: "30000" },
      "no-picture": { type: "boolean", default: false },
      "no-speech": { type: "boolean", default: false },
    },
  });
  const figures = await measureStages({
    durationSec: Number(values.hours) * 3600,
    messagesPerHour: Number(values.messages),
    hasPicture: !values["no-picture"],
    speech: values["no-speech"] ? "none" : "remote",
  });
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  for (const one of figures.functions)
    console.error(`${one.name}: ${(one.peakBytes / MIB).toFixed(0)} MiB; ${lineOf(one)}`);
}
