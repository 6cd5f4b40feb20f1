// What becomes of a clip's scene when its task is given up: the ledger says so in the same step.
import { beforeEach, expect, it, vi } from "vitest";
import type { TaskMessage } from "#shared/contract/messages.ts";
import { api } from "./_generated/api.js";
import { renderClip, tablesOf } from "./model/assets/assets.setup.ts";
import {
  type Backend,
  claimRun,
  createBackend,
  createJob,
  resultOf,
  runTask,
  standInEnvironment,
} from "./testing.setup.ts";

const PLAN = { media: 1, chat: 0, transcribe: 0, clips: 2 };
let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

/** A job whose two clips are open, one being rendered. */
const atClips = async (): Promise<{ jobId: string; first: TaskMessage; second: TaskMessage }> => {
  const { job, messages } = await createJob(backend);
  const { jobId } = job;
  const queue = [...messages];
  while (queue[0] && queue[0].stage !== "clips") {
    const message = queue.shift() as TaskMessage;
    queue.push(...(await runTask(backend, message, resultOf(PLAN, message.stage))).messages);
  }
  for (const index of [0, 1])
    await backend.service.mutation(api.assets.openScene, { jobId, index, startSec: 0, endSec: 9 });
  const [first, second] = queue as [TaskMessage, TaskMessage];
  return { jobId, first, second };
};

const scenes = async () =>
  (await tablesOf(backend)).scenes.map(({ assetsStatus, assetsErrorMessage }) => [
    assetsStatus,
    assetsErrorMessage,
  ]);

it("a clip that fails for good -> its scene has failed with the clip's own reason", async () => {
  const { jobId, first, second } = await atClips();
  await renderClip(backend, jobId, second.index);
  const { attempt } = await claimRun(backend, first);
  const { v: _, ...task } = first;
  const answer = await backend.service.mutation(api.ledger.fail, {
    ...task,
    attempt,
    code: "invalid_media",
    message: "Nothing there can be decoded.",
  });
  expect(answer.kind).toBe("degraded");
  expect(await scenes()).toEqual([
    ["failed", "Nothing there can be decoded."],
    ["ready", undefined],
  ]);
});

it("a clip that may be tried again -> its scene stays as it was", async () => {
  const { jobId, first } = await atClips();
  const { attempt } = await claimRun(backend, first);
  await backend.service.mutation(api.assets.beginUpload, { jobId, index: 0 });
  const { v: _, ...task } = first;
  const failure = { ...task, attempt, code: "storage_unavailable", message: "Away." } as const;
  expect((await backend.service.mutation(api.ledger.fail, failure)).kind).toBe("retry");
  expect(await scenes()).toEqual([
    ["uploading", undefined],
    ["pending", undefined],
  ]);
});

it("a clip whose workers all died -> its scene has failed as well", async () => {
  const { jobId } = await atClips();
  for (let tries = 0; (await scenes())[0]?.[0] === "pending"; tries += 1) {
    expect(tries).toBeLessThan(10);
    await backend.service.mutation(api.ledger.claim, { jobId, stage: "clips", index: 0 });
    // Longer than the lease, and than any wait between tries.
    vi.setSystemTime(Date.now() + 10 * 60_000);
    await backend.service.mutation(api.ledger.sweep, {});
  }
  expect((await scenes())[0]).toEqual(["failed", "A step stopped answering."]);
});
