// What a browser sees: the official client, subscribed to a job while it runs.
import { ConvexClient } from "convex/browser";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
const SUBTITLES = `WEBVTT

00:01.000 --> 00:04.000
And so, my fellow Americans

00:04.500 --> 00:10.000
ask not what your country can do for you
`;

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
      const subtitles = join(dataDir, "jfk.vtt");
      await writeFile(subtitles, SUBTITLES);
      const captions = await caller.upload(subtitles, "text/vtt");
      const { job_id: jobId } = await caller.submit({ url, options: { captions } });

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

      const [found] = await convex.query(api.transcripts.searchTranscripts, { query: "country" });
      expect(found).toMatchObject({
        text: "And so, my fellow Americans ask not what your country can do for you",
        startSec: 1,
        endSec: 10,
      });
      const { videoId } = found!;
      const outline = await convex.query(api.transcripts.getOutline, { videoId });
      expect(outline?.chapters[0]).toMatchObject({ startSec: 0, endSec: 11 });

      const stranger = createApiClient(cloud.origin, await oidc.token({ subject: "ben" }));
      await expect(stranger.status(jobId)).rejects.toMatchObject({ problem: { status: 404 } });
    } finally {
      await convex.close();
      await cloud.close();
      await rm(dataDir, { recursive: true });
    }
  },
);
