import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileServer, type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { memoryStore } from "../../tests/memoryStore.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import type { SourceDescription } from "./description.ts";
import { createGuardedFetch } from "./fetch.ts";
import { openRange } from "./open.ts";
import { parseSourceUrl } from "./parseUrl.ts";
import { resolveSource, type ResolveDeps } from "./resolve.ts";
import { decodePiece, lagOf, makeMedia, pictureInput, RATE_HZ, sweepInput } from "./testMedia.ts";

const SEC = 20;
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-keyint_min", "25"];
const HLS = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod"];
const KEY = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

let dir = "";
let server: FileServer;
const files: Record<string, ServedFile> = {};
let net: ReturnType<typeof createGuardedFetch>;
let deps: ResolveDeps;
/** The recording as it went in. */
let truth: Float32Array;

const segmented = async (name: string, args: string[], from: string): Promise<void> => {
  const folder = join(dir, name);
  await mkdir(folder);
  await makeMedia(["-i", from, "-c", "copy", ...HLS, ...args, "index.m3u8"], folder);
  for (const file of await readdir(folder)) {
    files[`/${name}/${file}`] = { body: join(folder, file) };
  }
};

const readList = (name: string) => readFile(join(dir, name, "index.m3u8"), "utf8");
const serveText = (path: string, text: string): void => {
  files[path] = { body: Buffer.from(text), contentType: "application/vnd.apple.mpegurl" };
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "source-hls-"));
  const both = join(dir, "both.mkv");
  const wav = join(dir, "whole.wav");
  await makeMedia([...sweepInput(SEC), wav]);
  await makeMedia([...pictureInput(SEC), "-i", wav, ...X264, "-c:a", "aac", both]);
  const read = await readFile(wav);
  const pcm = read.subarray(read.indexOf("data") + 8);
  truth = Float32Array.from({ length: pcm.length >> 1 }, (_, i) => pcm.readInt16LE(i * 2) / 32_768);

  await writeFile(join(dir, "key.info"), `key.bin\n${join(dir, "key.bin")}\n`);
  await writeFile(join(dir, "key.bin"), KEY);
  await segmented("ts", [], both);
  // The clock wraps after 95443.7 s, and ffmpeg shows the minute before that as negative.
  await segmented("wrap", ["-output_ts_offset", "95430"], both);
  await segmented("late", ["-output_ts_offset", "95373"], both);
  await segmented("fmp4", ["-hls_segment_type", "fmp4"], both);
  await segmented("ranges", ["-hls_flags", "single_file"], both);
  await segmented("fmp4ranges", ["-hls_segment_type", "fmp4", "-hls_flags", "single_file"], both);
  await segmented("aes", ["-hls_key_info_file", join(dir, "key.info")], both);
  files["/aes/key.bin"] = { body: KEY };

  // Two recordings one after the other, each with its own clock.
  const halves = [
    ["first", ["-t", "10"]],
    ["second", ["-ss", "10", "-output_ts_offset", "500"]],
  ] as const;
  const lists: string[] = [];
  for (const [name, cut] of halves) {
    const part = join(dir, `${name}.mkv`);
    const from = name === "first" ? ["-t", "10"] : ["-ss", "10"];
    await makeMedia([...from, "-i", both, ...X264, "-c:a", "aac", part]);
    await segmented(name, name === "first" ? [] : cut.slice(2), part);
    lists.push((await readList(name)).replaceAll(/^index/gm, `../${name}/index`));
  }
  const body = (text: string) => text.split("\n").filter((l) => /^#EXTINF|^[^#]/.test(l));
  serveText(
    "/cut/index.m3u8",
    [
      "#EXTM3U",
      "#EXT-X-VERSION:3",
      "#EXT-X-TARGETDURATION:2",
      "#EXT-X-PLAYLIST-TYPE:VOD",
      ...body(lists[0] ?? ""),
      "#EXT-X-DISCONTINUITY",
      ...body(lists[1] ?? ""),
      "#EXT-X-ENDLIST",
    ].join("\n"),
  );
  server = await startFileServer(files);
  net = createGuardedFetch(standInNet({ "media.example": server.address }));
  deps = {
    fetch: net.fetch,
    store: memoryStore(),
    limits: { maxDurationSec: 3600, maxBytes: 50 * 2 ** 20, maxSegments: 100 },
    spoolTo: null,
  };
});
afterAll(async () => {
  await net.close();
  await server.close();
  await rm(dir, { recursive: true });
});

const resolve = (path: string, over: Partial<ResolveDeps> = {}) =>
  resolveSource(parseSourceUrl(`https://media.example${path}`), { ...deps, ...over });

