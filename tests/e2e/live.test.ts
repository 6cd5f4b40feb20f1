// What a browser sees: the official client, subscribed to a job while it runs.
import { ConvexClient } from "convex/browser";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { api } from "#convex/_generated/api.js";
import { createApiClient } from "#local/cli/api.ts";
import { startCloud } from "#local/cloud.ts";
import { STATUSES, type Status } from "#shared/contract/stages.ts";
import { fixture } from "../fixtures.ts";
import { startOidcIssuer } from "../oidcIssuer.ts";
import { finished } from "./runJob.ts";

const wav = fixture("speech/jfk.wav");

it.skipIf(!wav.present)(
  `a subscriber sees the status only move forward and end in Completed (${wav.name})`,
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "live-"));
    await using oidc = await startOidcIssuer();
    const cloud = await startCloud({ dataDir, env: { OIDC_ISSUERS: oidc.issuer } });
    const convex = new ConvexClient(cloud.convexUrl, { skipConvexDeploymentUrlCheck: true });
    try {
      const token = await oidc.token();
      convex.setAuth(async () => token);
      const caller = createApiClient(cloud.origin, token);
      const url = await caller.upload(wav.path, "audio/wav");
      const { job_id: jobId } = await caller.submit({ url, options: {} });

      const seen: { status: Status | undefined; percentage: number }[] = [];
      const ended = new Promise<void>((resolve, reject) => {
        convex.onUpdate(
          api.videos.getJobById,
          { jobId },
          (video) => {
            if (!video) return reject(new Error("The owner does not see the job."));
            seen.push({ status: video.status, percentage: video.progressPercentage ?? 0 });
            if (video.status === "Completed" || video.status === "Failed") resolve();
          },
          reject,
        );
      });
      await ended;
      expect((await finished(caller, jobId)).status).toBe("Completed");

      const order = seen.map(({ status }) => STATUSES.indexOf(status ?? "Queued"));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      const percentages = seen.map(({ percentage }) => percentage);
      expect(percentages).toEqual(percentages.toSorted((a, b) => a - b));
      expect(seen.at(-1)).toEqual({ status: "Completed", percentage: 100 });
      expect(new Set(order).size).toBeGreaterThan(2);

      const numbers: number[] = [];
      for await (const { id } of caller.follow(jobId, AbortSignal.timeout(10_000)))
        numbers.push(Number(id));
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));

      const stranger = createApiClient(cloud.origin, await oidc.token({ subject: "ben" }));
      await expect(stranger.status(jobId)).rejects.toMatchObject({ problem: { status: 404 } });
    } finally {
      await convex.close();
      await cloud.close();
      await rm(dataDir, { recursive: true });
    }
  },
);
