// The local cloud with the project's own functions, in fresh folders.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PubSub } from "@google-cloud/pubsub";
import { ConvexClient } from "convex/browser";
import { afterEach, expect, it } from "vitest";
import { api } from "#convex/_generated/api.js";
import { startCloud } from "./cloud.ts";
import type { CloudOptions, LocalCloud } from "./cloud.ts";
import { FolderInUse } from "./cloud/lock.ts";
import { gone } from "./front/testing/processes.ts";
import { startPubSub } from "./pubsub/server.ts";
import { findRunningCloud } from "./running.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "cloud-"));
  closing.push(() => rm(folder, { recursive: true, maxRetries: 3 }));
  return folder;
};
const start = async (dataDir: string, options: Partial<CloudOptions> = {}): Promise<LocalCloud> => {
  const cloud = await startCloud({ dataDir, ...options });
  closing.push(() => cloud.close());
  return cloud;
};
const list = (cloud: LocalCloud, key: string): Promise<Response> =>
  fetch(`${cloud.origin}/v1/analysis`, { headers: { Authorization: `Bearer ${key}` } });

/** Publishes a message for a job nobody knows, and waits until the function was called for it. */
const deliverToIngest = async (cloud: LocalCloud): Promise<void> => {
  const pubsub = new PubSub({
    projectId: cloud.projectId,
    apiEndpoint: cloud.pubsubAddress,
    emulatorMode: true,
  });
  const json = { v: 1, jobId: "unknown", stage: "ingest", index: 0 };
  await pubsub.topic("ingest").publishMessage({ json });
  await pubsub.close();
  // An instance is started for a request that was let through, and for no other.
  while (!cloud.instances().some((one) => one.function === "ingest")) await delay(20);
};

/** Submits a video, and waits until a live query of Convex shows its job. */
const followJob = async (cloud: LocalCloud): Promise<void> => {
  const submitted = await fetch(`${cloud.origin}/v1/analysis`, {
    method: "POST",
    headers: { Authorization: `Bearer ${cloud.apiKey}` },
    body: JSON.stringify({ url: "https://media.invalid/talk.mp4" }),
  });
  expect(submitted.status).toBe(202);
  const { job_id: jobId } = (await submitted.json()) as { job_id: string };
  const client = new ConvexClient(cloud.convexUrl, { logger: false });
  client.setAuth(() => cloud.serviceToken());
  const shown = await new Promise<unknown>((resolve, reject) => {
    client.onUpdate(api.videos.getJobById, { jobId }, (job) => job && resolve(job), reject);
  });
  await client.close();
  expect(shown).toMatchObject({ jobId, url: "https://media.invalid/talk.mp4" });
};

it("brings the service up, lets its owner in, and nobody else", async () => {
  const dataDir = await newFolder();
  const cloud = await start(dataDir);
  expect((await fetch(`${cloud.origin}/health`)).status).toBe(200);
  expect((await list(cloud, cloud.apiKey)).status).toBe(200);
  expect((await list(cloud, "wrong")).status).toBe(401);
  expect((await fetch(`${cloud.origin}/_functions/ingest`, { method: "POST" })).status).toBe(403);
  await deliverToIngest(cloud);
  await followJob(cloud);

  await expect(startCloud({ dataDir })).rejects.toThrow(FolderInUse);
  const { origin, apiKey, convexUrl } = cloud;
  expect(await findRunningCloud(dataDir)).toMatchObject({ origin, apiKey, convexUrl });
  for (const file of ["running.json", "api-key.json"]) {
    expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
  }
  await cloud.close();
  expect(await findRunningCloud(dataDir)).toBeUndefined();
  expect(await readdir(join(dataDir, "logs"))).toContain("ingest.log");
});

it("pushes with a token also from an emulator that sends none", async () => {
  const folder = await newFolder();
  const emulator = await startPubSub({
    dataDir: join(folder, "emulator"),
    mintIdToken: () => Promise.resolve("no.token.ofours"),
    // The cloud ends before it; what it was pushing then is cut off.
    report: () => {},
  });
  closing.push(() => emulator.close());
  const cloud = await start(join(folder, "data"), {
    env: { PUBSUB_EMULATOR_HOST: emulator.address },
  });
  expect(cloud.pubsubAddress).toBe(emulator.address);
  await deliverToIngest(cloud);
});

it("takes what instances publish while they end, and delivers it after the next start", async () => {
  const dataDir = await newFolder();
  const instanceCommand = [
    process.execPath,
    "--import",
    fileURLToPath(new URL("front/preload.ts", import.meta.url)),
    fileURLToPath(new URL("cloud/testing/lastWords.ts", import.meta.url)),
  ];
  const logged = async (text: string): Promise<void> => {
    const log = join(dataDir, "logs", "ingest.log");
    while (!existsSync(log) || !(await readFile(log, "utf8")).includes(text)) await delay(20);
  };
  const cloud = await start(dataDir, { instanceCommand });
  await deliverToIngest(cloud);
  await logged("unknown");
  await cloud.close();
  await start(dataDir, { instanceCommand });
  await expect(logged("last words")).resolves.toBeUndefined();
});

it("calls scheduled functions", async () => {
  const cloud = await start(await newFolder(), { sweepEveryMs: 10 });
  while (!cloud.instances().some((one) => one.function === "sweep")) await delay(20);
  expect(cloud.instances().filter((one) => one.function === "sweep")).toHaveLength(1);
});

it("killed with -9, leaves no process, and starts again in the same folder with the same key and addresses", async () => {
  const dataDir = await newFolder();
  const script = fileURLToPath(new URL("cloud/testing/run.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  const { apiKey, pids, addresses } = JSON.parse(output.toString()) as {
    apiKey: string;
    pids: number[];
    addresses: object;
  };
  expect(pids).toHaveLength(1);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await findRunningCloud(dataDir)).toBeUndefined();
  await Promise.all(pids.map(gone));
  // As a worker's files would be left: nothing runs that could take them away.
  const leftover = join(dataDir, "tmp", "instance-x", "klipstream-media-y");
  await mkdir(leftover, { recursive: true });
  const cloud = await start(dataDir);
  await expect(stat(leftover)).rejects.toMatchObject({ code: "ENOENT" });
  expect(cloud.apiKey).toBe(apiKey);
  const { origin, convexUrl, storageOrigin } = cloud;
  expect({ origin, convexUrl, storageOrigin }).toEqual(addresses);
  expect((await list(cloud, apiKey)).status).toBe(200);
});

it("stops what it started when a part of it does not start", async () => {
  const dataDir = await newFolder();
  const convexFolder = await newFolder();
  await expect(
    startCloud({ dataDir, convexFolder: join(convexFolder, "nothing") }),
  ).rejects.toThrow("Convex did not start");
  const cloud = await start(dataDir);
  expect((await fetch(`${cloud.origin}/health`)).status).toBe(200);
});
