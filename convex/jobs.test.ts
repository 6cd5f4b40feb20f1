// What an owner may list of the jobs.
import { beforeEach, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import {
  type Backend,
  createBackend,
  createJob,
  ownerIdOf,
  standInEnvironment,
} from "./testing.setup.ts";

const ownerId = ownerIdOf("ada");

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

it("pages through an owner's jobs, newest first, and new ones shift nothing", async () => {
  vi.stubEnv("MAX_WAITING_JOBS_PER_OWNER", "50");
  const submit = async (i: number) => {
    vi.advanceTimersByTime(1);
    return (await createJob(backend, { url: `https://media.example/${i}` })).job.jobId;
  };
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.push(await submit(i));
  await createJob(backend, { ownerId: ownerIdOf("bob") });
  const page = (cursor?: string) =>
    backend.service.query(api.jobs.list, { ownerId, cursor, limit: 2 });
  const first = await page();
  await submit(99);
  const second = await page(first.nextCursor ?? undefined);
  const third = await page(second.nextCursor ?? undefined);
  const seen = [first, second, third].flatMap(({ jobs }) => jobs.map((job) => job.jobId));
  expect(seen).toEqual(ids.toReversed());
  expect(third.nextCursor).toBeNull();
});

it("lists by status", async () => {
  const { job } = await createJob(backend);
  await createJob(backend, { url: "https://media.example/2" });
  await backend.service.mutation(api.ledger.cancel, { jobId: job.jobId, ownerId });
  const { jobs } = await backend.service.query(api.jobs.list, {
    ownerId,
    status: "Canceled",
    limit: 10,
  });
  expect(jobs.map(({ jobId }) => jobId)).toEqual([job.jobId]);
});
