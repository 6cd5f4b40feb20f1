// Expand and contract: what the version before this one wrote, sent and began goes on under this one. A
// field that is added must be optional until every row has it, and this is where that is noticed.
import { beforeEach, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import { JOB_ID, PREVIOUS_ROWS, WRITTEN_AT } from "./previousRows.setup.ts";
import {
  type Backend,
  createBackend,
  ownerIdOf,
  runAll,
  standInEnvironment,
} from "./testing.setup.ts";

const PLAN = { media: 2, chat: 1, transcribe: 2, clips: 1 };
const KEY = "cd".repeat(32);

let backend: Backend;
beforeEach(async () => {
  const restore = standInEnvironment();
  vi.setSystemTime(WRITTEN_AT + 5_000);
  backend = createBackend();
  const { videos, jobs, ...others } = structuredClone(PREVIOUS_ROWS);
  await backend.nobody.run(async (ctx) => {
    const insert = ctx.db.insert as (table: string, row: object) => Promise<string>;
    const [videoId] = await Promise.all(videos.map((row) => insert("videos", row)));
    for (const row of jobs) await insert("jobs", { ...row, videoId });
    for (const [table, rows] of Object.entries(others))
      for (const row of rows) await insert(table, row);
  });
  return restore;
});

/** As the functions of that version send it: these fields and no others. */
const commit = (stage: "media" | "chat", index: number, attempt: number) =>
  backend.service.mutation(api.ledger.commit, {
    jobId: JOB_ID,
    stage,
    index,
    attempt,
    output: { key: KEY, summary: { stage, index } },
    warnings: [],
  });

const statusOf = async () =>
  (await backend.service.query(api.jobs.get, { jobId: JOB_ID, ownerId: ownerIdOf("ada") }))?.status;

it("tasks that were claimed under the previous version commit, and the job completes", async () => {
  expect(await statusOf()).toBe("Downloading");
  const beat = { jobId: JOB_ID, stage: "media", index: 1, attempt: 1, progress: 0.5 } as const;
  expect(await backend.service.mutation(api.ledger.heartbeat, beat)).toEqual({ kind: "ok" });
  const due = [];
  for (const answer of [await commit("media", 1, 1), await commit("chat", 0, 1)]) {
    if (answer.kind !== "committed") throw new Error(answer.kind);
    due.push(...answer.messages);
  }
  // What its message said before the versions changed is still in Pub/Sub.
  const inFlight = { v: 1, jobId: JOB_ID, stage: "transcribe", index: 0 } as const;
  const { ran } = await runAll(backend, [inFlight, ...due], PLAN);
  expect(ran).toEqual([
    "transcribe 0",
    "transcribe 1",
    "analyze 0",
    "highlights 0",
    "clips 0",
    "finish 0",
  ]);
  expect(await statusOf()).toBe("Completed");
});

it("tasks whose lease ran out during the change are published again", async () => {
  vi.setSystemTime(WRITTEN_AT + 300_000);
  const { messages } = await backend.service.mutation(api.ledger.sweep, {});
  expect(messages.map(({ stage, index }) => `${stage} ${index}`).toSorted()).toEqual([
    "chat 0",
    "media 1",
    "transcribe 0",
  ]);
});
