// The same Twitch VOD on fresh clouds: undisturbed, with every message delivered twice and out of
// order, and with a worker killed in each stage. The outputs are the same to the byte, and counters
// outside the ledger show that no work was done twice beyond the task that was killed. Every object
// has its one reference each time.
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseChatFile } from "#shared/chat/chatFile.ts";
import type { ChatMessage } from "#shared/contract/chat.ts";
import { STAGES, type Stage } from "#shared/contract/stages.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { startTwitch } from "#local/twitch/server.ts";
import { generateSample } from "../../samples/generateSample.ts";
import { accountsOf } from "./assets.ts";
import { type Behavior, type Chaos, killOnce, startChaos, twiceAndReordered } from "./chaos.ts";
import { apiOf, finished, hashesOf } from "./runJob.ts";
import { startSpeechServer } from "./speechServer.ts";

const VOD = "1234567890";
/** Ten times what a run takes on a quiet machine: a slow one is no defect. */
const RUN_TIMEOUT_MS = 240_000;
const SHORT_LEASE = { LEASE_MS: "1500", UNCLAIMED_MS: "3000", SWEEP_AGAIN_MS: "1500" };

interface Counts {
  /** Requests at Twitch, of all kinds. */
  twitch: number;
  ffmpeg: number;
  speech: number;
}

let folder: string;
let ffmpegPath: string;
let mediaPath: string;
let comments: ChatMessage[];

/** An ffmpeg that writes a line for each start, other than those that only ask its version. */
const countingFfmpeg = async (log: string): Promise<string> => {
  const path = `${log}.sh`;
  const script = `#!/bin/sh\ncase " $* " in *" -version "*) ;; *) echo start >> '${log}' ;; esac\nexec '${ffmpegPath}' "$@"\n`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  await writeFile(log, "");
  return path;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "disturbed-"));
  ffmpegPath = (await findFfmpeg()).path;
  const sample = await generateSample({ seed: 1, durationSec: 40, outDir: join(folder, "sample") });
  mediaPath = sample.videoPath;
  ({ messages: comments } = await parseChatFile(createReadStream(sample.chatPath)));
});
afterAll(() => rm(folder, { recursive: true }));

const run = async (
  name: string,
  behaviorOf?: (cloud: LocalCloud) => Behavior,
): Promise<{ hashes: Record<string, string>; counts: Counts; chaos: Chaos | undefined }> => {
  const dir = join(folder, name);
  await mkdir(dir);
  await using stack = new AsyncDisposableStack();
  const twitch = await startTwitch({
    vods: [{ id: VOD, title: "Sample", channel: "klipstream", mediaPath, comments }],
    cacheDir: join(folder, "hls"),
    ffmpegPath,
    segmentSec: 4,
  });
  stack.defer(() => twitch.close());
  const speech = stack.use(await startSpeechServer());
  const log = join(dir, "ffmpeg.log");
  const cloud = await startCloud({
    dataDir: join(dir, "data"),
    hosts: twitch.hosts,
    sweepEveryMs: 300,
    backoff: { minMs: 100, maxMs: 1000 },
    env: {
      ...SHORT_LEASE,
      RANGE_SEC: "20",
      CHAT_WINDOW_SEC: "20",
      FFMPEG_PATH: await countingFfmpeg(log),
      SPEECH_PROVIDER: "openai",
      OPENAI_BASE_URL: speech.baseUrl,
    },
  });
  stack.defer(() => cloud.close());
  const chaos = behaviorOf && stack.use(await startChaos(cloud, behaviorOf(cloud)));
  const api = apiOf(cloud);
  const { job_id: jobId } = await api.submit({
    url: `https://www.twitch.tv/videos/${VOD}`,
    options: { highlights: { count: 2 } },
  });
  const job = await finished(api, jobId, AbortSignal.timeout(RUN_TIMEOUT_MS));
  expect(job.status, JSON.stringify(job.error)).toBe("Completed");
  const { stored, known } = await accountsOf(cloud, jobId);
  expect(known).toEqual(stored);
  const starts = (await readFile(log, "utf8")).split("\n").filter(Boolean).length;
  const counts = {
    twitch: Object.values(twitch.requests).reduce((sum, count) => sum + count, 0),
    ffmpeg: starts,
    speech: speech.requests(),
  };
  return { hashes: hashesOf(job), counts, chaos };
};

describe("a Twitch VOD", { timeout: RUN_TIMEOUT_MS }, () => {
  let undisturbed: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    undisturbed = await run("undisturbed");
    expect(Object.keys(undisturbed.hashes)).toEqual(
      expect.arrayContaining(["chat.json", "audiowave.dat", "clips/01.mp4", "reel.mp4"]),
    );
  }, RUN_TIMEOUT_MS);

  it("gives the same when every message comes twice and out of order, and does nothing twice", async () => {
    const { hashes, counts, chaos } = await run("twice", twiceAndReordered);
    expect(hashes).toEqual(undisturbed.hashes);
    expect(counts).toEqual(undisturbed.counts);
    expect(chaos?.errors).toEqual([]);
    expect(chaos?.forwarded.length).toBeGreaterThan(2 * new Set(chaos?.forwarded).size);
  });

  /** What one task of a stage does at the most, and may so be done once more. */
  const ONE_TASK: Record<Stage, Partial<Counts>> = {
    ingest: { twitch: 12, ffmpeg: 2 },
    media: { twitch: 10, ffmpeg: 2 },
    chat: { twitch: 12 },
    transcribe: { speech: 1 },
    analyze: {},
    highlights: {},
    clips: { twitch: 16, ffmpeg: 6 },
    finish: { ffmpeg: 4 },
  };

  // Every other stage in one run, so that each kill meets a job that was disturbed before.
  const halves = [0, 1].map((half) => STAGES.filter((_, i) => i % 2 === half));
  it.each(halves)(
    "gives the same when a worker is killed in %s, %s, %s and %s",
    async (...stages) => {
      const killed: Stage[] = [];
      const { hashes, counts } = await run(`kill-${stages[0]}`, (cloud) =>
        killOnce(cloud, stages, killed),
      );
      expect(killed).toEqual(expect.arrayContaining(stages));
      expect(hashes).toEqual(undisturbed.hashes);
      for (const kind of ["twitch", "ffmpeg", "speech"] as const) {
        const more = counts[kind] - undisturbed.counts[kind];
        const most = stages.reduce((sum, stage) => sum + (ONE_TASK[stage][kind] ?? 0), 0);
        expect(more, `more ${kind}`).toBeGreaterThanOrEqual(0);
        expect(more, `more ${kind}`).toBeLessThanOrEqual(most);
      }
    },
  );
});
