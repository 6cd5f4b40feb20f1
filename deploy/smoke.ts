// `deploy/smoke.sh`: the sample stream through the deployed service, as any caller would hand it over,
// and what comes back against what is known of the sample.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AnalysisResponse, StatusResponse, UploadResponse } from "#shared/contract/api.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { NotAsExpected, WrongUse, readOptions, runCommand } from "./commandLine.ts";
import { PIPELINE, addressOf } from "./firstSteps.ts";
import { type Machine, machine, openSession } from "./session.ts";
import type { Tools } from "./tools.ts";

const HELP = `Usage: deploy/smoke.sh [--tag T] [--project P] [--region R]
       deploy/smoke.sh --submit URL --status URL

Hands a sample stream of two minutes to the deployed service and compares what comes back: every
output is there with its size and checksum, and the highlights are those that the sample has.

  --tag T       at the address of this tag, where there is one; what runs behind it, the topics know
  --submit URL, --status URL
                where the service answers, instead of asking Google Cloud; with KLIPSTREAM_API_KEY
  --project P, --region R, --help

An API key is made with CONVEX_DEPLOY_KEY, or is KLIPSTREAM_API_KEY.

Exit status: 0 as it should be, 1 not, 2 wrong use.
`;

const POLL_MS = 3_000;
const MAX_WAIT_MS = 30 * 60_000;
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
  apiKey: string;
}

/** What is asked of the service, and what it must answer. @throws {NotAsExpected} */
const ask = async <T>(
  answer: z.ZodType<T>,
  url: string,
  { apiKey }: Target,
  body?: unknown,
): Promise<T> => {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
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
  const response = await fetch(upload_url, { method: "PUT", body: bytes });
  if (!response.ok) throw new NotAsExpected(`The upload was answered with ${response.status}.`);
  return handle;
};

/** Every output fetched by its signed address. @returns their contents by name */
const fetchOutputs = async (outputs: StatusResponse["outputs"]): Promise<Map<string, Buffer>> => {
  const contents = new Map<string, Buffer>();
  for (const { name, url, size_bytes, sha256 } of outputs) {
    const response = await fetch(url);
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

const follow = async (
  jobId: string,
  target: Target,
  print: (text: string) => void,
): Promise<StatusResponse> => {
  const giveUpAt = Date.now() + MAX_WAIT_MS;
  for (let shown = ""; Date.now() < giveUpAt; await sleep(POLL_MS)) {
    const url = `${target.status}/v1/analysis/${jobId}/status`;
    const job = await ask(StatusResponse, url, target);
    const line = `${job.status} ${job.progress.percentage} %`;
    if (line !== shown) print(`  ${line}\n`);
    shown = line;
    if (isTerminal(job.status)) return job;
  }
  throw new NotAsExpected(`The job is not done after ${MAX_WAIT_MS / 60_000} minutes.`);
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
export const smoke = async (
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
  const { job_id } = await ask(AnalysisResponse, `${target.submit}/v1/analysis`, target, {
    url: video,
    options,
  });
  print(`Job ${job_id}\n`);
  const job = await follow(job_id, target, print);
  if (job.status !== "Completed") {
    throw new NotAsExpected(`The job ended as ${job.status}: ${job.error?.message ?? ""}`);
  }
  const contents = await fetchOutputs(job.outputs);
  const found = compare(contents, expected);
  print(`${contents.size} outputs as they should be; ${found} moments found.\n`);
};

/** A key of the pipeline's making, for an owner of its own, since one may have only so many. */
const issueKey = async (tools: Tools): Promise<string> => {
  const owner = { ownerId: `smoke-${new Date().toISOString()}`, name: "deploy/smoke.sh" };
  const args = ["run", "apiKeys:issue", JSON.stringify(owner)];
  const answer = await tools.run({ tool: "convex", args: [...args, "--identity", PIPELINE] });
  return z.object({ key: z.string() }).parse(JSON.parse(answer)).key;
};

const targetOf = async (
  options: ReturnType<typeof readOptions>,
  from: Machine,
): Promise<Target> => {
  const { submit, status, tag } = options.values;
  const apiKey = from.env["KLIPSTREAM_API_KEY"];
  if (submit !== undefined && status !== undefined) {
    if (!apiKey) throw new WrongUse("KLIPSTREAM_API_KEY is not set.");
    return { submit, status, apiKey };
  }
  if (submit !== undefined || status !== undefined) {
    throw new WrongUse("--submit and --status go together.");
  }
  const session = await openSession(options, from, "make");
  return {
    submit: await addressOf("submit", session, tag),
    status: await addressOf("status", session, tag),
    apiKey: apiKey ?? (await issueKey(session.tools)),
  };
};

const main = (argv: string[], from: Machine): Promise<number> =>
  runCommand(
    HELP,
    async () => {
      const options = readOptions(argv, [], ["tag", "submit", "status", "sample"]);
      if (options.help) return from.print(HELP);
      const { sample } = options.values;
      if (sample === undefined) throw new WrongUse("--sample DIR is missing; smoke.sh makes one.");
      await smoke(await targetOf(options, from), sample, from.print);
    },
    from.complain,
  );

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), machine());
