import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileServer, type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { memoryStore } from "../../tests/memoryStore.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import { findFfmpeg } from "../media/ffmpeg.ts";
import { createGuardedFetch } from "./fetch.ts";
import { ffmpegProbe } from "./ffmpegProbe.ts";
import { openRange } from "./open.ts";
import { parseSourceUrl } from "./parseUrl.ts";
import { resolveSource, type ResolveDeps } from "./resolve.ts";
import {
  decodePiece,
  lagOf,
  makeMedia,
  MAX_LAG,
  pictureInput,
  RATE_HZ,
  sweepInput,
} from "./testMedia.ts";

const SEC = 12;
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "2"];
const both = [...pictureInput(SEC), ...sweepInput(SEC)];
const sound = sweepInput(SEC);

/** Each container of the issue, and how ffmpeg makes it. */
const CONTAINERS: Record<string, string[]> = {
  "index-first.mp4": [...both, ...X264, "-c:a", "aac", "-movflags", "+faststart"],
  "index-last.mp4": [...both, ...X264, "-c:a", "aac"],
  "fragmented.mp4": [...both, ...X264, "-c:a", "aac", "-movflags", "frag_keyframe+delay_moov"],
  "a.mov": [...both, ...X264, "-c:a", "pcm_s16le"],
  "a.webm": [
    ...both,
    "-c:v",
    "libvpx",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-c:a",
    "libopus",
  ],
  "a.mkv": [...both, ...X264, "-c:a", "aac"],
  "a.ts": [...both, ...X264, "-c:a", "aac"],
  "a.mp3": [...sound, "-b:a", "96k"],
  "vbr.mp3": [...sound, "-q:a", "4"],
  "a.m4a": [...sound, "-c:a", "aac"],
  "a.aac": [...sound, "-c:a", "aac"],
  "a.wav": [...sound],
  "a.flac": [...sound],
  "a.ogg": [...sound, "-c:a", "libvorbis"],
  "opus.ogg": [...sound, "-c:a", "libopus"],
  "a.aiff": [...sound],
  "a.avi": [...both, ...X264, "-c:a", "libmp3lame"],
};

let dir = "";
let server: FileServer;
const files: Record<string, ServedFile> = {};
let net: ReturnType<typeof createGuardedFetch>;
const store = memoryStore();
let deps: ResolveDeps;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "source-file-"));
  for (const [name, args] of Object.entries(CONTAINERS)) {
    await makeMedia([...args, join(dir, name)]);
    files[`/${name}`] = { body: join(dir, name) };
  }
  server = await startFileServer(files);
  net = createGuardedFetch(standInNet({ "media.example": server.address }));
  deps = {
    fetch: net.fetch,
    store,
    limits: { maxDurationSec: 3600, maxBytes: 50 * 2 ** 20, maxSegments: 1000 },
    spoolTo: "stages/spool/source",
    probe: ffmpegProbe(await findFfmpeg()),
  };
});
afterAll(async () => {
  await net.close();
  await server.close();
  await rm(dir, { recursive: true });
});

const resolve = (path: string, over: Partial<ResolveDeps> = {}) =>
  resolveSource(parseSourceUrl(`https://media.example${path}`), { ...deps, ...over });

const decode = async (
  source: Awaited<ReturnType<typeof resolve>>,
  startSec: number,
  endSec: number,
) => {
  const parts: Float32Array[] = [];
  for await (const piece of openRange(source, { startSec, endSec, track: "audio" }, deps)) {
    try {
      parts.push(await decodePiece(piece));
      expect(piece.failure?.()).toBeUndefined();
      expect(piece.bytesRead()).toBeGreaterThan(0);
    } finally {
      await piece.close();
    }
  }
  expect(parts).toHaveLength(1);
  return parts[0] ?? new Float32Array();
};

/** Containers that say which samples an encoder put in front. */
const GAPLESS = /mp4|mov|m4a|mp3|wav|flac|ogg|aiff|webm/;
/** The others keep the run-up of AAC (1,024) or MP3 (1,105), more or less their own rounding. */
const RUN_UP_SAMPLES = 1200;

describe.each(Object.keys(CONTAINERS))("%s", (name) => {
  it("is described, and a range of it lies where the whole has it", async () => {
    const source = await resolve(`/${name}`);
    expect(source.durationSec).toBeGreaterThan(SEC - 0.05);
    expect(source.durationSec).toBeLessThan(SEC + 0.2);
    expect(source.audio).toMatchObject({ channels: 1 });
    const pictured = CONTAINERS[name]?.includes("-c:v") === true;
    expect(source.video?.width).toBe(pictured ? 160 : undefined);
    expect(source.warnings).toEqual([]);
    expect(source.identity).toContain("media.example");

    const whole = await decode(source, 0, source.durationSec);
    const truth = await decode(await resolve("/a.wav"), 0, 3);
    const { lag } = lagOf(truth, whole);
    expect(lag).toBeGreaterThanOrEqual(-RATE_HZ / 1000);
    expect(lag).toBeLessThanOrEqual(GAPLESS.test(name) ? RATE_HZ / 1000 : RUN_UP_SAMPLES);

    const part = await decode(source, 7.3, 9.1);
    const from = Math.round(7.3 * RATE_HZ);
    const found = lagOf(whole.subarray(from, from + part.length), part);
    // Matroska keeps times in milliseconds, so a seek lands within one of them.
    expect(Math.abs(found.lag)).toBeLessThanOrEqual(
      /mkv|webm/.test(name) ? RATE_HZ / 1000 : MAX_LAG,
    );
    expect(found.likeness).toBeGreaterThan(0.999);
  });
});

