import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileServer, type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { memoryStore } from "#local/twitch/memoryStore.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import { findFfmpeg } from "../media/ffmpeg.ts";
import { createGuardedFetch } from "./fetch.ts";
import { ffmpegProbe } from "./ffmpegProbe.ts";
import { openRange } from "./open.ts";
import { parseSourceUrl } from "./parseUrl.ts";
import { resolveSource, type ResolveDeps } from "./resolve.ts";
import { decodePiece, lagOf, makeMedia, pictureInput, RATE_HZ, sweepInput } from "./testMedia.ts";

const SEC = 12;
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "2"];
const both = [...pictureInput(SEC), ...sweepInput(SEC)];
const sound = sweepInput(SEC);

/** Each container of the issue, and how ffmpeg makes it. */
const CONTAINERS: Record<string, string[]> = {
  "index-first.mp4": [...both, ...X264, "-c:a", "aac", "-movflags", "+faststart"],
  "index-last.mp4": [...both, ...X264, "-c:a", "aac"],
  "fragmented.mp4": [...both, ...X264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
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
    const part = await decode(source, 7.3, 9.1);
    const from = Math.round(7.3 * RATE_HZ);
    const found = lagOf(whole.subarray(from, from + part.length), part);
    // Matroska keeps times in milliseconds, so a seek lands within one of them.
    expect(Math.abs(found.lag)).toBeLessThanOrEqual(/mkv|webm/.test(name) ? RATE_HZ / 1000 : 0);
    expect(found.likeness).toBeGreaterThan(0.999);
  });
});
