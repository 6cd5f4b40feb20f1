import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { loadConfig } from "#shared/cloud/config.ts";
import type { ClaimAnswer, TaskInput } from "#shared/contract/ledger.ts";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { createLog } from "#shared/pipeline/log.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import { memoryStore } from "../tests/memoryStore.ts";
import { functionSpec } from "./catalog.ts";
import { runTaskOnce } from "./job.ts";
import { roomOf } from "./room.ts";
import { type Runtime, createRuntime } from "./runtime.ts";

const TASK = { v: 1, jobId: "j1", stage: "media", index: 2, attempt: 3 } as const;
const INPUT: TaskInput = {
  jobId: "j1",
  videoId: "v1",
  ownerId: "o1",
  url: "https://example.com/a.mp4",
  options: AnalysisOptions.parse({}),
  stage: "media",
  index: 2,
  retryCount: 0,
  startedAt: 0,
  upstream: {},
  warnings: [],
};
const RUN: ClaimAnswer = { kind: "run", attempt: 3, leaseMs: 60_000, input: INPUT };

/** Runs the task as a job's process does. @returns what it did, by name, and its exit status */
const runAs = async (claim: ClaimAnswer, work: (shutdown: AbortController) => void) => {
  const did: string[] = [];
  const shutdown = new AbortController();
  const runtime: Partial<Runtime> = {
    log: createLog({}, () => undefined),
    shutdown: shutdown.signal,
    scratchRoot: tmpdir(),
    room: roomOf(functionSpec("media"), { taskTimeoutSec: 540 }, true),
    store: memoryStore("bucket"),
    ledger: {
      claim: async () => claim,
      heartbeat: async () => ({ kind: "ok" }),
      commit: async () => ({ kind: "committed", messages: [], deliveryIds: [] }),
      release: async ({ attempt }: { attempt: number }) => void did.push(`release ${attempt}`),
    } as unknown as Runtime["ledger"],
    publishDue: async (messages) => {
      for (const message of messages) did.push(`publish ${JSON.stringify(message)}`);
    },
  };
  const definition: StageDefinition = {
    stage: "media",
    version: 1,
    inputs: async () => "same",
    run: async () => {
      did.push("run");
      work(shutdown);
      return { objects: [], summary: {} };
    },
  };
  return { status: await runTaskOnce(TASK, definition, runtime as Runtime), did };
};

it("ends well when the task is settled, or when another execution has it", async () => {
  expect(await runAs(RUN, () => undefined)).toEqual({ status: 0, did: ["run"] });
  expect(await runAs({ kind: "busy" }, () => undefined)).toEqual({ status: 0, did: [] });
  expect(await runAs({ kind: "stale" }, () => undefined)).toEqual({ status: 0, did: [] });
});

it("on SIGTERM gives the lease back and has the task delivered again, since nobody else would", async () => {
  const { attempt: _, ...message } = TASK;
  expect(await runAs(RUN, (shutdown) => shutdown.abort())).toEqual({
    status: 1,
    did: ["run", "release 3", `publish ${JSON.stringify(message)}`],
  });
});

it("has a small function where a service listens, and a large one where whisper may", () => {
  const env = {
    GOOGLE_CLOUD_PROJECT: "sample",
    BUCKET: "sample",
    CONVEX_URL: "https://convex.example.com",
    SPEECH_PROVIDER: "google",
  };
  const scratchOf = (more: object) =>
    createRuntime(
      functionSpec("transcribe"),
      loadConfig({ ...env, ...more }),
      new AbortController().signal,
      {},
    ).room.scratchBytes;
  expect(scratchOf({})).toBe(512 * 1024 ** 2);
  expect(scratchOf({ WHISPER_MODEL: "/models/base.bin" })).toBe(2048 * 1024 ** 2);
});

it("has hours and gigabytes where a function has minutes and half of one", () => {
  const sizes = [false, true].map((isJob) =>
    roomOf(functionSpec("finish"), { taskTimeoutSec: 540 }, isJob),
  );
  expect(sizes).toEqual([
    { taskTimeoutMs: 540_000, scratchBytes: 512 * 1024 ** 2 },
    {
      taskTimeoutMs: 7_080_000,
      scratchBytes: 8192 * 1024 ** 2,
      child: { timeoutMs: 7_080_000, memoryBytes: 8192 * 1024 ** 2 },
    },
  ]);
});
