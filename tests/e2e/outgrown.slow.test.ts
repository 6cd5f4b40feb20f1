// A source that outgrows a function: its server gives nothing within the function's time. The task
// moves to a Cloud Run job, whose first execution is killed; the next one completes it, with the
// outputs of a run that nothing disturbed.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { startCloud } from "#local/cloud.ts";
import { gone } from "#local/front/testing/processes.ts";
import { listen } from "#local/httpServer.ts";
import { serveFile } from "#local/twitch/fileServer.ts";
import { wav } from "#shared/speech/wav.ts";
import { apiOf, finished, hashesOf } from "./runJob.ts";

const SEC = 20;
const RATE_HZ = 8000;

/** A tone that swells twice. */
const tone = (): Buffer => {
  const count = SEC * RATE_HZ;
  const samples = Int16Array.from({ length: count }, (_, i) => {
    const loudness = 25_000 * Math.sin((2 * Math.PI * i) / count) ** 2;
    return Math.round(loudness * Math.sin(i / 4));
  });
  return wav(Buffer.from(samples.buffer), RATE_HZ);
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
  });
  const { host } = new URL(await listen(server));
  return {
    hosts: { "media.example.com": host },
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
