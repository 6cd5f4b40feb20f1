// What strangers and bad luck hand over, on one running service: each gets the right answer, soon;
// nothing of it is left behind; and good videos are analysed beside it.
import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiClient, ApiError, createApiClient } from "#local/cli/api.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import { type FileServer, type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { type TwitchStandIn, startTwitch } from "#local/twitch/server.ts";
import type { StatusResponse } from "#shared/contract/api.ts";
import { ERRORS, type ErrorCode } from "#shared/contract/errors.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { wav } from "#shared/speech/wav.ts";
import { fixture } from "../fixtures.ts";
import { startOidcIssuer } from "../oidcIssuer.ts";
import { apiOf, finished } from "./runJob.ts";

const rabbit = fixture("media/rabbit320.mp4");
const jfk = fixture("speech/jfk.wav");
const present = rabbit.present && jfk.present;
const needs = `(needs ${rabbit.name}, ${jfk.name})`;

const MIB = 1024 ** 2;
const LIMITS = { MAX_DURATION_SEC: "60", MAX_SOURCE_BYTES: String(2 * MIB), MAX_SEGMENTS: "50" };
const SITE = "https://media.example.com";
const VODS = { restricted: "1000000001", silent: "1000000002", unknown: "1999999999" };
/** Of the stand-in's playback tokens. */
const TWITCH_SIGNATURE = "f45801db13d8fc1fac72fcf99b649b3d00000000";
/** From handing over to the answer, all of them at once on two cores; alone each takes about 1 s. */
const SOON_MS = 40_000;

const RATE_HZ = 8_000;
const silence = (sec: number): Buffer => wav(Buffer.alloc(sec * RATE_HZ * 2), RATE_HZ);

const served = (body: Uint8Array): ServedFile => ({ body });
const playlist = (...lines: string[]): ServedFile => ({
  body: Buffer.from(["#EXTM3U", "#EXT-X-TARGETDURATION:10", ...lines, ""].join("\n")),
  contentType: "application/vnd.apple.mpegurl",
});
const segment = (uri: string): string[] => ["#EXTINF:10,", uri];
const variant = (uri: string): string[] => ["#EXT-X-STREAM-INF:BANDWIDTH=1", uri];

let dataDir = "";
/** An ffmpeg under a name of this test's own, so that its processes are told from others'. */
let ffmpegPath = "";
let cloud: LocalCloud;
let web: FileServer;
let twitch: TwitchStandIn;
let api: ApiClient;
let stranger: ApiClient;
let strangersToken = "";
let uploads: Record<string, string> = {};
const opened = new AsyncDisposableStack();

const makeFiles = async (folder: string): Promise<Record<string, ServedFile>> => {
  const quiet = join(folder, "quiet.mp4");
  await promisify(execFile)(ffmpegPath, [
    "-v",
    "error",
    "-i",
    rabbit.path,
    "-an",
    "-c",
    "copy",
    quiet,
  ]);
  const [mp4, wav] = await Promise.all([readFile(rabbit.path), readFile(jfk.path)]);
  const noise = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i * 31 + i * 7) & 255));
  const mdat = mp4.indexOf("mdat");
  return {
    "/good.wav": served(wav),
    "/page.html": { body: Buffer.from("<!doctype html><p>No video."), contentType: "video/mp4" },
    "/empty.mp4": served(Buffer.alloc(0)),
    "/noise.mp4": served(noise),
    // The right first bytes, and nothing behind them that can be decoded.
    "/hollow.mp4": served(Buffer.concat([mp4.subarray(0, mdat + 4), noise])),
    "/headOnly.wav": served(wav.subarray(0, 44)),
    "/truncated.wav": served(wav.subarray(0, wav.length / 2)),
    "/truncated.mp4": served(mp4.subarray(0, Math.floor(mp4.length * 0.7))),
    "/quiet.mp4": served(await readFile(quiet)),
    "/long.wav": served(silence(61)),
    "/large.wav": served(Buffer.concat([silence(50), Buffer.alloc(2 * MIB)])),
    "/largeWithoutRanges.wav": {
      body: Buffer.concat([silence(50), Buffer.alloc(2 * MIB)]),
      ranges: false,
    },
    "/intoLoopback": { body: "", redirectTo: `http://127.0.0.1:8080/secret.mp4` },
    "/intoMetadata": { body: "", redirectTo: "http://169.254.169.254/computeMetadata/v1/" },
    "/circle": { body: "", redirectTo: "/circle" },
    "/private.m3u8": playlist(...segment("http://10.0.0.1/0.ts"), "#EXT-X-ENDLIST"),
    "/rebound.m3u8": playlist(...segment("https://rebound.example.com/0.ts"), "#EXT-X-ENDLIST"),
    "/files.m3u8": playlist(...segment("file:///etc/passwd"), "#EXT-X-ENDLIST"),
    "/keyFile.m3u8": playlist(
      '#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"',
      ...segment("0.ts"),
      "#EXT-X-ENDLIST",
    ),
    "/a.m3u8": playlist(...variant("b.m3u8")),
    "/b.m3u8": playlist(...variant("a.m3u8")),
    "/many.m3u8": playlist(
      ...Array.from({ length: 51 }, (_, i) => ["#EXTINF:1,", `${i}.ts`]).flat(),
      "#EXT-X-ENDLIST",
    ),
    "/longList.m3u8": playlist(
      ...Array.from({ length: 20 }, (_, i) => segment(`${i}.ts`)).flat(),
      "#EXT-X-ENDLIST",
    ),
    "/text.m3u8": playlist(...segment("page.html"), "#EXT-X-ENDLIST"),
    "/live.m3u8": playlist("#EXT-X-MEDIA-SEQUENCE:77", ...segment("0.ts")),
  };
};

