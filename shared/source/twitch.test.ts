import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryStore } from "../../tests/memoryStore.ts";
import { type Fault, startTwitch, type TwitchStandIn } from "#local/twitch/server.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import type { V5Comment } from "#local/twitch/comments.ts";
import { fixture } from "../../tests/fixtures.ts";
import { findFfmpeg } from "../media/ffmpeg.ts";
import { createGuardedFetch, type GuardedFetch } from "./fetch.ts";
import { openRange } from "./open.ts";
import { parseSourceUrl } from "./parseUrl.ts";
import { resolveSource, type ResolveDeps } from "./resolve.ts";
import { decodePiece, lagOf, makeMedia, pictureInput, RATE_HZ, sweepInput } from "./testMedia.ts";
import { createTwitchApi, type TwitchCommentNode } from "./twitchApi.ts";

const SEC = 24;
const comments: V5Comment[] = Array.from({ length: 300 }, (_, i) => ({
  _id: `c${i}`,
  created_at: "2026-11-01T12:00:00Z",
  // A burst in the middle: a hundred within one second.
  content_offset_seconds: i < 100 ? i / 10 : i < 200 ? 10 : 10 + (i - 200) / 8,
  commenter: i % 50 === 0 ? null : { _id: "7", name: "ann", display_name: "Ann" },
  message: { body: `message ${i}`, fragments: [{ text: `message ${i}` }], user_badges: [] },
}));

let dir = "";
let twitch: TwitchStandIn;
let net: ReturnType<typeof createGuardedFetch>;
let deps: ResolveDeps;
let fault: (kind: string, count: number) => Fault = () => null;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "source-twitch-"));
  const mediaPath = join(dir, "vod.mkv");
  await makeMedia([
    ...pictureInput(SEC),
    ...sweepInput(SEC),
    ..."-c:v libx264 -preset ultrafast -c:a pcm_s16le".split(" "),
    mediaPath,
  ]);
  const made = { mediaPath, comments };
  twitch = await startTwitch({
    cacheDir: join(dir, "cache"),
    ffmpegPath: (await findFfmpeg()).path,
    segmentSec: 4,
    vods: [
      { id: "2337712345", title: "A stream", channel: "Streamer", ...made },
      { id: "2337712346", ...made, restricted: true },
      { id: "2337712347", ...made, growing: true },
      { id: "2337712348", ...made, muted: { segments: [2], listedAs: "unmuted" } },
    ],
    fault: (kind, count) => fault(kind, count),
  });
  net = createGuardedFetch(standInNet(twitch.hosts));
  deps = {
    fetch: net.fetch,
    store: memoryStore(),
    limits: { maxDurationSec: 3600, maxBytes: 2 ** 30, maxSegments: 1000 },
    spoolTo: null,
  };
});
afterAll(async () => {
  await net.close();
  await twitch.close();
  await rm(dir, { recursive: true });
});

const resolve = (text: string) => resolveSource(parseSourceUrl(text), deps);

describe("a Twitch VOD", () => {
  it("is described with its facts, its two renditions and an identity without a token", async () => {
    const source = await resolve("https://www.twitch.tv/videos/2337712345?t=10s");
    expect(source).toMatchObject({
      provider: "twitch",
      twitchId: "2337712345",
      title: "A stream",
      channelTitle: "Streamer",
      publishedAt: Date.parse("2026-11-01T12:00:00Z"),
      thumbnailUrl: expect.stringContaining("https://") as string,
      audio: { codec: "aac" },
      video: { codec: "avc" },
      warnings: [],
    });
    expect(source.durationSec).toBeCloseTo(SEC, 0);
    expect(source.identity).toMatch(/^hls twitch 2337712345 [0-9a-f]{64}$/);
    expect(JSON.stringify(source)).not.toMatch(/sig=|token=/);
    expect(source.playable).toMatchObject({ kind: "hls", video: { height: 360 } });
    expect(JSON.stringify(source.playable)).toContain("/audio_only/0.ts");
  });

  it("gives sound and picture of one moment the same time", async () => {
    const source = await resolve("2337712345");
    const parts: Float32Array[] = [];
    for (const track of ["audio", "video"] as const) {
      for await (const piece of openRange(source, { startSec: 9, endSec: 15, track }, deps)) {
        parts.push(await decodePiece(piece));
        await piece.close();
      }
    }
    const [sound = new Float32Array(), picture = new Float32Array()] = parts;
    const { lag, likeness } = lagOf(sound, picture);
    expect(Math.abs(lag)).toBeLessThan(RATE_HZ * 0.002);
    expect(likeness).toBeGreaterThan(0.99);
  });

  it("takes a growing one as it stands", async () => {
    const source = await resolve("2337712347");
    expect(source.warnings.map(({ code }) => code)).toEqual(["playlist_unfinished"]);
  });

  it("knows what was muted, and reads it as silence", async () => {
    const source = await resolve("2337712348");
    expect(source.warnings.map(({ code }) => code)).toEqual(["segments_muted"]);
    for await (const piece of openRange(
      source,
      { startSec: 0, endSec: 24, track: "audio" },
      deps,
    )) {
      const samples = await decodePiece(piece);
      expect(piece.muted).toEqual([
        { startSec: expect.closeTo(8, 0) as number, endSec: expect.closeTo(12, 0) as number },
      ]);
      const loudest = (from: number, to: number) =>
        samples
          .subarray(from * RATE_HZ, to * RATE_HZ)
          .reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      expect(loudest(8.5, 11.5)).toBeLessThan(0.001);
      expect(loudest(13, 20)).toBeGreaterThan(0.3);
      await piece.close();
    }
  });

  it.each([
    ["99999999", "video_not_found"],
    ["2337712346", "video_restricted"],
  ])("%s is %s", async (id, code) => {
    await expect(resolve(id)).rejects.toMatchObject({ code });
  });

  it("tries again what failed for a moment, and gives up as twitch_failed", async () => {
    fault = (kind) => (kind === "video" && twitch.requests.video < failUntil ? status(500) : null);
    const status = (code: number): Fault => ({ kind: "status", status: code });
    let failUntil = twitch.requests.video + 2;
    await expect(resolve("2337712345")).resolves.toMatchObject({ twitchId: "2337712345" });
    failUntil = Infinity;
    const before = twitch.requests.video;
    const error = resolve("2337712345");
    await expect(error).rejects.toMatchObject({ code: "twitch_failed", retryable: true });
    expect(twitch.requests.video - before).toBe(4);
    fault = () => null;
  });
});

