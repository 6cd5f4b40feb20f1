// Whatever comes in whatever order: one reference an object, sessions that count what they use, and
// nothing released that something uses.
import fc from "fast-check";
import { beforeEach, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import {
  clipOf,
  contradictions,
  failScene,
  objectOf,
  tablesOf,
} from "./model/assets/assets.setup.ts";
import { forgetReleased } from "./model/assets/collection.ts";
import { removeVideoAssets } from "./model/assets/removal.ts";
import { type Backend, createBackend, createJob, standInEnvironment } from "./testing.setup.ts";

beforeEach(() => standInEnvironment());

const job = fc.nat(1);
const index = fc.nat(2);
/** Few names and contents, so that objects meet, change in their place, and come back. */
const content = fc.integer({ min: 1, max: 3 });
const name = fc.constantFrom("a", "b");
const step = fc.oneof(
  fc.record({ kind: fc.constant("open" as const), job, index }),
  fc.record({
    kind: fc.constant("ready" as const),
    job,
    index,
    name,
    content,
    subtitled: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("fail" as const), job, index }),
  fc.record({ kind: fc.constant("share" as const), job, index, name, content }),
  fc.record({ kind: fc.constant("outputs" as const), job, names: fc.array(name), content }),
  fc.record({ kind: fc.constant("finish" as const), job, index, reel: fc.boolean(), content }),
  fc.record({ kind: fc.constant("rerun" as const), job }),
  fc.record({ kind: fc.constant("collect" as const) }),
  fc.record({ kind: fc.constant("remove" as const), job, limit: fc.integer({ min: 1, max: 8 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does a step as the pipeline, an operator, the library or the collector would. */
const take = async ({ service, nobody }: Backend, jobIds: string[], step: Step): Promise<void> => {
  if (step.kind === "collect") {
    await nobody.run(async (ctx) => {
      const references = await ctx.db.query("assetReferences").take(100);
      for (const { _id } of references) await forgetReleased(ctx, _id);
    });
    return;
  }
  const jobId = jobIds[step.job]!;
  switch (step.kind) {
    case "open": {
      const { index } = step;
      await service.mutation(api.assets.openScene, { jobId, index, startSec: 0, endSec: 1 });
      return;
    }
    case "ready": {
      const assets = {
        ...clipOf(jobId, step.index, step.content),
        videoAsset: objectOf(jobId, `clips/${step.name}.mp4`, step.content),
        ...(step.subtitled ? { subtitleAsset: objectOf(jobId, "clips/s.vtt", step.content) } : {}),
      };
      await service.mutation(api.assets.sceneReady, { jobId, index: step.index, assets });
      return;
    }
    case "fail":
      await failScene({ service, nobody } as Backend, jobId, step.index, "no");
      return;
    case "share": {
      const scenes = (await tablesOf({ service, nobody } as Backend)).scenes;
      const scene = scenes.find((one) => one.jobId === jobId && one.index === step.index);
      if (!scene) return;
      // The other job's object.
      const object = objectOf(jobIds[1 - step.job]!, `clips/${step.name}.mp4`, step.content);
      const put = { sceneId: scene._id, field: "videoAsset" as const, object };
      await service.mutation(api.assets.replaceAsset, put);
      return;
    }
    case "outputs": {
      const outputs = step.names.map((name) => objectOf(jobId, name, step.content));
      await service.mutation(api.assets.recordOutputs, { jobId, outputs });
      return;
    }
    case "finish":
      await service.mutation(api.assets.sessionReady, {
        jobId,
        sceneCount: step.index,
        outputs: ["a"],
        assets: {
          manifestAsset: objectOf(jobId, "manifest.json", step.content),
          ...(step.reel ? { combinedVideoAsset: objectOf(jobId, "clips/a.mp4") } : {}),
        },
      });
      return;
    case "rerun":
    case "remove":
      await nobody.run(async (ctx) => {
        const row = await ctx.db
          .query("jobs")
          .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
          .unique();
        if (step.kind === "remove") await removeVideoAssets(ctx, row!.videoId, step.limit);
        else await ctx.db.patch("jobs", row!._id, { retryCount: row!.retryCount + 1 });
      });
  }
};

it("holds after every step of any sequence", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
      const backend = createBackend();
      const first = await createJob(backend);
      const second = await createJob(backend, { url: "https://media.example/other.mp4" });
      const jobIds = [first.job.jobId, second.job.jobId];
      for (const jobId of jobIds) {
        for (const index of [0, 1, 2]) {
          const open = { jobId, index, startSec: 0, endSec: 1 };
          await backend.service.mutation(api.assets.openScene, open);
        }
      }
      for (const one of steps) {
        try {
          await take(backend, jobIds, one);
        } catch (error) {
          // A clip that was let go of.
          expect(error).toMatchObject({ data: { code: "not_found" } });
        }
        expect(contradictions(await tablesOf(backend))).toEqual([]);
      }
    }),
    { numRuns: 10 },
  );
});