it.each([
  ["long.mp3", ["-b:a", "64k"]],
  ["long-vbr.mp3", ["-q:a", "6"]],
  ["long.aac", ["-c:a", "aac", "-b:a", "64k"]],
])("%s: a range is read by its own bytes, and lies where the whole has it", async (name, args) => {
  await makeMedia([...sweepInput(100), ...args, join(dir, name)]);
  files[`/${name}`] = { body: join(dir, name) };
  const source = await resolve(`/${name}`);
  const whole = await decode(source, 0, 100);
  const before = server.bytesSent();
  const part = await decode(source, 65.3, 67.1);
  expect(server.bytesSent() - before).toBeLessThan(400_000);
  const from = Math.round(65.3 * RATE_HZ);
  const { lag, likeness } = lagOf(whole.subarray(from, from + part.length), part);
  expect(Math.abs(lag)).toBeLessThanOrEqual(MAX_LAG);
  expect(likeness).toBeGreaterThan(0.999);
});

describe("files that are not whole, not plain, or not media", () => {
  const bytesOf = (name: string) => readFile(join(dir, name));
  const serve = async (path: string, body: Uint8Array, over: Partial<ServedFile> = {}) => {
    files[path] = { body, ...over };
    return path;
  };

  it.each([
    "index-first.mp4",
    "a.mkv",
    "a.ts",
    "a.wav",
    "a.flac",
    "a.ogg",
    "a.mp3",
    "fragmented.mp4",
  ])("%s cut in half is read as far as it goes", async (name) => {
    const whole = await bytesOf(name);
    const path = await serve(`/half-${name}`, whole.subarray(0, Math.floor(whole.length / 2)));
    const source = await resolve(path);
    expect(source.durationSec).toBeGreaterThan(SEC * 0.3);
    expect(source.durationSec).toBeLessThan(SEC * 0.7);
    // Containers without an index cannot know what they lack.
    const knows = ["index-first.mp4", "a.mkv", "a.wav", "a.flac", "a.mp3"].includes(name);
    expect(source.warnings.map(({ code }) => code)).toEqual(knows ? ["media_truncated"] : []);
    const decoded = await decode(source, 1, 3);
    expect(decoded.some((x) => Math.abs(x) > 0.2)).toBe(true);
  });

  it("an mp4 without its index is an error", async () => {
    const whole = await bytesOf("index-last.mp4");
    const path = await serve("/no-index.mp4", whole.subarray(0, whole.length - 20_000));
    await expect(resolve(path)).rejects.toMatchObject({ code: "invalid_media" });
  });

  it("a server without ranges has its file brought into the bucket, once", async () => {
    const path = await serve("/whole-only.mp4", await bytesOf("index-last.mp4"), { ranges: false });
    const source = await resolve(path);
    expect(source.playable).toMatchObject({ location: { in: "bucket", object: deps.spoolTo } });
    expect(source.identity).toMatch(/^sha256 [0-9a-f]{64} \d+$/);
    expect(source.durationSec).toBeCloseTo(SEC, 1);
    const before = server.bytesSent();
    await resolve(path);
    expect(server.bytesSent() - before).toBeLessThan(1_000_000);
    expect((await decode(source, 3, 4)).some((x) => Math.abs(x) > 0.2)).toBe(true);
    await store.delete(deps.spoolTo ?? "");
    await expect(resolve(path, { spoolTo: null })).rejects.toMatchObject({
      code: "unsupported_source",
    });
  });

  it("a download into the bucket that breaks off leaves nothing", async () => {
    const path = await serve("/breaks.mp4", await bytesOf("index-last.mp4"), {
      ranges: false,
      cutAfterBytes: 100_000,
    });
    await expect(resolve(path)).rejects.toMatchObject({ code: "source_unreachable" });
    expect(await store.stat(deps.spoolTo ?? "")).toBeNull();
  });

  it("an upload is read from the bucket, and only from ours", async () => {
    const object = "uploads/u1/0b6ef0a2-6f3c-4c0f-9d8e-0123456789ab/A-talk.wav";
    await store.put(object, await bytesOf("a.wav"), { contentType: "audio/wav" });
    const source = await resolveSource(parseSourceUrl(`gs://${store.bucket}/${object}`), deps);
    expect(source).toMatchObject({
      provider: "upload",
      title: "A-talk",
      durationSec: SEC,
      video: null,
    });
    expect(source.identity).toMatch(/^sha256 /);
    await expect(
      resolveSource(parseSourceUrl(`gs://${store.bucket}/uploads/none`), deps),
    ).rejects.toMatchObject({ code: "video_not_found" });
    await expect(
      resolveSource(parseSourceUrl(`gs://elsewhere/${object}`), deps),
    ).rejects.toMatchObject({ code: "video_not_found" });
  });

  it("without a strong ETag nothing says what the file is", async () => {
    const body = await bytesOf("a.wav");
    expect((await resolve(await serve("/weak.wav", body, { etag: "weak" }))).identity).toBeNull();
    expect((await resolve(await serve("/none.wav", body, { etag: false }))).identity).toBeNull();
  });

  it("a file that changes while it is read is an error, not another video", async () => {
    const path = await serve("/changing.wav", await bytesOf("a.wav"));
    const source = await resolve(path);
    await serve(path, (await bytesOf("a.wav")).with(100_000, 1));
    for await (const piece of openRange(source, { startSec: 8, endSec: 9, track: "audio" }, deps)) {
      await decodePiece(piece).catch(() => undefined); // ffmpeg sees an early end
      expect(piece.failure?.()).toMatchObject({ code: "source_changed" });
      await piece.close();
    }
  });

  it("a connection that breaks is taken up where it broke", async () => {
    const path = await serve("/breaking.wav", await bytesOf("a.wav"), { cutAfterBytes: 300_000 });
    const source = await resolve(path);
    const whole = await decode(await resolve("/a.wav"), 0, SEC);
    expect(
      Buffer.from((await decode(source, 0, SEC)).buffer).equals(Buffer.from(whole.buffer)),
    ).toBe(true);
  });

  it.each<[string, Uint8Array, string]>([
    ["nothing", Buffer.alloc(0), "empty_file"],
    ["zeros", Buffer.alloc(5000), "not_media"],
    ["text", Buffer.from("hello, world\n".repeat(500)), "not_media"],
    ["a page", Buffer.from("<!doctype html><title>x</title>".repeat(50)), "not_media"],
    ["an ffconcat script", Buffer.from("ffconcat version 1.0\nfile /etc/passwd\n"), "not_media"],
    ["a png", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), "not_media"],
    [
      "an mp4 that is only a header",
      Buffer.from("\0\0\0\x18ftypisom\0\0\0\0isommp42"),
      "invalid_media",
    ],
    [
      "a WAV without samples",
      Buffer.from("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", "latin1"),
      "invalid_media",
    ],
  ])("%s", async (name, body, code) => {
    const path = await serve(`/${name.replaceAll(" ", "-")}`, body);
    await expect(resolve(path)).rejects.toMatchObject({ code });
  });

  it.each<[string, Partial<ResolveDeps["limits"]>, string]>([
    ["hours", { maxDurationSec: 5 }, "video_too_long"],
    ["bytes", { maxBytes: 100_000 }, "video_too_large"],
  ])("more %s than the limit", async (_what, limits, code) => {
    const over = { limits: { ...deps.limits, ...limits } };
    await expect(resolve("/a.wav", over)).rejects.toMatchObject({ code });
    files["/whole.wav"] = { body: join(dir, "a.wav"), ranges: false };
    await expect(resolve("/whole.wav", over)).rejects.toMatchObject({ code });
    await store.delete(deps.spoolTo ?? "");
  });

  it("finds a text subtitle track as ffmpeg counts it", async () => {
    const srt = join(dir, "a.srt");
    await writeFile(srt, "1\n00:00:01,000 --> 00:00:02,000\nhello\n");
    for (const [name, codec] of [
      ["sub.mkv", "subrip"],
      ["sub.mp4", "mov_text"],
    ] as const) {
      const from = ["-i", join(dir, "index-last.mp4"), "-i", srt, "-map", "0", "-map", "1"];
      await makeMedia([...from, "-c:v", "copy", "-c:a", "copy", "-c:s", codec, join(dir, name)]);
      files[`/${name}`] = { body: join(dir, name) };
      expect((await resolve(`/${name}`)).subtitleTrack).toBe(0);
    }
    expect((await resolve("/index-last.mp4")).subtitleTrack).toBeUndefined();
  });

  it("closes its loopback server, and answers nobody who does not know its name", async () => {
    const source = await resolve("/a.wav");
    for await (const piece of openRange(source, { startSec: 0, endSec: 1, track: "audio" }, deps)) {
      const url = new URL(piece.inputArgs.at(-1) ?? "");
      expect(url.hostname).toBe("127.0.0.1");
      expect((await fetch(new URL("/guess", url))).status).toBe(404);
      expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
      await piece.close();
      await piece.close();
      await expect(fetch(url)).rejects.toThrow("fetch failed");
    }
  });
});