const decode = async (source: SourceDescription, startSec: number, endSec: number) => {
  const out: { startSec: number; samples: Float32Array }[] = [];
  for await (const piece of openRange(source, { startSec, endSec, track: "audio" }, deps)) {
    try {
      out.push({ startSec: piece.startSec, samples: await decodePiece(piece) });
      expect(piece.failure?.()).toBeUndefined();
    } finally {
      await piece.close();
    }
  }
  return out;
};

const truthAt = (startSec: number, length: number): Float32Array => {
  const from = Math.round(startSec * RATE_HZ);
  return truth.subarray(from, from + length);
};

describe.each(["ts", "late", "wrap", "fmp4", "ranges", "fmp4ranges", "aes"])("%s", (name) => {
  it("is described, and its ranges lie where the recording has them", async () => {
    const source = await resolve(`/${name}/index.m3u8`);
    expect(source.durationSec).toBeGreaterThan(SEC - 0.1);
    expect(source.durationSec).toBeLessThan(SEC + 0.1);
    expect(source.audio).toMatchObject({ codec: "aac", channels: 1, sampleRateHz: RATE_HZ });
    expect(source.video).toMatchObject({ codec: "avc", width: 160, height: 90 });
    expect(source.warnings).toEqual([]);
    for (const [from, to] of [
      [0, 4],
      [7.3, 9.1],
      [11.99, 20],
    ] as const) {
      const [part, ...rest] = await decode(source, from, to);
      expect(rest).toEqual([]);
      const { lag, likeness } = lagOf(
        truthAt(from, (to - from) * RATE_HZ),
        part?.samples ?? new Float32Array(),
      );
      // The encoder's run-up of one frame is part of the stream, and the same in every range.
      expect(Math.abs(lag - 1024)).toBeLessThan(20);
      expect(likeness).toBeGreaterThan(0.99);
    }
  });
});

it("reads each run between discontinuities by its own clock", async () => {
  const source = await resolve("/cut/index.m3u8");
  expect(source.durationSec).toBeCloseTo(SEC, 0);
  const pieces = await decode(source, 8, 13);
  expect(pieces.map((piece) => piece.startSec)).toEqual([8, expect.closeTo(10.05, 1)]);
  // The second recording begins with second 10 of the whole, after what the first one padded; both
  // were encoded twice.
  for (const [i, from] of [8, 10].entries()) {
    const samples = pieces[i]?.samples ?? new Float32Array();
    const { lag } = lagOf(truthAt(from, samples.length), samples, 2600);
    expect(Math.abs(lag - 2048)).toBeLessThan(40);
  }
});

