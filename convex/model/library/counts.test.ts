// The library's counts and lists stay equal to the rows, whatever happens to these and in which order.
import * as fc from "fast-check";
import { beforeEach, expect, it } from "vitest";
import { api } from "../../_generated/api.js";
import type { Doc } from "../../_generated/dataModel.js";
import { LIBRARY_STATUSES } from "../../tables/library.ts";
import {
  type Backend,
  claim,
  createBackend,
  createJob,
  ownerIdOf,
  standInEnvironment,
} from "../../testing.setup.ts";
import { libraryStatusOf, patchVideo } from "./status.ts";

beforeEach(standInEnvironment);

const PEOPLE = ["ada", "bob"] as const;
const KINDS = ["create", "job", "run", "cancel", "retry", "status", "study", "delete"] as const;
const act = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.constantFrom(...PEOPLE),
  at: fc.nat(5),
  status: fc.constantFrom("Queued", "Analyzing", "Completed", "Failed", "Canceled"),
  state: fc.constantFrom("processing", "completed", "failed"),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** What the state of things does not allow is refused, and changes nothing. */
const attempt = async (call: Promise<unknown>): Promise<void> => {
  try {
    await call;
  } catch (error) {
    if ((error as { data?: { code?: string } }).data?.code === undefined) throw error;
  }
};

const rowsOf = (backend: Backend): Promise<Doc<"videos">[]> =>
  backend.nobody.run((ctx) => ctx.db.query("videos").take(50));

/** Does one thing, to the video or the job that `at` chooses, where there is one. */
const perform = async (
  backend: Backend,
  { kind, who, at, status, state }: Act,
  jobs: { jobId: string; ownerId: string }[],
): Promise<void> => {
  const { service } = backend;
  const person = backend.user(who);
  const url = `https://media.example/${at}`;
  const job = jobs[at % Math.max(1, jobs.length)];
  const rows = await rowsOf(backend);
  const video = rows[at % Math.max(1, rows.length)];
  switch (kind) {
    case "create":
      return attempt(person.mutation(api.videos.createVideo, { title: "A talk", url }));
    case "job": {
      const { job: created } = await createJob(backend, { ownerId: ownerIdOf(who), url });
      jobs.push({ jobId: created.jobId, ownerId: ownerIdOf(who) });
      return;
    }
    case "run": {
      const task = { jobId: job?.jobId ?? "", stage: "ingest" as const, index: 0 };
      const claimed = await claim(backend, { v: 1, ...task });
      if (claimed.kind !== "run") return;
      const failure = { code: "live_stream" as const, message: "It is live." };
      await service.mutation(api.ledger.fail, { ...task, attempt: claimed.attempt, ...failure });
      return;
    }
    case "cancel":
      if (job) await service.mutation(api.ledger.cancel, job);
      return;
    case "retry":
      if (job) await service.mutation(api.ledger.retry, job);
      return;
    case "status":
      if (!video) return;
      return attempt(service.mutation(api.video.updateStatus, { id: video._id, status }));
    case "study":
      if (!video || video.deletingAt !== undefined) return;
      await backend.nobody.run((ctx) =>
        patchVideo(ctx, video, { study: { state, run: 1, startedAt: 1 } }),
      );
      return;
    case "delete":
      if (!video) return;
      return attempt(person.mutation(api.videos.deleteVideo, { videoId: video._id }));
  }
};

it("counts and lists are those of the rows, after any sequence of what may happen", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 8, maxLength: 14 }), async (acts) => {
      const backend = createBackend();
      const jobs: { jobId: string; ownerId: string }[] = [];
      for (const each of acts) await perform(backend, each, jobs);
      const rows = await rowsOf(backend);
      for (const who of PEOPLE) {
        const own = rows.filter(
          ({ ownerId, deletingAt }) => ownerId === ownerIdOf(who) && deletingAt === undefined,
        );
        const counts: Record<string, number> = { total: own.length };
        for (const status of LIBRARY_STATUSES) {
          const those = own.filter((video) => libraryStatusOf(video) === status);
          counts[status] = those.length;
          const listed = await backend.user(who).query(api.videos.getVideosByStatus, { status });
          expect(listed.map(({ _id }) => _id)).toEqual(those.map(({ _id }) => _id).reverse());
        }
        expect(await backend.user(who).query(api.videos.countVideos, {})).toEqual(counts);
      }
    }),
    { numRuns: 15 },
  );
});
