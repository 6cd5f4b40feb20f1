// How many jobs run at once, and whose turn is next.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import {
  type Backend,
  USERS_ISSUER,
  createBackend,
  createJob,
  jobRequest,
  ownerIdOf,
  runAll,
} from "./testing.setup.ts";

const PLAN = { media: 1, chat: 0, transcribe: 0, clips: 0 };
let backend: Backend;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv("OIDC_ISSUERS", USERS_ISSUER);
  vi.stubEnv("MAX_RUNNING_JOBS", "3");
  vi.stubEnv("MAX_RUNNING_JOBS_PER_OWNER", "2");
  vi.stubEnv("MAX_WAITING_JOBS_PER_OWNER", "2");
  backend = createBackend();
  return () => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  };
});

/** A job of its own video; a millisecond after the one before, so that their order is certain. */
let videos = 0;
const submit = async (name: string) => {
  vi.advanceTimersByTime(1);
  videos += 1;
  const url = `https://media.example/${videos}.mp4`;
  const { job, messages } = await createJob(backend, { ownerId: ownerIdOf(name), url });
  return { jobId: job.jobId, ownerId: ownerIdOf(name), started: messages.length > 0, messages };
};
const cancel = async ({ jobId, ownerId }: { jobId: string; ownerId: string }) => {
  const answer = await backend.service.mutation(api.ledger.cancel, { jobId, ownerId });
  if (answer.kind !== "canceled") throw new Error(answer.kind);
  return answer.messages.map((message) => message.jobId);
};

describe("admission", () => {
  it("starts as many jobs of an owner as one may have, and holds the rest", async () => {
    const jobs = [await submit("ada"), await submit("ada"), await submit("ada")];
    expect(jobs.map((job) => job.started)).toEqual([true, true, false]);
  });

  it("starts as many jobs as there are places, whoever's", async () => {
    const jobs = [];
    for (const name of ["ada", "bob", "cy", "dot"]) jobs.push(await submit(name));
    expect(jobs.map((job) => job.started)).toEqual([true, true, true, false]);
  });

  it("starts the oldest waiting job when one ends", async () => {
    const running = [await submit("ada"), await submit("bob"), await submit("cy")];
    const [first, second] = [await submit("dot"), await submit("eve")];
    expect(await cancel(running[1]!)).toEqual([first.jobId]);
    expect(await cancel(running[0]!)).toEqual([second.jobId]);
    expect(await cancel(running[2]!)).toEqual([]);
  });

  it("passes over an owner who has enough running", async () => {
    const ada = await submit("ada");
    await submit("ada");
    const held = await submit("ada");
    const bob = await submit("bob");
    const waiting = await submit("cy");
    expect([held.started, waiting.started]).toEqual([false, false]);
    // Bob's place goes to Cy: Ada's third is older, but she has two running.
    expect(await cancel(bob)).toEqual([waiting.jobId]);
    expect(await cancel(ada)).toEqual([held.jobId]);
  });

  it("starts the next job when one completes, and tells it again on a redelivery", async () => {
    const { messages } = await submit("ada");
    await submit("ada");
    const third = await submit("ada");
    await runAll(backend, messages, PLAN);
    const finish = { jobId: messages[0]!.jobId, stage: "finish" as const, index: 0 };
    const again = await backend.service.mutation(api.ledger.claim, finish);
    expect(again).toMatchObject({ kind: "done", messages: [{ jobId: third.jobId }] });
  });

  it("refuses an owner who has too many waiting, and nobody else", async () => {
    for (let i = 0; i < 4; i += 1) await submit("ada");
    const refused = await backend.service.mutation(
      api.ledger.createJob,
      jobRequest({ url: "https://media.example/more.mp4" }),
    );
    expect(refused).toEqual({ kind: "too_many_jobs" });
    expect((await submit("bob")).started).toBe(true);
  });

  it("shows a waiting job as Queued, and claims of it are stale", async () => {
    for (let i = 0; i < 2; i += 1) await submit("ada");
    const { jobId, ownerId } = await submit("ada");
    expect(await backend.service.query(api.jobs.get, { jobId, ownerId })).toMatchObject({
      status: "Queued",
    });
    const claimed = await backend.service.mutation(api.ledger.claim, {
      jobId,
      stage: "ingest",
      index: 0,
    });
    expect(claimed).toEqual({ kind: "stale" });
  });

  it("starts what a raised limit has room for at the next sweep", async () => {
    for (let i = 0; i < 2; i += 1) await submit("ada");
    const held = await submit("ada");
    vi.stubEnv("MAX_RUNNING_JOBS_PER_OWNER", "3");
    const { messages } = await backend.service.mutation(api.ledger.sweep, {});
    expect(messages.map((message) => message.jobId)).toEqual([held.jobId]);
  });

  it("sends a retried job to the gate again", async () => {
    const job = await submit("ada");
    await cancel(job);
    for (let i = 0; i < 2; i += 1) await submit("ada");
    const { jobId, ownerId } = job;
    const answer = await backend.service.mutation(api.ledger.retry, { jobId, ownerId });
    expect(answer).toMatchObject({ kind: "retried", messages: [], job: { status: "Queued" } });
  });
});
