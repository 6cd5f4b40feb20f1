// A source that outgrows a function: its server gives nothing within the function's time. The task
// moves to a Cloud Run job, whose first execution is killed; the next one completes it, with the
// outputs of a run that nothing disturbed.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { startCloud } from "#local/cloud.ts";
import { gone } from "#local/front/testing/processes.ts";
import { serveFile } from "#local/twitch/fileServer.ts";
import { apiOf, finished, hashesOf } from "./runJob.ts";

const SEC = 20;
const RATE_HZ = 8000;

/** 8-bit sound: a tone that swells twice. */
const tone = (): Buffer => {
  const samples = Buffer.from(
    Array.from({ length: SEC * RATE_HZ }, (_, i) => {
      const loudness = 100 * Math.sin((2 * Math.PI * i) / (SEC * RATE_HZ)) ** 2;
      return 128 + Math.round(loudness * Math.sin(i / 4));
    }),
  );
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE_HZ, 24);
  head.writeUInt32LE(RATE_HZ, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
};

/** Serves the sound: `/whole.wav` only as a whole, and at first not at all; `/ranges.wav` also in parts. */
const startWeb = async () => {
  const body = tone();
  let isAnswering = false;
  let unanswered = 0;
  const server = createServer((request, response) => {
    if (isAnswering)
      void serveFile(request, response, { body, ranges: request.url === "/ranges.wav" });
    else unanswered += 1;
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    hosts: { "media.example.com": `127.0.0.1:${(server.address() as AddressInfo).port}` },
    unanswered: () => unanswered,
    answer: () => {
      isAnswering = true;
    },
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

it("a task that outgrows its function ends in a job, also where an execution of it is killed", async () => {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "outgrown-"));
  stack.defer(() => rm(dataDir, { recursive: true, maxRetries: 3 }));
  const web = stack.use(await startWeb());
  const cloud = await startCloud({
    dataDir,
    hosts: web.hosts,
    sweepEveryMs: 300,
    backoff: { minMs: 50, maxMs: 500 },
    env: { TASK_TIMEOUT_SEC: "1", LEASE_MS: "900", SWEEP_AGAIN_MS: "500" },
  });
  stack.defer(() => cloud.close());
  const api = apiOf(cloud);
  const submit = (name: string) =>
    api.submit({ url: `https://media.example.com/${name}`, options: { clips: false } });
  const outputsOf = async ({ job_id: jobId }: { job_id: string }) => {
    const job = await finished(api, jobId);
    expect(job.status, JSON.stringify(job.error)).toBe("Completed");
    return hashesOf(job);
  };

  const outgrown = await submit("whole.wav");
  while (!cloud.executions().some(({ pid }) => pid > 0)) await delay(10);
  const [execution] = cloud.executions();
  expect(execution).toMatchObject({ function: "ingest" });
  // The function has given up: who asks now is the job, which has claimed the task.
  const before = web.unanswered();
  while (web.unanswered() === before) await delay(10);
  process.kill(execution?.pid ?? 0, "SIGKILL");
  await gone(execution?.pid ?? 0);
  web.answer();
  const hashes = await outputsOf(outgrown);
  expect(Object.keys(hashes)).toContain("audiowave.dat");
  // Nothing of the other is found again: it is known by its server's word instead of its bytes.
  expect(await outputsOf(await submit("ranges.wav"))).toEqual(hashes);
}, 240_000);
