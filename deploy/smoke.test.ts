// The smoke test is shown a service that answers as it should, and some that do not.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { functionSpec } from "#functions/catalog.ts";
import { NotAsExpected } from "./commandLine.ts";
import { runSample } from "./sampleRun.ts";
import type { Machine } from "./session.ts";
import { shimTools } from "./shim/inProcess.ts";
import { type State, emptyState } from "./shim/state.ts";
import { GIVEN, applyTo } from "./shim/world.ts";
import { smoke } from "./smoke.ts";

const MOMENTS = [
  { startSec: 10, endSec: 20 },
  { startSec: 50, endSec: 60 },
];

interface Answers {
  status: string;
  files: Record<string, string>;
  /** What the service says of each, where it is wrong. */
  sha256?: string;
  /** Where links in answers lead; default here. */
  linked?: string;
  /** Called when the job's state is asked for. */
  onStatus?: () => void;
}

const good = (): Answers => ({
  status: "Completed",
  files: {
    "manifest.json": "{}",
    "transcript.json": "[]",
    "chat.json": "{}",
    "reel.mp4": "moving pictures",
    "highlights.json": JSON.stringify({
      highlights: [
        { start_sec: 8, end_sec: 22 },
        { start_sec: 49, end_sec: 61 },
      ],
    }),
  },
});

let folder = "";
let server: Server;
let origin = "";
let answers: Answers;
const uploaded: Record<string, string> = {};
const submitted: unknown[] = [];
const keysUsed = new Set<string>();
let state: State;

const bodyOf = async (req: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

const job = (): object => ({
  job_id: "j1",
  video_id: "v1",
  url: "gs://b/stream.mp4",
  status: answers.status,
  progress: { percentage: 100, current_stage: "Queued", estimated_completion_seconds: null },
  stages: {},
  warnings: [],
  error: null,
  created_at: "2026-01-01T00:00:00.000Z",
  started_at: null,
  completed_at: null,
  retry_count: 0,
  outputs: Object.entries(answers.files).map(([name, text]) => ({
    name,
    content_type: "text/plain",
    size_bytes: text.length,
    sha256: answers.sha256 ?? createHash("sha256").update(text).digest("hex"),
    url: `${origin}/files/${name}`,
  })),
});

const answer = async (req: IncomingMessage): Promise<string> => {
  const path = req.url ?? "";
  const body = await bodyOf(req);
  if (req.method === "PUT") return (uploaded[path] = body);
  if (path.startsWith("/files/")) return answers.files[path.slice(7)] ?? "";
  const key = req.headers.authorization?.replace("Bearer ", "") ?? "";
  if (key !== "key" && !state.convex.keys.includes(key.slice(3))) throw new Error("no key");
  keysUsed.add(key);
  if (path === "/v1/uploads") {
    const { filename } = JSON.parse(body) as { filename: string };
    const upload = { handle: `gs://b/${filename}`, upload_url: `${origin}/put/${filename}` };
    return JSON.stringify(upload);
  }
  if (path === "/v1/analysis") {
    submitted.push(JSON.parse(body));
    const at = `${answers.linked ?? origin}/v1/analysis/j1`;
    const links = { status: `${at}/status`, stream: `${at}/stream`, cancel: `${at}/cancel` };
    return JSON.stringify({ ...job(), status: "Queued", message: "", links });
  }
  if (path === "/health" || path.endsWith("/stream")) return "{}";
  if (!path.startsWith("/v1/analysis/j1/status")) throw new Error(`no route ${path}`);
  answers.onStatus?.();
  return JSON.stringify(job());
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "smoke-"));
  for (const name of ["stream.mp4", "chat.json", "captions.vtt"]) {
    writeFileSync(join(folder, name), `the ${name}`);
  }
  writeFileSync(join(folder, "expected.json"), JSON.stringify({ highlights: MOMENTS }));
  answers = good();
  submitted.length = 0;
  keysUsed.clear();
  state = emptyState();
  server = createServer((req, res) => {
    // The job has ended, whenever it is asked for.
    if (req.method === "POST" && req.url?.endsWith("/cancel")) {
      res.writeHead(409).end();
      return;
    }
    answer(req).then(
      (text) => res.end(text),
      () => res.writeHead(500).end("broken"),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const run = async (apiKey = "key", isTag = false): Promise<string> => {
  let printed = "";
  const print = (text: string): void => void (printed += text);
  const { signal } = new AbortController();
  await runSample({ submit: origin, status: origin, isTag, apiKey, signal }, folder, print);
  return printed;
};

it("hands the sample over and finds what it should", async () => {
  expect(await run()).toContain("5 outputs as they should be; 2 moments found.");
  expect(uploaded["/put/captions.vtt"]).toBe("the captions.vtt");
  expect(submitted).toEqual([
    {
      url: "gs://b/stream.mp4",
      options: {
        chat: "gs://b/chat.json",
        captions: "gs://b/captions.vtt",
        highlights: { count: 5 },
      },
    },
  ]);
});

it.each<[what: string, spoil: () => void, message: RegExp]>([
  ["a job that fails", () => (answers.status = "Failed"), /ended as Failed/],
  ["a file that is another", () => (answers.sha256 = "00"), /another checksum/],
  ["a file that is not there", () => delete answers.files["reel.mp4"], /Not there: reel\.mp4/],
  ["links to what has no such route", () => (answers.linked = `${origin}/x`), /status: 500/],
  [
    "highlights elsewhere",
    () => (answers.files["highlights.json"] = '{"highlights": []}'),
    /Of 2 moments, 0/,
  ],
])("says no to %s", async (_what, spoil, message) => {
  spoil();
  await expect(run()).rejects.toThrow(message);
});

it("says what the service answered instead", async () => {
  await expect(run("another key")).rejects.toThrow(/: 500 broken/);
});

it("follows the links of a tag at the tag: what they name has the traffic yet", async () => {
  answers.linked = "http://127.0.0.1:1/video";
  await expect(run()).rejects.toThrow("does not answer");
  expect(await run("key", true)).toContain("as they should be");
});

describe("the key", () => {
  let complained = "";
  let stop: AbortController;
  beforeEach(async () => {
    complained = "";
    stop = new AbortController();
    state.serviceUrl = origin;
    await applyTo(state, { release: { catalog: ["status", "submit"].map(functionSpec) } });
  });

  const command = (argv: string[] = [], env: NodeJS.ProcessEnv = GIVEN): Promise<number> => {
    const machine: Machine = {
      env,
      folder,
      tools: () => shimTools(state),
      print: () => undefined,
      complain: (text) => void (complained += text),
    };
    return smoke([...argv, "--sample", folder], machine, stop.signal);
  };

  it.each<[how: string, prepare: () => void, exit: number, said: string]>([
    ["all is well", () => undefined, 0, ""],
    ["the job fails", () => (answers.status = "Failed"), 1, "ended as Failed"],
    [
      "it is interrupted while the job is at work",
      () => {
        answers.status = "Analyzing";
        answers.onStatus = () => stop.abort(new NotAsExpected("it was interrupted."));
      },
      1,
      "it was interrupted",
    ],
  ])("is gone where %s", async (_how, prepare, exit, said) => {
    prepare();
    expect(await command(), complained).toBe(exit);
    expect(complained).toContain(said);
    expect([...keysUsed]).toEqual(["ks_key1"]);
    expect(state.convex.keys).toEqual([]);
  });

  it("is the given one where there is one, and stays", async () => {
    expect(await command([], { ...GIVEN, KLIPSTREAM_API_KEY: "key" }), complained).toBe(0);
    expect([...keysUsed]).toEqual(["key"]);
  });
});
