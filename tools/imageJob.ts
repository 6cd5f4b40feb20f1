// The sample job on a local cloud whose instances run in the image: started by the image's own command
// under its own account, with nothing of this machine to see but the folder of the local cloud.
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CATALOG } from "#functions/catalog.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import type { StatusResponse } from "#shared/contract/api.ts";
import { type ApiClient, createApiClient } from "#local/cli/api.ts";
import { parseEvent } from "#local/cli/progressView.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { generateSample } from "../samples/generateSample.ts";
import type { Image } from "./dockerfile.ts";
import { inImage, mount, umount } from "./imageRoot.ts";

const run = promisify(execFile);
const PRELOAD = fileURLToPath(new URL("../local/front/preload.ts", import.meta.url));
/** The stage that gets a SIGTERM while it works. */
const DISTURBED = "clips";
/** Cloud Run's. */
const GRACE_MS = 10_000;
/** The check's own; a lease that was not given back would hold the job up for longer. */
const LEASE_MS = 15 * 60_000;
const JOB_MS = 5 * 60_000;

export interface ImageJob {
  outputs: number;
  /** Among them; each was decoded by the image's ffmpeg without a complaint. */
  videos: number;
  tookMs: number;
  /** From SIGTERM to the end of the process. */
  gaveBackMs: number;
}

/** What the job has, whatever is found in the recording. */
const OUTPUTS = [
  "transcript.json",
  "words.json",
  "transcript.vtt",
  "transcript.srt",
  "chat.json",
  "audiowave.json",
  "audiowave.dat",
  "analysis.json",
  "highlights.json",
  "chapters.txt",
  "highlights.edl",
  "highlights.otio",
  "clips/01.mp4",
  "clips/01.jpg",
  "clips/01.vtt",
  "reel.mp4",
  "reel.vtt",
  "manifest.json",
];

const problemsOf = (job: StatusResponse): string[] => {
  const names = new Set(job.outputs.map(({ name }) => name));
  return [
    ...(job.status === "Completed" ? [] : [`It is ${job.status}: ${job.error?.message}`]),
    ...job.warnings.map(({ code, message }) => `It warns: ${code}, ${message}`),
    ...OUTPUTS.filter((name) => !names.has(name)).map((name) => `There is no ${name}.`),
  ];
};

/** Whether a process has children: an instance at work has its ffmpeg. */
const hasChildren = async (pid: number): Promise<boolean> => {
  try {
    return (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")) !== "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false; // it is gone already
    throw error;
  }
};

/** Ends the first instance that is seen at work. @returns ms until it is gone */
const disturb = async (cloud: LocalCloud, signal: AbortSignal): Promise<number> => {
  const find = () => cloud.instances().find((one) => one.function === DISTURBED);
  for (;;) {
    const at = find();
    if (at && (await hasChildren(at.pid))) {
      const startMs = performance.now();
      process.kill(at.pid, "SIGTERM");
      while (cloud.instances().some(({ pid }) => pid === at.pid))
        await delay(10, undefined, { signal });
      return performance.now() - startMs;
    }
    await delay(20, undefined, { signal });
  }
};

const follow = async (
  api: ApiClient,
  jobId: string,
  signal: AbortSignal,
): Promise<StatusResponse> => {
  for await (const event of api.follow(jobId, signal)) {
    const data = parseEvent(event);
    if (data.type === "status" && isTerminal(data.status)) break;
  }
  return api.status(jobId);
};

/**
 * Needs a mount namespace of its own.
 * @param scratch a folder that everybody may read
 * @throws {Error} with what is wrong of what the job did
 */
export const runImageJob = async (
  image: Image,
  root: string,
  scratch: string,
): Promise<ImageJob> => {
  const dataDir = await mkdtemp(join(scratch, "data-"));
  await chmod(dataDir, 0o755);
  await using stack = new AsyncDisposableStack();
  const seen = join(root, dataDir);
  await mount(seen, ["--bind", dataDir]);
  stack.defer(() => umount(seen));
  await mount(join(root, "proc"), ["-t", "proc", "proc"]);
  stack.defer(() => umount(join(root, "proc")));
  await mkdir(join(root, "check"), { recursive: true });
  await cp(PRELOAD, join(root, "check/preload.mts"));

  const sample = await generateSample({ seed: 1, outDir: join(scratch, "sample") });
  const [node, ...args] = image.command;
  const cloud = await startCloud({
    dataDir,
    announced: false,
    env: { LEASE_MS: String(LEASE_MS) },
    sweepEveryMs: 1_000,
    catalog: CATALOG.map((spec) =>
      spec.name === "collect" && spec.trigger.kind === "schedule"
        ? { ...spec, trigger: { ...spec.trigger, everySec: 5 } }
        : spec,
    ),
    instanceCommand: [
      "/bin/sh",
      "-c",
      // A service account's key is for its owner alone; temporary files are where the image has them.
      'chmod -R a+rX "${GOOGLE_APPLICATION_CREDENTIALS%/*}" && unset TMPDIR && exec "$@"',
      "sh",
      ...inImage(image, root, [node, "--import", "/check/preload.mts", ...args]),
    ],
  });
  stack.defer(() => cloud.close());

  const signal = AbortSignal.timeout(JOB_MS);
  const api = createApiClient(cloud.origin, cloud.apiKey, signal);
  const startMs = performance.now();
  const { job_id: jobId } = await api.submit({
    url: await api.upload(sample.videoPath, "video/mp4"),
    options: {
      chat: await api.upload(sample.chatPath, "application/json"),
      captions: await api.upload(sample.captionsPath, "text/vtt"),
    },
  });
  const [job, gaveBackMs] = await Promise.all([follow(api, jobId, signal), disturb(cloud, signal)]);
  const tookMs = performance.now() - startMs;
  const problems = problemsOf(job);

  const folder = join(dataDir, "logs");
  const logs = new Map<string, string>();
  for (const file of await readdir(folder))
    logs.set(basename(file, ".log"), await readFile(join(folder, file), "utf8"));
  if (!logs.get(DISTURBED)?.includes('"reason":"shutdown"'))
    problems.push("No task said that it was stopped.");
  if (gaveBackMs > GRACE_MS) problems.push(`After SIGTERM it took ${Math.round(gaveBackMs)} ms.`);
  if (!logs.get("collect")?.includes('"message":"collected"'))
    problems.push("collect did not come to an end.");
  for (const [name, log] of logs)
    if (/"severity":"ERROR"|^\s+at /m.test(log)) problems.push(`${name} complained:\n${log}`);

  const videos = job.outputs.filter(({ name }) => name.endsWith(".mp4"));
  for (const { name, url } of videos) {
    const path = join(dataDir, name.replaceAll("/", "-"));
    await api.download(url, path);
    const watch = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", path, "-f", "null", "-"];
    const [program = "", ...watchArgs] = inImage(image, root, watch);
    const { stderr } = await run(program, watchArgs);
    if (stderr !== "") problems.push(`${name}: ${stderr}`);
  }
  if (problems.length > 0) throw new Error(`The sample job:\n${problems.join("\n")}`);
  return { outputs: job.outputs.length, videos: videos.length, tookMs, gaveBackMs };
};