describe("chat pages", () => {
  it("reach before the offset, and cover everything when walked by offset or by cursor", async () => {
    const api = createTwitchApi({ fetch: net.fetch });
    const page = await api.commentsByOffset("2337712345", 15);
    const nodes = page.comments?.edges.map(({ node }) => node) ?? [];
    expect(nodes).toHaveLength(59);
    expect(nodes[0]?.contentOffsetSeconds).toBeLessThan(15);

    const seen = new Map<string, TwitchCommentNode>();
    let at = await api.commentsByOffset("2337712345", 0);
    for (;;) {
      for (const { node } of at.comments?.edges ?? []) seen.set(node.id, node);
      const cursor = at.comments?.edges.at(-1)?.cursor;
      if (!at.comments?.pageInfo.hasNextPage || !cursor) break;
      at = await api.commentsByCursor("2337712345", cursor);
    }
    expect(seen.size).toBe(comments.length);
    expect(seen.get("c50")?.commenter).toBeNull();
    expect(seen.get("c1")).toMatchObject({
      contentOffsetSeconds: 0,
      commenter: { displayName: "Ann" },
      message: { fragments: [{ text: "message 1" }] },
    });
  });

  it("tells an unknown video, a page past the end, and a service error apart", async () => {
    const api = createTwitchApi({ fetch: net.fetch });
    expect(await api.commentsByOffset("99999999", 0)).toEqual({
      videoExists: false,
      comments: null,
    });
    const past = await api.commentsByOffset("2337712345", 9999);
    expect(past).toEqual({
      videoExists: true,
      comments: { edges: [], pageInfo: { hasNextPage: false } },
    });
    fault = (kind) => (kind === "comments" ? { kind: "service_error" } : null);
    expect(await api.commentsByOffset("2337712345", 0)).toEqual({
      videoExists: true,
      comments: null,
      reason: "service error",
    });
    fault = () => null;
  });

  it("fails its integrity check for the browser's client id by cursor", async () => {
    const clientId = "kimne78kx3ncx6brgo4mv6wki5h1ko";
    const api = createTwitchApi({ fetch: net.fetch, clientId, tries: 1 });
    const page = await api.commentsByOffset("2337712345", 0);
    const cursor = page.comments?.edges.at(-1)?.cursor ?? "";
    await expect(api.commentsByCursor("2337712345", cursor)).rejects.toMatchObject({
      code: "twitch_failed",
    });
  });

  it("passes a rate limit on with its wait", async () => {
    fault = () => ({ kind: "status", status: 429, headers: { "retry-after": "30" } });
    const api = createTwitchApi({ fetch: net.fetch });
    await expect(api.commentsByOffset("2337712345", 0)).rejects.toMatchObject({
      code: "source_rate_limited",
      retryAfterSec: 30,
    });
    fault = () => null;
  });
});

describe("answers as they were seen", () => {
  const answering = (path: string): GuardedFetch => {
    const body = readFileSync(path);
    return async () => {
      const { Readable } = await import("node:stream");
      return {
        status: 200,
        headers: {},
        body: Readable.from([body]),
        url: "https://gql.twitch.tv/gql",
      };
    };
  };
  const page = fixture("twitch/gql-video-comments.json");
  it.skipIf(!existsSync(page.path))(`decode (needs ${page.name})`, async () => {
    const api = createTwitchApi({ fetch: answering(page.path) });
    const { comments: found, videoExists } = await api.commentsByOffset("2337751384", 870);
    expect(videoExists).toBe(true);
    expect(found?.edges[0]?.node).toMatchObject({
      id: "4c6b9500-697a-4b97-be0a-1ef877b70562",
      contentOffsetSeconds: 873,
      commenter: { login: "viewer_a1b2c3" },
      message: { userColor: "#B26422", userBadges: [{ setID: "" }, { setID: "sub-gifter" }] },
    });
  });
  const token = fixture("twitch/gql-playback-access-token.json");
  it.skipIf(!existsSync(token.path))(`decode (needs ${token.name})`, async () => {
    const api = createTwitchApi({ fetch: answering(token.path) });
    expect(await api.playbackToken("2337712345")).toMatchObject({
      forbidden: false,
      restrictedRenditions: [],
      signature: expect.stringMatching(/^f45801/) as string,
    });
  });
});
