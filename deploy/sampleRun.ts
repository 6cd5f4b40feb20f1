// What a smoke test does: the sample stream through a service, as any caller would hand it over, and
// what comes back against what is known of the sample.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AnalysisResponse, StatusResponse, UploadResponse } from "#shared/contract/api.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { NotAsExpected } from "./commandLine.ts";

const POLL_MS = 3_000;
const MAX_WAIT_MS = 30 * 60_000;
const OK = 200;
const CONFLICT = 409;
/** Of the sample's moments, so many must be among the highlights. */
const MIN_FOUND_SHARE = 0.6;

const Span = z.object({ startSec: z.number(), endSec: z.number() });
const Expected = z.object({ highlights: z.array(Span) });
const Highlights = z.object({
  highlights: z.array(z.object({ start_sec: z.number(), end_sec: z.number() })),
});

export interface Target {
  /** Origins of the functions, which are two services. */
  submit: string;
  status: string;
  /** True where these are a tag's: links in answers lead past it, to what has the traffic. */
  isTag: boolean;
  apiKey: string;
  /** Aborted when the run is to end. */
  signal: AbortSignal;
}

/** @throws {NotAsExpected} where nobody answers */
const call = async (url: string, { signal }: Target, init: RequestInit = {}): Promise<Response> => {
  try {
    return await fetch(url, { ...init, signal });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new NotAsExpected(`${url} does not answer.`, { cause });
  }
};

/** What is asked of the service, and what it must answer. @throws {NotAsExpected} */
const ask = async <T>(
  answer: z.ZodType<T>,
  url: string,
  target: Target,
  body?: unknown,
): Promise<T> => {
  const response = await call(url, target, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${target.apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new NotAsExpected(`${url}: ${response.status} ${text.slice(0, 500)}`);
  const read = answer.safeParse(JSON.parse(text));
  if (!read.success) throw new NotAsExpected(`${url}: ${z.prettifyError(read.error)}`);
  return read.data;
};

const upload = async (path: string, contentType: string, target: Target): Promise<string> => {
  const bytes = await readFile(path);
  const request = {
    filename: path.split("/").at(-1),
    content_type: contentType,
    size_bytes: bytes.length,
  };
  const { handle, upload_url } = await ask(
    UploadResponse,
    `${target.submit}/v1/uploads`,
    target,
    request,
  );
  const response = await call(upload_url, target, { method: "PUT", body: bytes });
  if (!response.ok) throw new NotAsExpected(`The upload was answered with ${response.status}.`);
  return handle;
};

/** Every output fetched by its signed address. @returns their contents by name */
const fetchOutputs = async (
  outputs: StatusResponse["outputs"],
  target: Target,
): Promise<Map<string, Buffer>> => {
  const contents = new Map<string, Buffer>();
  for (const { name, url, size_bytes, sha256 } of outputs) {
    const response = await call(url, target);
    if (!response.ok) throw new NotAsExpected(`${name}: ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const found = createHash("sha256").update(bytes).digest("hex");
    if (bytes.length !== size_bytes || found !== sha256) {
      throw new NotAsExpected(`${name} has ${bytes.length} bytes and another checksum.`);
    }
    contents.set(name, bytes);
  }
  return contents;
};

const pause = async ({ signal }: Target): Promise<void> => {
  try {
    await sleep(POLL_MS, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
};

const follow = async (
  jobId: string,
  target: Target,
  print: (text: string) => void,
): Promise<StatusResponse> => {
  const giveUpAt = Date.now() + MAX_WAIT_MS;
  for (let shown = ""; Date.now() < giveUpAt; await pause(target)) {
    const url = `${target.status}/v1/analysis/${jobId}/status`;
    const job = await ask(StatusResponse, url, target);
    const line = `${job.status} ${job.progress.percentage} %`;
    if (line !== shown) print(`  ${line}\n`);
    shown = line;
    if (isTerminal(job.status)) return job;
  }
  throw new NotAsExpected(`The job is not done after ${MAX_WAIT_MS / 60_000} minutes.`);
};

/** That every link of the answer to a submission leads to what it says. @param links of an ended job's */
const checkLinks = async (links: AnalysisResponse["links"], target: Target): Promise<void> => {
  const headers = { authorization: `Bearer ${target.apiKey}` };
  for (const [relation, link] of Object.entries(links)) {
    const url = target.isTag ? target.status + link.slice(link.indexOf("/v1/")) : link;
    const method = relation === "cancel" ? "POST" : "GET";
    const { status } = await call(url, target, { method, headers });
    // What has ended cannot be cancelled any more.
    const expected = relation === "cancel" ? CONFLICT : OK;
    if (status !== expected) throw new NotAsExpected(`${method} ${url}: ${status}`);
  }
};

/** A sample always has these, whatever the settings. */
const ALWAYS = ["manifest.json", "transcript.json", "chat.json", "highlights.json", "reel.mp4"];

const compare = (contents: ReadonlyMap<string, Buffer>, expected: z.infer<typeof Expected>) => {
  const missing = ALWAYS.filter((name) => !contents.has(name));
  if (missing.length > 0) throw new NotAsExpected(`Not there: ${missing.join(", ")}`);
  const text = contents.get("highlights.json")?.toString("utf8") ?? "";
  const { highlights } = Highlights.parse(JSON.parse(text));
  const found = expected.highlights.filter((moment) =>
    highlights.some((one) => one.start_sec < moment.endSec && one.end_sec > moment.startSec),
  );
  if (found.length < expected.highlights.length * MIN_FOUND_SHARE) {
    throw new NotAsExpected(
      `Of ${expected.highlights.length} moments, ${found.length} are among the highlights.`,
    );
  }
  return found.length;
};

/**
 * @param sampleDir what `samples/generate.ts` wrote
 * @throws {NotAsExpected} with what is wrong
 */
export const runSample = async (
  target: Target,
  sampleDir: string,
  print: (text: string) => void,
): Promise<void> => {
  const at = (name: string): string => join(sampleDir, name);
  const expected = Expected.parse(JSON.parse(await readFile(at("expected.json"), "utf8")));
  await ask(z.unknown(), `${target.status}/health`, target);
  const [video, chat, captions] = await Promise.all([
    upload(at("stream.mp4"), "video/mp4", target),
    upload(at("chat.json"), "application/json", target),
    upload(at("captions.vtt"), "text/vtt", target),
  ]);
  const options = { chat, captions, highlights: { count: 5 } };
  const { job_id, links } = await ask(AnalysisResponse, `${target.submit}/v1/analysis`, target, {
    url: video,
    options,
  });
  print(`Job ${job_id}\n`);
  const job = await follow(job_id, target, print);
  if (job.status !== "Completed") {
    throw new NotAsExpected(`The job ended as ${job.status}: ${job.error?.message ?? ""}`);
  }
  await checkLinks(links, target);
  const contents = await fetchOutputs(job.outputs, target);
  const found = compare(contents, expected);
  print(`${contents.size} outputs as they should be; ${found} moments found.\n`);
};