const UPLOADS = {
  chat: ["chat.json", '{"comments": [{"_id": '],
  notChat: ["chat.json", '{"hello": 1}'],
  captions: ["talk.vtt", "these are no subtitles at all"],
  binary: ["talk.srt", "\u0000\u0001\u0002"],
  theirs: ["theirs.wav", "RIFF"],
} as const;

beforeAll(async () => {
  if (!present) return;
  const folder = await mkdtemp(join(tmpdir(), "bad-input-"));
  opened.defer(() => rm(folder, { recursive: true }));
  dataDir = join(folder, "data");
  ffmpegPath = join(folder, "ffmpeg");
  await symlink((await findFfmpeg()).path, ffmpegPath);
  web = await startFileServer(await makeFiles(folder));
  opened.defer(() => web.close());
  twitch = await startTwitch({
    vods: [{ id: VODS.restricted, mediaPath: rabbit.path, restricted: true }, { id: VODS.silent }],
    cacheDir: join(folder, "vods"),
    ffmpegPath,
  });
  opened.defer(() => twitch.close());
  const oidc = await startOidcIssuer();
  opened.defer(() => oidc[Symbol.asyncDispose]());
  cloud = await startCloud({
    dataDir,
    env: {
      ...LIMITS,
      FFMPEG_PATH: ffmpegPath,
      OIDC_ISSUERS: oidc.issuer,
      MAX_RUNNING_JOBS: "100",
      MAX_RUNNING_JOBS_PER_OWNER: "100",
    },
    hosts: {
      ...twitch.hosts,
      "media.example.com": web.address,
      "rebinding.example.com": "resolves 127.0.0.1",
      // One public address among others is how a name is made to lead elsewhere the second time.
      "rebound.example.com": "resolves 93.184.215.14,10.0.0.1",
    },
  });
  opened.defer(() => cloud.close());
  api = apiOf(cloud);
  strangersToken = await oidc.token({ subject: "ben" });
  stranger = createApiClient(cloud.origin, strangersToken);
  for (const [key, [name, text]] of Object.entries(UPLOADS)) {
    const path = join(folder, name);
    await writeFile(path, text);
    uploads[key] = await (key === "theirs" ? stranger : api).upload(path, "text/plain");
  }
}, 60_000);

afterAll(() => opened.disposeAsync());

