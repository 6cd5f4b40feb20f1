// The ledger through its mutations, on convex-test: what the machine decides is what is written.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import {
  type Backend,
  USERS_ISSUER,
  createBackend,
  createJob,
  ownerIdOf,
  runAll,
} from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv("OIDC_ISSUERS", USERS_ISSUER);
  backend = createBackend();
  return () => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  };
});

const get = async (jobId: string) => {
  const job = await backend.service.query(api.jobs.get, { jobId, ownerId: ownerIdOf("ada") });
  if (!job) throw new Error("no job");
  return job;
};

describe("a job from beginning to end", () => {
  it("runs every task once and completes", async () => {
    const { job, messages } = await createJob(backend);
    expect(job.status).toBe("Queued");
    const plan = { media: 3, chat: 2, transcribe: 3, clips: 2 };
    const { ran } = await runAll(backend, messages, plan);
    const every = [
      "ingest 0, media 0, media 1, media 2, chat 0, chat 1, transcribe 0, transcribe 1",
      "transcribe 2, analyze 0, highlights 0, clips 0, clips 1, finish 0",
    ].join(", ");
    expect(ran.toSorted()).toEqual(every.split(", ").toSorted());
    const done = await get(job.jobId);
    expect(done).toMatchObject({
      status: "Completed",
      progressPercentage: 100,
      estimatedCompletionSeconds: 0,
      output: { summary: { stage: "finish" } },
      error: null,
    });
  });
});
