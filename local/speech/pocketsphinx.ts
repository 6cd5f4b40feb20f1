// A real speech engine behind OpenAI's transcription protocol, for tests and demonstrations without
// a network: CMU PocketSphinx with its US English model, as Debian packages it. It hears worse than
// today's models do, but it does hear: its words and their times come from the sound.
import { execFile } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { findFfmpeg, runFfmpeg } from "#shared/media/ffmpeg.ts";
import { listen, readBody, stop } from "../httpServer.ts";

const run = promisify(execFile);
const MODEL = "/usr/share/pocketsphinx/model/en-us";
const FRAMES_PER_SEC = 100;
const MAX_BODY_BYTES = 32 * 1024 * 1024;

const binary = (): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "pocketsphinx_batch"))
    .find((path) => existsSync(path));

/** What is missing on this machine, in words for a skipped test's title; null where nothing is. */
export const pocketsphinxMissing = (): string | null => {
  if (binary() === undefined) return "pocketsphinx_batch";
  return existsSync(join(MODEL, "en-us")) ? null : "pocketsphinx-en-us";
};

interface Heard {
  word: string;
  start: number;
  end: number;
}

/**
 * Words of one line of `-hypseg`: `id S … T … A … L …`, then of each word its first frame, two
 * scores and the word, and at the end the last frame. `was(2)` is a second way to say `was`.
 */
export const parseHypseg = (line: string): Heard[] => {
  const tokens = line.trim().split(/\s+/).slice(9);
  const heard: Heard[] = [];
  for (let at = 0; at + 4 < tokens.length; at += 4) {
    const word = (tokens[at + 3] as string).replace(/\(\d+\)$/, "");
    if (/^[<[+]/.test(word)) continue;
    const start = Number(tokens[at]) / FRAMES_PER_SEC;
    heard.push({ word, start, end: Number(tokens[at + 4]) / FRAMES_PER_SEC });
  }
  return heard;
};

/** Words in one go, as segments: a pause of half a second parts them. */
const segmentsOf = (words: Heard[]): { id: number; start: number; end: number; text: string }[] => {
  const segments: { id: number; start: number; end: number; text: string }[] = [];
  for (const { word, start, end } of words) {
    const last = segments.at(-1);
    if (last !== undefined && start - last.end < 0.5) {
      last.text += ` ${word}`;
      last.end = end;
    } else segments.push({ id: segments.length, start, end, text: word });
  }
  return segments;
};

const recognize = async (sound: Uint8Array): Promise<Heard[]> => {
  const folder = await mkdtemp(join(tmpdir(), "klipstream-sphinx-"));
  try {
    await writeFile(join(folder, "in"), sound);
    const decode = ["-i", join(folder, "in"), "-ac", "1", "-ar", "16000", "-f", "s16le"];
    await runFfmpeg(await findFfmpeg(), [...decode, join(folder, "sound.raw")]);
    await writeFile(join(folder, "list"), "sound\n");
    await run(
      binary() ?? "pocketsphinx_batch",
      Object.entries({
        hmm: join(MODEL, "en-us"),
        lm: join(MODEL, "en-us.lm.bin"),
        dict: join(MODEL, "cmudict-en-us.dict"),
        ctl: join(folder, "list"),
        cepdir: folder,
        cepext: ".raw",
        adcin: "yes",
        // Without silence every later word would come too early.
        remove_silence: "no",
        hypseg: join(folder, "words"),
        logfn: "/dev/null",
      }).flatMap(([name, value]) => [`-${name}`, value]),
      { timeout: 300_000 },
    );
    return parseHypseg(await readFile(join(folder, "words"), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

export interface Pocketsphinx {
  /** Such as `http://127.0.0.1:41234`; the base URL is `{origin}/v1`. */
  origin: string;
  /** Transcriptions asked for so far: counts work from outside. */
  requests(): number;
  close(): Promise<void>;
}

/** On a free port; as many transcriptions at once as there are cores. */
export const startPocketsphinx = async (): Promise<Pocketsphinx> => {
  let requests = 0;
  let free = Math.max(1, availableParallelism());
  const waiting: (() => void)[] = [];
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (free === 0) await new Promise<void>((go) => waiting.push(go));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };

  const transcribe = async (request: IncomingMessage): Promise<unknown> => {
    const type = request.headers["content-type"] ?? "";
    const body = await readBody(request, MAX_BODY_BYTES);
    if (!body) throw new Error("the body is too large");
    const form = await new Response(new Uint8Array(body), {
      headers: { "content-type": type },
    }).formData();
    const file = form.get("file");
    if (!(file instanceof File)) throw new Error("no file");
    const sound = new Uint8Array(await file.arrayBuffer());
    const words = await inTurn(() => recognize(sound));
    const segments = segmentsOf(words);
    const text = segments.map((segment) => segment.text).join(" ");
    return { task: "transcribe", language: "english", text, words, segments };
  };

  const server = createServer((request, response) => {
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    const error = (message: string): unknown => ({ error: { message } });
    if (request.method !== "POST" || request.url !== "/v1/audio/transcriptions") {
      request.resume();
      answer(404, error("no such path"));
      return;
    }
    requests += 1;
    transcribe(request).then(
      (value) => answer(200, value),
      (cause: unknown) => answer(400, error(String(cause))),
    );
  });
  const origin = await listen(server);
  return { origin, requests: () => requests, close: () => stop(server) };
};