/** A request as it is, with its JSON answer. */
const ask = async (
  method: string,
  path: string,
  { body, by = cloud.apiKey }: { body?: unknown; by?: string } = {},
) => {
  const response = await fetch(cloud.origin + path, {
    method,
    headers: { authorization: `Bearer ${by}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** Command lines of the processes that run this test's ffmpeg. */
const ffmpegProcesses = (): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return []; // it ended while we looked
      }
    })
    .filter((line) => line.includes(ffmpegPath));

interface Answer {
  code: string;
  error_type: string;
  message: string;
}

/** What is said of a video in the end, at the door or by the job. */
const answerTo = async (
  url: string,
  options: Record<string, unknown> = {},
  by = api,
): Promise<{ answer: Answer | null; job: StatusResponse | null; tookMs: number }> => {
  const startedMs = performance.now();
  const took = () => performance.now() - startedMs;
  let jobId: string;
  try {
    ({ job_id: jobId } = await by.submit({ url, options }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, error_type, detail, errors = [] } = error.problem;
    const message = [detail, ...errors.map((one) => one.message)].join(" ");
    return { answer: { code, error_type, message }, job: null, tookMs: took() };
  }
  const job = await finished(by, jobId);
  return { answer: job.error, job, tookMs: took() };
};

/** Name, address, code, and what the sentence has to say. */
type Row = [
  name: string,
  url: string,
  code: ErrorCode,
  says: RegExp,
  options?: () => Record<string, unknown>,
];

const ROWS: Row[] = [
  ["no address", "hello there", "invalid_url", /not an address/],
  ["another scheme", "file:///etc/passwd", "invalid_url", /http/],
  ["a loopback address", "http://127.0.0.1:8080/a.mp4", "private_address", /private/],
  ["loopback in disguise", "http://0x7f.1/a.mp4", "private_address", /private/],
  ["loopback as IPv6", "http://[::ffff:127.0.0.1]/a.mp4", "private_address", /private/],
  ["the metadata server", "http://169.254.169.254/", "private_address", /private/],
  ["a redirect to loopback", `${SITE}/intoLoopback`, "private_address", /private/],
  ["a redirect to the metadata server", `${SITE}/intoMetadata`, "private_address", /private/],
  ["a name of loopback", "https://rebinding.example.com/a.mp4", "private_address", /private/],
  ["a name of two networks", "https://rebound.example.com/a.mp4", "private_address", /private/],
  ["a private address in a playlist", `${SITE}/private.m3u8`, "private_address", /private/],
  ["a private name in a playlist", `${SITE}/rebound.m3u8`, "private_address", /private/],
  ["a playlist of local files", `${SITE}/files.m3u8`, "invalid_playlist", /playlist/],
  ["a key in a local file", `${SITE}/keyFile.m3u8`, "invalid_playlist", /playlist/],
  ["a cycle of playlists", `${SITE}/a.m3u8`, "invalid_playlist", /playlist/],
  ["a circle of redirects", `${SITE}/circle`, "invalid_url", /circle/],
  ["a page", `${SITE}/page.html`, "not_media", /neither video nor sound/],
  ["noise", `${SITE}/noise.mp4`, "not_media", /neither video nor sound/],
  ["a playlist of pages", `${SITE}/text.m3u8`, "not_media", /segments/],
  ["a sliding live playlist", `${SITE}/live.m3u8`, "live_stream", /live/],
  ["a file of 0 bytes", `${SITE}/empty.mp4`, "empty_file", /empty/],
  ["a file with nothing to decode", `${SITE}/hollow.mp4`, "invalid_media", /decoded/],
  ["a header alone", `${SITE}/headOnly.wav`, "invalid_media", /decoded/],
  ["neither sound nor chat", `${SITE}/quiet.mp4`, "nothing_to_analyze", /neither sound nor chat/],
  ["nothing at the address", `${SITE}/missing.mp4?Signature=s3cret`, "video_not_found", /no video/],
  ["a video that is too long", `${SITE}/long.wav`, "video_too_long", /limit/],
  ["a playlist that is too long", `${SITE}/longList.m3u8`, "video_too_long", /limit/],
  ["too many bytes", `${SITE}/large.wav`, "video_too_large", /limit/],
  ["too many bytes, unannounced", `${SITE}/largeWithoutRanges.wav`, "video_too_large", /limit/],
  ["too many segments", `${SITE}/many.m3u8`, "too_many_segments", /segments/],
  ["an unknown Twitch video", VODS.unknown, "video_not_found", /no.* video/i],
  ["a subscriber-only video", VODS.restricted, "video_restricted", /subscribers/],
  ["a Twitch channel", "twitch.tv/somebody", "live_stream", /channel/],
  [
    "a start beyond the end",
    `${SITE}/good.wav`,
    "invalid_request",
    /ends at 11 s/,
    () => ({ start_sec: 3600 }),
  ],
  [
    "a chat file that breaks off",
    `${SITE}/good.wav`,
    "invalid_chat_file",
    /chat file/,
    () => ({ chat: uploads["chat"] }),
  ],
  [
    "a chat file that is something else",
    `${SITE}/good.wav`,
    "invalid_chat_file",
    /chat file/,
    () => ({ chat: uploads["notChat"] }),
  ],
  [
    "damaged captions",
    `${SITE}/good.wav`,
    "invalid_captions",
    /subtitle/,
    () => ({ captions: uploads["captions"] }),
  ],
  [
    "binary captions",
    `${SITE}/good.wav`,
    "invalid_captions",
    /subtitle/,
    () => ({ captions: uploads["binary"] }),
  ],
];

describe.skipIf(!present)(`bad input ${needs}`, () => {
  type Answered = Awaited<ReturnType<typeof answerTo>>;
  /** All at once, as a service meets them. */
  const asked = new Map<string, Promise<Answered>>();
  let good: Promise<Answered>[] = [];

  beforeAll(() => {
    for (const [name, url, , , options] of ROWS) {
      const answer = answerTo(url, options?.());
      answer.catch(() => undefined); // its own test sees it
      asked.set(name, answer);
    }
    const theirs = answerTo(`${SITE}/good.wav`, { samples_per_pixel: 512 }, stranger);
    good = [answerTo(`${SITE}/truncated.wav`), answerTo(`${SITE}/truncated.mp4`), theirs];
    for (const one of good) one.catch(() => undefined);
  });

  it.each(ROWS)("%s", async (name, _url, code, says) => {
    const { answer, tookMs } = (await asked.get(name)) as Answered;
    expect(answer).toMatchObject({ code, error_type: ERRORS[code].errorType });
    expect(answer?.message).toMatch(says);
    expect(tookMs).toBeLessThan(SOON_MS);
  });

  it("analyses of a truncated sound what is there, and says so", async () => {
    const { job } = (await good[0]) as Answered;
    expect(job).toMatchObject({ status: "Completed" });
    expect(job?.warnings.map(({ code }) => code)).toContain("media_truncated");
  });

  it("says of a truncated video that nothing can be decoded, or analyses what can", async () => {
    const { job, answer } = (await good[1]) as Answered;
    if (job?.status === "Completed")
      expect(job.warnings.map(({ code }) => code)).toContain("media_truncated");
    else expect(answer).toMatchObject({ code: "invalid_media" });
  });

  it("serves a good video of somebody else's beside all that", async () => {
    const { job } = (await good[2]) as Answered;
    expect(job).toMatchObject({ status: "Completed", error: null });
    expect(job?.outputs.map(({ name }) => name)).toContain("audiowave.json");
  });

  it("knows nobody else's uploads, and none that never came", async () => {
    const { body } = await ask("POST", "/v1/uploads", { body: { filename: "never.mp4" } });
    const handle = String(body["handle"]);
    const never = await answerTo(handle);
    expect(never.answer).toMatchObject({ code: "video_not_found" });
    for (const options of [{ chat: handle }, { captions: handle }]) {
      const { answer } = await answerTo(`${SITE}/good.wav`, options);
      expect(answer?.message).toMatch(/never uploaded/);
    }
    const theirs = await answerTo(uploads["theirs"] ?? "");
    expect(theirs.answer).toMatchObject({ code: "not_found" });
  });

  it("shows nobody else's jobs", async () => {
    const { job_id: jobId } = await api.submit({ url: `${SITE}/page.html`, options: {} });
    for (const act of [stranger.status, stranger.cancel])
      await expect(act(jobId)).rejects.toMatchObject({
        problem: { status: 404, code: "not_found" },
      });
    const list = await ask("GET", "/v1/analysis?limit=100", { by: strangersToken });
    expect(JSON.stringify(list.body)).not.toContain(jobId);
    await finished(api, jobId);
  });

  it("refuses to resume a stream behind an event that never was", async () => {
    const { job } = (await asked.get("a page")) as Answered;
    const statusAfter = async (id: string): Promise<number> => {
      const response = await fetch(`${cloud.origin}/v1/analysis/${job?.job_id}/stream`, {
        headers: { authorization: `Bearer ${cloud.apiKey}`, "last-event-id": id },
      });
      await response.text();
      return response.status;
    };
    for (const id of ["abc", "-1", "1e3", "0x1", "999", "9".repeat(20)])
      expect([id, await statusAfter(id)]).toEqual([id, 422]);
    expect(await statusAfter("")).toBe(200);
    expect(await statusAfter("1")).toBe(200);
  });

  it("makes one job of one key, however often and at once it is sent", async () => {
    const send = async (url: string) => {
      const response = await fetch(`${cloud.origin}/v1/analysis`, {
        method: "POST",
        headers: { authorization: `Bearer ${cloud.apiKey}`, "idempotency-key": "one-key" },
        body: JSON.stringify({ url }),
      });
      const body = (await response.json()) as Record<string, unknown>;
      return String(body["job_id"] ?? body["code"]);
    };
    const jobs = await Promise.all(Array.from({ length: 8 }, () => send(`${SITE}/page.html`)));
    expect(new Set(jobs).size).toBe(1);
    expect(await send(`${SITE}/other.html`)).toBe("idempotency_mismatch");
    await finished(api, jobs[0] ?? "");
  });

  it("has left no process and no file behind", () => {
    if (existsSync("/proc/self")) expect(ffmpegProcesses()).toEqual([]);
    const scratch = join(dataDir, "tmp");
    const instances = readdirSync(scratch);
    expect(instances).toHaveLength(cloud.instances().length);
    expect(instances.flatMap((name) => readdirSync(join(scratch, name)))).toEqual([]);
  });

  it("has written no secret into a log", () => {
    const folder = join(dataDir, "logs");
    const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    expect(logs.join("").length).toBeGreaterThan(1000);
    const secrets = [cloud.apiKey, strangersToken, TWITCH_SIGNATURE, "s3cret", "upload_id="];
    expect(secrets.filter((secret) => logs.some((log) => log.includes(secret)))).toEqual([]);
  });

  it("still serves", async () => {
    const { job } = await answerTo(`${SITE}/good.wav`);
    expect(job).toMatchObject({ status: "Completed", error: null });
  });
});