describe("muted, missing and unfinished", () => {
  const media = (uris: string[], tail = "#EXT-X-ENDLIST", type = "EVENT") =>
    [
      "#EXTM3U",
      "#EXT-X-VERSION:3",
      "#EXT-X-TARGETDURATION:2",
      `#EXT-X-PLAYLIST-TYPE:${type}`,
      ...uris.flatMap((uri) => ["#EXTINF:2.000,", uri]),
      tail,
    ].join("\n");
  const names = Array.from({ length: 10 }, (_, i) => `../ts/index${i}.ts`);

  it("takes an unfinished list as it stands, and says so", async () => {
    serveText("/open/index.m3u8", media(names.slice(0, 4), ""));
    const source = await resolve("/open/index.m3u8");
    expect(source.durationSec).toBeCloseTo(8, 0);
    expect(source.warnings.map(({ code }) => code)).toEqual(["playlist_unfinished"]);
  });

  it("refuses a list that slides", async () => {
    const sliding = media(names.slice(3), "#EXT-X-MEDIA-SEQUENCE:3").replace(/#EXT-X-PL.*\n/, "");
    serveText("/live/index.m3u8", sliding);
    await expect(resolve("/live/index.m3u8")).rejects.toMatchObject({ code: "live_stream" });
  });

  it("knows muted segments by their names, also behind those that are refused", async () => {
    const uris = [...names];
    files["/ts/index3-muted.ts"] = files["/ts/index3.ts"] as ServedFile;
    files["/ts/index5-muted.ts"] = files["/ts/index5.ts"] as ServedFile;
    files["/ts/index5-unmuted.ts"] = { body: "", fail: { status: 403 } };
    uris[3] = "../ts/index3-muted.ts";
    uris[5] = "../ts/index5-unmuted.ts";
    serveText("/muted/index.m3u8", media(uris));
    const source = await resolve("/muted/index.m3u8");
    expect(source.warnings).toEqual([
      { code: "segments_muted", message: expect.stringContaining("4 s") as string },
    ]);
    for await (const piece of openRange(
      source,
      { startSec: 5, endSec: 15, track: "audio" },
      deps,
    )) {
      await decodePiece(piece);
      const about = (sec: number) => expect.closeTo(sec, 0) as number;
      expect(piece.muted).toEqual([
        { startSec: about(6), endSec: about(8) },
        { startSec: about(10), endSec: about(12) },
      ]);
      await piece.close();
    }
  });

  it("leaves a gap where a segment is gone, and everything else in its place", async () => {
    serveText("/gap/index.m3u8", media([...names.slice(0, 4), "../ts/gone.ts", ...names.slice(5)]));
    const source = await resolve("/gap/index.m3u8");
    for await (const piece of openRange(
      source,
      { startSec: 4, endSec: 16, track: "audio" },
      deps,
    )) {
      const samples = await decodePiece(piece);
      expect(piece.missing).toEqual([
        { startSec: expect.closeTo(8, 0) as number, endSec: expect.closeTo(10, 0) as number },
      ]);
      expect(piece.failure?.()).toBeUndefined();
      const { lag } = lagOf(truthAt(12, 2 * RATE_HZ), samples.subarray(8 * RATE_HZ, 10 * RATE_HZ));
      expect(Math.abs(lag - 1024)).toBeLessThan(20);
      await piece.close();
    }
  });

  it("fails where the recording has gone rather than lost a part", async () => {
    const lost = names.map((name, i) => (i > 2 && i < 7 ? `../ts/gone${i}.ts` : name));
    serveText("/lost/index.m3u8", media(lost));
    const source = await resolve("/lost/index.m3u8");
    for await (const piece of openRange(
      source,
      { startSec: 0, endSec: 20, track: "audio" },
      deps,
    )) {
      await expect(decodePiece(piece)).rejects.toMatchObject({ code: "source_failed" });
      expect(piece.failure?.()).toMatchObject({ code: "source_failed" });
      await piece.close();
    }
  });

  it("tries a segment again that failed for a moment", async () => {
    files["/ts/shaky.ts"] = {
      ...(files["/ts/index2.ts"] as ServedFile),
      fail: { status: 503, times: 2 },
    };
    serveText("/shaky/index.m3u8", media(names.with(2, "../ts/shaky.ts")));
    const source = await resolve("/shaky/index.m3u8");
    const [piece] = await decode(source, 3, 7);
    expect(piece?.samples).toHaveLength(4 * RATE_HZ);
  });
});

describe("playlists that mean harm", () => {
  const refused: [string, string, string][] = [
    ["a master that names itself", "/loop/a.m3u8", "invalid_playlist"],
    ["a master that names a master", "/loop/b.m3u8", "invalid_playlist"],
    ["a local file", "/evil/file.m3u8", "invalid_playlist"],
    ["a local key", "/evil/key.m3u8", "invalid_playlist"],
    ["a private host", "/evil/private.m3u8", "private_address"],
    ["the metadata server as a variant", "/evil/metadata.m3u8", "private_address"],
    ["a protected recording", "/evil/drm.m3u8", "unsupported_source"],
    ["more segments than the limit", "/evil/many.m3u8", "too_many_segments"],
    ["more hours than the limit", "/evil/long.m3u8", "video_too_long"],
    ["text behind the name of a segment", "/evil/text.m3u8", "not_media"],
    ["a header and no more", "/evil/empty.m3u8", "invalid_playlist"],
  ];
  beforeAll(() => {
    const master = (uri: string) => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${uri}\n`;
    const list = (...lines: string[]) => ["#EXTM3U", ...lines, "#EXT-X-ENDLIST"].join("\n");
    serveText("/loop/a.m3u8", master("a.m3u8"));
    serveText("/loop/b.m3u8", master("a.m3u8"));
    serveText("/evil/file.m3u8", list("#EXTINF:2,", "file:///etc/passwd"));
    serveText(
      "/evil/key.m3u8",
      list('#EXT-X-KEY:METHOD=AES-128,URI="file:///k"', "#EXTINF:2,", "a.ts"),
    );
    serveText("/evil/private.m3u8", list("#EXTINF:2,", "http://127.0.0.1/a.ts"));
    serveText("/evil/metadata.m3u8", master("http://169.254.169.254/latest"));
    serveText("/evil/drm.m3u8", list('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"', "#EXTINF:2,", "a.ts"));
    serveText("/evil/many.m3u8", list(...Array<string>(200).fill("#EXTINF:2,\n../ts/index0.ts")));
    serveText("/evil/long.m3u8", list("#EXTINF:4000,", "../ts/index0.ts"));
    serveText("/evil/text.m3u8", list("#EXTINF:2,", "file.m3u8"));
    serveText("/evil/empty.m3u8", "#EXTM3U\n");
  });
  it.each(refused)("%s", async (_what, path, code) => {
    await expect(resolve(path)).rejects.toMatchObject({ code });
  });
});
