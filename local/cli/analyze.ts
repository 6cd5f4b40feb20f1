// `npm run analyze`: hands a video to the service and waits for its results, as a person would.
// Brings up the local cloud where none is running.
import "../dotEnv.ts";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { StatusResponse } from "#shared/contract/api.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { type ApiClient, ApiError, createApiClient } from "./api.ts";
import { useCloud } from "./cloud.ts";
import {
  COMMON_OPTIONS,
  EXIT,
  UsageError,
  interruption,
  parseCommandLine,
  runCommand,
} from "./command.ts";
import { mediaTypeOf } from "./mediaType.ts";
import { parseOptions, withStudy } from "./options.ts";
import { createProgressView, parseEvent } from "./progressView.ts";
import { printResult } from "./result.ts";
import { removeStaleOutputs } from "./staleOutputs.ts";

const HELP = `Usage: npm run analyze -- <url|file> [options]

Analyses a video: transcript, chat, waveform, sentiment, highlights, clips.
<url|file> is a Twitch VOD (address or number), the address of a media file or
HLS playlist, or a file on this machine.

  --chat FILE        chat replay: TwitchDownloader's JSON
  --captions FILE    subtitles: WebVTT or SubRip
  --out DIR          where the outputs go (default out/<job id>)
  --option K=V       an option of the API, such as highlights.count=3; repeatable
  --data DIR         state of the local cloud (default .klipstream)
  --json             the manifest alone on standard output (with npm run -s)
  --help

Notes and quiz are made after a job, so only where npm start stays up for them.

Exit status: 0 completed, 1 failed, 2 wrong use. Ctrl-C cancels the job.

Examples:
  npm run analyze -- talk.mp4 --captions talk.vtt
  npm run analyze -- https://www.twitch.tv/videos/123456789 --option clips=false
  npm run -s analyze -- talk.mp4 --out results --json > manifest.json
`;

interface Arguments {
  source: string;
  chat: string | undefined;
  captions: string | undefined;
  out: string | undefined;
  data: string;
  json: boolean;
  options: Record<string, unknown>;
}

/** Made before any work is done that would have no place to go. */
const makeFolder = (out: string): void => {
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new UsageError(`--out ${out}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (argv: string[]): Arguments | null => {
  const { values, positionals } = parseCommandLine({
    args: argv,
    allowPositionals: true,
    options: {
      chat: { type: "string" },
      captions: { type: "string" },
      out: { type: "string" },
      option: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
      ...COMMON_OPTIONS,
    },
  });
  if (values.help) return null;
  const [source, ...more] = positionals;
  if (source === undefined || more.length > 0)
    throw new UsageError("Name one video: an address or a file.");
  const { chat, captions, out, data, json } = values;
  for (const file of [chat, captions])
    if (file !== undefined && !statSync(file, { throwIfNoEntry: false })?.isFile())
      throw new UsageError(`There is no file ${file}.`);
  if (out !== undefined) makeFolder(out);
  return { source, chat, captions, out, data, json, options: parseOptions(values.option) };
};

/** A word that names a file here is that file; what only looks like one is told so. */
const isFile = async (source: string): Promise<boolean> => {
  if (/^(https?|gs):\/\//i.test(source)) return false;
  if (existsSync(source)) {
    if ((await stat(source)).isFile()) return true;
    throw new UsageError(`${source} is not a file.`);
  }
  if (/^v?\d+$/.test(source) || /^[\w.-]*twitch\.tv\//i.test(source)) return false;
  if (/[/\\]|\.\w{2,4}$/.test(source)) throw new UsageError(`There is no file ${source}.`);
  return false;
};

const submit = async (api: ApiClient, args: Arguments, isOwn: boolean): Promise<string> => {
  const uploaded = (path: string) => api.upload(path, mediaTypeOf(path));
  const url = (await isFile(args.source)) ? await uploaded(args.source) : args.source;
  const options = {
    ...withStudy(args.options, isOwn),
    ...(args.chat === undefined ? {} : { chat: await uploaded(args.chat) }),
    ...(args.captions === undefined ? {} : { captions: await uploaded(args.captions) }),
  };
  return (await api.submit({ url, options })).job_id;
};

/** Shows the job's events up to its last one. */
const follow = async (api: ApiClient, jobId: string, signal: AbortSignal): Promise<void> => {
  const view = createProgressView(process.stderr);
  for await (const event of api.follow(jobId, signal, () => view.lost())) {
    const data = parseEvent(event);
    view.show(data);
    if (data.type === "status" && isTerminal(data.status)) break;
  }
};

const downloadAll = async (api: ApiClient, job: StatusResponse, out: string): Promise<void> => {
  await removeStaleOutputs(
    out,
    job.outputs.map(({ name }) => name),
  );
  for (const { name, url } of job.outputs) {
    const path = resolve(out, name);
    await mkdir(dirname(path), { recursive: true });
    await api.download(url, path);
  }
};

/** Cancels a job that may have ended meanwhile. */
const cancel = async (api: ApiClient, jobId: string): Promise<void> => {
  try {
    await api.cancel(jobId);
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.code !== "conflict") throw error;
  }
};

/** @returns the exit status */
const analyze = async (args: Arguments): Promise<number> => {
  using interrupted = interruption();
  const { signal } = interrupted;
  await using cloud = await useCloud(args.data);
  const api = createApiClient(cloud.origin, cloud.apiKey, signal);
  let jobId: string | undefined;
  try {
    signal.throwIfAborted();
    jobId = await submit(api, args, cloud.isOwn);
    await follow(api, jobId, signal);
    const job = await api.status(jobId);
    if (job.status !== "Completed") {
      process.stderr.write(`${job.error?.message ?? `The job ended: ${job.status}.`}\n`);
      return EXIT.failed;
    }
    const out = args.out ?? join("out", jobId);
    await downloadAll(api, job, out);
    await printResult(out, { json: args.json });
    return EXIT.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    if (jobId !== undefined) await cancel(api, jobId);
    process.stderr.write("Canceled.\n");
    return EXIT.failed;
  }
};

/** @param argv what follows the command's name */
export const main = (argv: string[]): Promise<number> =>
  runCommand({ help: HELP, read: () => readArguments(argv), run: analyze });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
