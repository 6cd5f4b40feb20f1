// Every output of the main job, held against tools that are not ours: what the files say is true,
// and other programs open them. One cloud, real recordings, and speech by a real engine.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WaveformData from "waveform-data";
import type { CollectReport, CollectedItem } from "#shared/assets/collect.ts";
import { isRemoval } from "#shared/assets/judge.ts";
import type { StatusResponse } from "#shared/contract/api.ts";
import { Manifest } from "#shared/contract/manifest.ts";
import { createApiClient } from "#local/cli/api.ts";
import { type LocalCloud, startCloud } from "#local/cloud.ts";
import {
  pocketsphinxMissing,
  type Pocketsphinx,
  startPocketsphinx,
} from "#local/speech/pocketsphinx.ts";
import { startFileServer, type FileServer } from "#local/twitch/fileServer.ts";
import { startTwitch, type TwitchStandIn } from "#local/twitch/server.ts";
import { api } from "#convex/_generated/api.js";
import { fixture } from "../fixtures.ts";
import { type Sampling, bestLag, plainPeaks, wordErrorRate, words } from "./comparisons.ts";
import { accountsOf, asLocalPerson, storeOf } from "./assets.ts";
import {
  complaints,
  decoded,
  ffmpegPaths,
  ffprobePath,
  parseSrt,
  parseVtt,
  probe,
} from "./outsideTools.ts";
import { apiOf, finished } from "./runJob.ts";

const run = promisify(execFile);

const talk = fixture("media/talk.mp4");
const rabbit = fixture("media/rabbit320.mp4");
const replay = fixture("twitch/chat-replay-v5.json");
const jfk = fixture("speech/jfk.wav");
const jfkText = fixture("speech/jfk.txt");
const missing = [talk, rabbit, replay, jfk, jfkText].filter(({ present }) => !present);
const noEngine = pocketsphinxMissing();

/** The engine takes some seconds for these, and many on a machine with other things to do. */
const LISTENING_MS = 240_000;
const VOD = "1234567890";
const TALK_SEC = 42.453;
const SRT = `1
00:00:00,500 --> 00:00:02,500
Look, a <i>butterfly</i>!

2
00:00:03,000 --> 00:00:05,000
It is gone.
`;
const LATE_VTT = `WEBVTT

00:05.000 --> 00:07.000
before

00:12.000 --> 00:15.000
right in it

00:35.000 --> 00:38.000
after
`;

interface Comment {
  _id: string;
  content_offset_seconds: number;
  commenter: { _id: string; display_name: string; name: string };
  message: {
    body: string;
    fragments: { text: string; emoticon?: { emoticon_id: string } }[];
    user_badges?: { _id: string; version: string }[];
    user_color?: string;
  };
}

let folder: string;
let cloud: LocalCloud;
let speech: Pocketsphinx | undefined;
let web: FileServer;
let twitch: TwitchStandIn;
let ffmpegs: string[];
let ours: string;
let comments: Comment[];

const path = (...names: string[]): string => join(folder, ...names);
const readText = (...names: string[]): Promise<string> => readFile(path(...names), "utf8");
// oxlint-disable-next-line typescript/no-explicit-any -- what is in the files is what is tested
const readJson = async (...names: string[]): Promise<any> => JSON.parse(await readText(...names));

/** The rabbit, encoded anew so that it can be cut every two seconds: an HLS recording. */
const cutHls = async (): Promise<Record<string, { body: string; contentType?: string }>> => {
  await mkdir(path("hls"));
  const encode =
    "-c:v libx264 -preset ultrafast -g 50 -c:a aac -f hls -hls_time 2 -hls_list_size 0";
  const to = ["-hls_segment_filename", path("hls", "%d.ts"), path("hls", "index.m3u8")];
  await run(ours, ["-nostdin", "-v", "error", "-i", rabbit.path, ...encode.split(" "), ...to]);
  const names = (await readText("hls", "index.m3u8")).split("\n").filter((l) => l.endsWith(".ts"));
  return Object.fromEntries(
    ["index.m3u8", ...names].map((name) => [`/rec/${name}`, { body: path("hls", name) }]),
  );
};

beforeAll(async () => {
  if (missing.length > 0) return;
  folder = await mkdtemp(join(tmpdir(), "outputs-"));
  ffmpegs = await ffmpegPaths();
  ours = ffmpegs[0] as string;
  ({ comments } = JSON.parse(await readFile(replay.path, "utf8")) as { comments: Comment[] });
  await writeFile(path("late.vtt"), LATE_VTT);
  await writeFile(path("in.srt"), SRT);
  const tracks = "-map 0:v -map 0:a -map 1:s -c copy -c:s srt".split(" ");
  const inputs = ["-i", rabbit.path, "-i", path("in.srt")];
  await run(ours, ["-nostdin", "-v", "error", ...inputs, ...tracks, path("in.mkv")]);
  web = await startFileServer(await cutHls());
  twitch = await startTwitch({
    vods: [
      {
        id: VOD,
        title: "A rabbit",
        channel: "Meadow",
        mediaPath: rabbit.path,
        comments: comments.filter((one) => one.content_offset_seconds < 8) as never,
        muted: { segments: [1, 2] },
      },
    ],
    cacheDir: path("cut"),
    ffmpegPath: ours,
    segmentSec: 2,
  });
  if (!noEngine) speech = await startPocketsphinx();
  cloud = await startCloud({
    dataDir: path("data"),
    hosts: { ...twitch.hosts, "media.example.com": web.address },
    env: speech
      ? { SPEECH_PROVIDER: "openai", OPENAI_BASE_URL: `${speech.origin}/v1` }
      : { SPEECH_PROVIDER: "none" },
  });
});
afterAll(async () => {
  await cloud?.close();
  await Promise.all([speech?.close(), twitch?.close(), web?.close()]);
  if (folder) await rm(folder, { recursive: true });
});

/** Runs a job to its end and downloads what came out into a folder of its name. */
const analyze = async (
  name: string,
  url: string,
  options: Record<string, unknown> = {},
): Promise<StatusResponse> => {
  const api = apiOf(cloud);
  const { job_id: jobId } = await api.submit({ url, options });
  const job = await finished(api, jobId);
  expect(job.status, JSON.stringify(job.error)).toBe("Completed");
  for (const output of job.outputs) {
    const file = path(name, output.name);
    await mkdir(dirname(file), { recursive: true });
    await api.download(output.url, file);
  }
  return job;
};

const upload = (file: string, type: string): Promise<string> =>
  createApiClient(cloud.origin, cloud.apiKey).upload(file, type);

const namesOf = (job: StatusResponse): string[] => job.outputs.map(({ name }) => name);
const codesOf = (job: StatusResponse): string[] => job.warnings.map(({ code }) => code);

/** Opens both waveform files with peaks.js's own reader, and holds them against the sound. */
const checkWaveform = async (
  name: string,
  file: string,
  { bits = 8, spp = 1024, channels = 2 }: Partial<Sampling> & { spp?: number } = {},
) => {
  const json = await readJson(name, "audiowave.json");
  const bytes = await readFile(path(name, "audiowave.dat"));
  const dat = WaveformData.create(Uint8Array.from(bytes).buffer);
  const fromJson = WaveformData.create(json);
  expect([json.version, json.bits, json.samples_per_pixel, json.channels]).toEqual([
    2,
    bits,
    spp,
    1,
  ]);
  expect([dat.bits, dat.scale, dat.length]).toEqual([bits, spp, json.length]);
  expect([fromJson.length, fromJson.sample_rate]).toEqual([dat.length, dat.sample_rate]);
  const [min, max] = [dat.channel(0).min_array(), dat.channel(0).max_array()];
  const peaks = min.flatMap((value, i) => [value, max[i] as number]);
  // Compared in this way, since a difference of long lists takes a minute to print.
  expect((json.data as number[]).every((value, i) => value === peaks[i])).toBe(true);
  const plain = await plainPeaks(ffmpegs.at(-1) as string, file, {
    sampleRateHz: dat.sample_rate,
    samplesPerPixel: spp,
    bits,
    channels,
  });
  // Pictures may last longer than the sound; the waveform then ends in silence.
  // Two decoders of AAC may round a sample differently.
  const farthest = plain.reduce((far, v, i) => Math.max(far, Math.abs(v - peaks[i]!)), 0);
  expect(farthest).toBeLessThanOrEqual(1);
  expect(peaks.slice(plain.length).every((value) => value === 0)).toBe(true);
};

describe.skipIf(missing.length > 0)(
  `outputs (need ${[talk, rabbit, replay, jfk].map(({ name }) => name).join(", ")})`,
  () => {
    describe("of a video and a chat file, by the command line", () => {
      let stdout = "";
      let stderr = "";
      let manifest: Manifest;
      const at = (...names: string[]) => path("main", ...names);

      beforeAll(async () => {
        const command = [join(import.meta.dirname, "../../local/cli/analyze.ts"), talk.path];
        const given = ["--chat", replay.path, "--out", at(), "--data", path("data"), "--json"];
        ({ stdout, stderr } = await run(process.execPath, [...command, ...given], {
          timeout: LISTENING_MS,
        }));
        manifest = Manifest.parse(JSON.parse(stdout));
      }, LISTENING_MS);

      it("standard output is the manifest alone, progress goes to standard error in plain lines", async () => {
        expect(stdout).toBe(await readText("main", "manifest.json"));
        expect(Object.keys(JSON.parse(stdout) as object)).toEqual(
          expect.arrayContaining(
            "job_id status source options duration_sec outputs highlights warnings versions timings".split(
              " ",
            ),
          ),
        );
        expect(manifest.status).toBe("Completed");
        expect(stderr).not.toContain("\u001B");
        expect(stderr).toMatch(/Completed\n$/);
      });

      it("lists every output with its size and checksum", async () => {
        const spoken =
          "transcript.json words.json transcript.vtt transcript.srt clips/01.vtt reel.vtt";
        const always =
          "chat.json audiowave.json audiowave.dat analysis.json highlights.json chapters.txt " +
          "highlights.edl highlights.otio clips/01.mp4 clips/01.jpg reel.mp4";
        const names = manifest.outputs.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(always.split(" ")));
        if (!noEngine) expect(names).toEqual(expect.arrayContaining(spoken.split(" ")));
        for (const { name, size_bytes, sha256, object } of manifest.outputs) {
          const bytes = await readFile(at(name));
          expect([name, bytes.length]).toEqual([name, size_bytes]);
          expect([name, createHash("sha256").update(bytes).digest("hex")]).toEqual([name, sha256]);
          expect(object).toBe(`jobs/${manifest.job_id}/${name}`);
        }
      });

      it("has a waveform that peaks.js's reader opens, true to the sound", async () => {
        await expect(checkWaveform("main", talk.path)).resolves.toBeUndefined();
      });

      it.skipIf(!ffprobePath)("has media that ffprobe knows (needs ffprobe)", async () => {
        for (const { start_sec, end_sec, clip } of manifest.highlights) {
          const { format, streams } = await probe(at(clip as string));
          expect(Math.abs(format.duration - (end_sec - start_sec))).toBeLessThan(0.04);
          const [video, audio] = streams;
          expect([video?.codec_name, audio?.codec_name]).toEqual(["h264", "aac"]);
          expect([video?.width, video?.height]).toEqual([1280, 720]);
          expect([video?.start_time, audio?.start_time]).toEqual([0, 0]);
          expect(Math.abs((video?.duration ?? 0) - (audio?.duration ?? 9))).toBeLessThan(0.04);
          const still = await probe(at((clip as string).replace("mp4", "jpg")));
          expect(still.streams).toMatchObject([{ codec_name: "mjpeg", width: 640, height: 360 }]);
        }
        const lengths = manifest.highlights.map(({ start_sec, end_sec }) => end_sec - start_sec);
        const reel = await probe(at("reel.mp4"));
        expect(reel.format.duration).toBeCloseTo(
          lengths.reduce((sum, length) => sum + length, 0),
          1,
        );
      });

      it("has media that every ffmpeg decodes without a message", async () => {
        const media = manifest.outputs.filter(({ name }) => /\.(mp4|jpg)$/.test(name));
        for (const ffmpeg of ffmpegs)
          for (const { name } of media) expect(await complaints(ffmpeg, at(name)), name).toBe("");
      });

      it("has clips whose sound and picture are the source's at that time, to 40 ms", async () => {
        const { start_sec: startSec, clip } = manifest.highlights[0]!;
        const file = at(clip as string);
        const pcmOf = async (input: string[]): Promise<Int16Array> => {
          const to = ["-map", "0:a:0", "-ac", "1", "-ar", "8000", "-f", "s16le"];
          return new Int16Array(Uint8Array.from(await decoded(ours, [...input, ...to])).buffer);
        };
        const [whole, part] = [await pcmOf(["-i", talk.path]), await pcmOf(["-i", file])];
        const piece = part.subarray(5 * 8000, 7 * 8000);
        const lag = bestLag(piece, whole, Math.round((startSec + 5) * 8000), 800);
        expect(Math.abs(lag) / 8000).toBeLessThan(0.04);

        // The picture shows a clock of frames in its lower right corner.
        const clock = ["-vf", "crop=400:80:848:600,format=gray", "-f", "rawvideo"];
        const framesOf = (input: string, from: number, count: number) =>
          decoded(ours, ["-ss", from.toFixed(4), "-i", input, "-frames:v", `${count}`, ...clock]);
        const size = 400 * 80;
        const shown = await framesOf(file, 5, 1);
        const around = await framesOf(talk.path, startSec + 5 - 0.5, 31);
        const apart = Array.from({ length: 31 }, (_, frame) =>
          shown.reduce((sum, v, i) => sum + Math.abs(v - around[frame * size + i]!), 0),
        );
        const frame = apart.indexOf(Math.min(...apart));
        expect(Math.abs(frame / 30 - 0.5)).toBeLessThan(0.04);
      });

      it("has stills that show the picture in its colours", async () => {
        const mean = async (file: string, matrix: string) => {
          // Said in words: ffmpeg 5 loses the matrix where it scales and converts at once.
          const filter = `scale=in_color_matrix=${matrix},format=rgb24,scale=1:1:flags=area`;
          const color = ["-vf", filter, "-frames:v", "1", "-f", "rawvideo"];
          return [...(await decoded(ours, ["-i", file, ...color]))];
        };
        const still = await mean(at("clips/01.jpg"), "bt601");
        const source = await mean(talk.path, "bt709");
        for (const [i, value] of still.entries())
          expect(Math.abs(value - source[i]!), `channel ${i}`).toBeLessThan(12);
      });

      it("has the chat as the file has it, in TwitchDownloader's layout", async () => {
        const chat = await readJson("main", "chat.json");
        expect(chat.streamer.id).toBe(14_371_185);
        expect(chat.FileInfo.Version).toMatchObject({ Major: 1 });
        expect(Object.keys(chat)).toEqual(
          expect.arrayContaining(["streamer", "video", "comments"]),
        );
        const written = chat.comments as Comment[];
        expect(written.map(({ _id }) => _id)).toEqual(comments.map(({ _id }) => _id));
        for (const [i, theirs] of comments.entries()) {
          const { message, commenter, ...about } = written[i] as Comment;
          expect(about).toMatchObject({
            content_offset_seconds: theirs.content_offset_seconds,
            created_at: (theirs as { created_at?: string }).created_at,
            channel_id: (theirs as { channel_id?: string }).channel_id,
            content_id: (theirs as { content_id?: string }).content_id,
            source: "chat",
            state: "published",
          });
          const { _id, name, display_name } = theirs.commenter;
          expect(commenter).toMatchObject({ _id, name, display_name });
          expect(message.body).toBe(theirs.message.body);
          expect(message.user_badges).toEqual(theirs.message.user_badges ?? []);
          expect(message.user_color).toBe(theirs.message.user_color);
          expect(message.fragments.map(({ text }) => text).join("")).toBe(message.body);
          const emotes = ({ fragments }: Comment["message"]) =>
            fragments.flatMap(({ emoticon }) => (emoticon ? [emoticon.emoticon_id] : []));
          expect(emotes(message)).toEqual(emotes(theirs.message));
        }
        const inside = comments.filter((one) => one.content_offset_seconds <= TALK_SEC).length;
        expect(manifest.warnings).toContainEqual({
          code: "chat_after_end",
          message: expect.stringContaining(`${comments.length - inside} messages`) as string,
        });
        const { message_rate: rate } = await readJson("main", "analysis.json");
        expect((rate as number[]).reduce((sum, n) => sum + n, 0)).toBe(inside);
      });

      it("has series of one value for each second", async () => {
        const { bin_sec, duration_sec, ...series } = await readJson("main", "analysis.json");
        expect([bin_sec, Math.round(duration_sec)]).toEqual([1, 42]);
        for (const [name, values] of Object.entries<(number | null)[]>(series))
          expect([name, values.length]).toEqual([name, Math.ceil(duration_sec)]);
        // Speech for 17 s, then nothing but one word at 40 s.
        const loud = (series.loudness_db as number[]).map((db) => db > -50);
        expect(loud.indexOf(false)).toBe(18);
        expect(loud.lastIndexOf(true)).toBe(40);
      });

      it("has highlights whose shares add up to 1, from messages that are in the chat", async () => {
        const { highlights } = await readJson("main", "highlights.json");
        expect(highlights.length).toBeGreaterThan(0);
        const bodies = new Map(comments.map(({ _id, message }) => [_id, message.body]));
        for (const { signals, messages, start_sec, end_sec } of highlights) {
          const shares = (signals as { share: number }[]).map(({ share }) => share);
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
          for (const { id, body } of messages) expect(bodies.get(id)).toBe(body);
          expect([start_sec >= 0, end_sec <= TALK_SEC]).toEqual([true, true]);
        }
      });

      it("has chapters as YouTube reads them", async () => {
        const lines = (await readText("main", "chapters.txt")).trimEnd().split("\n");
        const starts = lines.map((line) => {
          const [, min, sec] = /^(\d+):(\d\d) \S.*$/.exec(line) as unknown as string[];
          return Number(min) * 60 + Number(sec);
        });
        expect(starts[0]).toBe(0);
        expect(starts.length).toBeGreaterThanOrEqual(3);
        for (const [i, start] of starts.entries())
          expect((starts[i + 1] ?? TALK_SEC) - start).toBeGreaterThanOrEqual(10);
      });

      it("has edit lists that agree with the highlights", async () => {
        const events = (await readText("main", "highlights.edl"))
          .split("\r\n")
          .filter((line) => /^\d{3} /.test(line));
        const frames = (code: string) =>
          code.split(":").reduce((sum, part, i) => sum * (i === 3 ? 30 : 60) + Number(part), 0);
        const byTime = manifest.highlights.toSorted((a, b) => a.start_sec - b.start_sec);
        expect(events).toHaveLength(byTime.length);
        for (const [i, line] of events.entries()) {
          const [, reel, track, cut, ...codes] = line.trim().split(/\s+/);
          expect([reel, track, cut]).toEqual(["AX", "AA/V", "C"]);
          const [sourceIn, sourceOut, recordIn, recordOut] = codes.map(frames) as [
            ...[number, number, number, number],
          ];
          expect(Math.abs(sourceIn / 30 - byTime[i]!.start_sec)).toBeLessThan(0.04);
          expect(Math.abs(sourceOut / 30 - byTime[i]!.end_sec)).toBeLessThan(0.04);
          expect(recordOut - recordIn).toBe(sourceOut - sourceIn);
        }
        const otio = await readJson("main", "highlights.otio");
        expect([otio.OTIO_SCHEMA, otio.tracks.OTIO_SCHEMA]).toEqual(["Timeline.1", "Stack.1"]);
        for (const track of otio.tracks.children) {
          expect(track.OTIO_SCHEMA).toBe("Track.1");
          for (const [i, clip] of track.children.entries()) {
            const { start_time, duration } = clip.source_range;
            expect([clip.OTIO_SCHEMA, start_time.OTIO_SCHEMA]).toEqual([
              "Clip.2",
              "RationalTime.1",
            ]);
            expect(start_time.value / start_time.rate).toBeCloseTo(byTime[i]!.start_sec, 1);
            const { start_sec, end_sec } = byTime[i]!;
            expect(duration.value / duration.rate).toBeCloseTo(end_sec - start_sec, 1);
          }
        }
      });

      it.skipIf(noEngine)(
        `has what is said, with times (needs ${noEngine ?? "nothing"})`,
        async () => {
          const { words: heard } = await readJson("main", "words.json");
          const { segments } = await readJson("main", "transcript.json");
          const said = "hello this is an example video for your convenience and pleasure".split(
            " ",
          );
          expect(wordErrorRate(words(segments[0].text).slice(0, 11), said)).toBeLessThan(0.3);
          expect(heard.at(-1).text).toBe("banana");
          expect(heard.at(-1).start_sec).toBeCloseTo(40, 0);
          let before = 0;
          for (const { start_sec, end_sec } of heard) {
            expect(start_sec).toBeGreaterThanOrEqual(before - 0.001);
            expect(end_sec).toBeGreaterThan(start_sec);
            expect(end_sec).toBeLessThanOrEqual(TALK_SEC);
            before = end_sec;
          }
          const vtt = parseVtt(await readText("main", "transcript.vtt"));
          expect(parseSrt(await readText("main", "transcript.srt"))).toEqual(vtt);
          expect(words(vtt.map(({ text }) => text).join(" "))).toEqual(
            words(heard.map(({ text }: { text: string }) => text).join(" ")),
          );
          for (const { start_sec, end_sec } of manifest.highlights.slice(0, 1)) {
            const cues = parseVtt(await readText("main", "clips/01.vtt"));
            expect(cues.length).toBeGreaterThan(0);
            for (const cue of cues) expect(cue.endSec).toBeLessThanOrEqual(end_sec - start_sec);
          }
          parseVtt(await readText("main", "reel.vtt"));
        },
      );
    });

    it.skipIf(noEngine)(
      `a WAV: its words and its waveform (needs ${noEngine ?? "nothing"})`,
      async () => {
        const job = await analyze("wav", await upload(jfk.path, "audio/wav"));
        expect(codesOf(job)).toEqual(["video_none", "chat_none"]);
        const { segments } = await readJson("wav", "transcript.json");
        const heard = segments.map(({ text }: { text: string }) => text).join(" ");
        const said = await readFile(jfkText.path, "utf8");
        expect(wordErrorRate(words(heard), words(said))).toBeLessThan(0.35);
        await checkWaveform("wav", jfk.path, { channels: 1 });
      },
      LISTENING_MS,
    );

    it("a finer waveform; no clips and no transcript where none are wanted or had", async () => {
      const job = await analyze("fine", await upload(talk.path, "video/mp4"), {
        bits: 16,
        samples_per_pixel: 64,
        clips: false,
        speech: "captions",
      });
      expect(codesOf(job)).toEqual(["chat_none", "speech_none"]);
      expect(namesOf(job).filter((name) => /clips|reel|transcript|words/.test(name))).toEqual([]);
      const { highlights } = await readJson("fine", "manifest.json");
      expect(highlights).toMatchObject([{ clip: null }]);
      await checkWaveform("fine", talk.path, { bits: 16, spp: 64 });
    });

    it("an HLS recording by its address, and no highlights where none are wanted", async () => {
      const job = await analyze("hls-out", "https://media.example.com/rec/index.m3u8", {
        highlights: { count: 0 },
        speech: "none",
      });
      expect(codesOf(job)).toEqual(["chat_none"]);
      const manifest = Manifest.parse(await readJson("hls-out", "manifest.json"));
      expect(manifest.highlights).toEqual([]);
      expect(Math.abs(manifest.duration_sec - 7.8)).toBeLessThan(0.2);
      const waveform = WaveformData.create(await readJson("hls-out", "audiowave.json"));
      expect(Math.abs(waveform.duration - 7.8)).toBeLessThan(0.2);
    });

    it("a Twitch VOD that has lost some of its sound", async () => {
      const job = await analyze("vod", `https://m.twitch.tv/videos/${VOD}?t=1s`, {
        speech: "none",
      });
      expect(codesOf(job)).toContain("segments_muted");
      const { loudness_db: loudness, message_rate: rate } = await readJson("vod", "analysis.json");
      expect([loudness[1], loudness[3], loudness[4], loudness[6]]).toEqual([
        expect.any(Number),
        null,
        null,
        expect.any(Number),
      ]);
      expect([rate[0], rate[5]]).toEqual([null, expect.any(Number)]);
      const chat = await readJson("vod", "chat.json");
      const ids = (chat.comments as Comment[]).map(({ _id }) => _id);
      const all = comments.filter((one) => one.content_offset_seconds < 8).map(({ _id }) => _id);
      expect(all).toEqual(expect.arrayContaining(ids));
      expect(chat.video).toMatchObject({ id: VOD, title: "A rabbit" });
    });

    it("an mkv's own subtitles", async () => {
      const handle = await upload(path("in.mkv"), "video/x-matroska");
      const job = await analyze("mkv", handle, { speech: "captions" });
      expect(codesOf(job)).toEqual(["chat_none"]);
      const cues = parseVtt(await readText("mkv", "transcript.vtt"));
      expect(cues.map(({ text }) => text)).toEqual(["Look, a butterfly!", "It is gone."]);
      expect(parseSrt(await readText("mkv", "transcript.srt"))).toEqual(cues);
      expect(cues[0]).toMatchObject({ startSec: 0.5, endSec: 2.5 });
    });

    it("a stretch of a video: words, chat, sound and highlights of that alone", async () => {
      const [video, captions, chat] = await Promise.all([
        upload(talk.path, "video/mp4"),
        upload(path("late.vtt"), "text/vtt"),
        upload(replay.path, "application/json"),
      ]);
      const stretch = { start_sec: 10, end_sec: 30 };
      await analyze("stretch", video, { ...stretch, captions, chat, clips: false });
      const { words: heard } = await readJson("stretch", "words.json");
      expect(heard.map(({ text }: { text: string }) => text)).toEqual(["right", "in", "it"]);
      const series = await readJson("stretch", "analysis.json");
      const measuredIn = (name: string): number[] => {
        const measured = (series[name] as (number | null)[]).map((value) => value !== null);
        return [measured.indexOf(true), measured.lastIndexOf(true)];
      };
      expect(measuredIn("message_rate")).toEqual([10, 29]);
      // Sound is cut on the waveform's pixels: the last one reaches into the next second.
      expect(measuredIn("loudness_db")).toEqual([10, 30]);
      const { highlights } = await readJson("stretch", "manifest.json");
      for (const { start_sec, end_sec } of highlights)
        expect([start_sec >= 10, end_sec <= 30]).toEqual([true, true]);
    });

    describe("what was stored", () => {
      /** `npm run collect`, as a person would call it. */
      const collect = async (...args: string[]) => {
        const command = join(import.meta.dirname, "../../local/cli/collect.ts");
        const given = [command, "--data", path("data"), "--json", "--min-age-hours", "0"];
        const { stdout } = await run(process.execPath, [...given, ...args]);
        const lines = stdout.trimEnd().split("\n");
        const report = JSON.parse(lines.pop() as string) as CollectReport;
        const items = lines.map((line) => JSON.parse(line) as CollectedItem);
        return { report, items, removed: items.filter(({ verdict }) => isRemoval(verdict)) };
      };
      let jobId: string;
      beforeAll(async () => {
        jobId = ((await readJson("main", "manifest.json")) as Manifest).job_id;
      });

      it("has one reference for each object, and scenes and a session that hold them", async () => {
        const { stored, known } = await accountsOf(cloud, jobId);
        expect(known).toEqual(stored);
        const manifest = Manifest.parse(await readJson("main", "manifest.json"));
        expect(stored).toHaveLength(manifest.outputs.length + 1);

        const convex = await asLocalPerson(cloud);
        const paginationOpts = { numItems: 100, cursor: null };
        const video = await convex.query(api.videos.getJobById, { jobId });
        const { page: sessions } = await convex.query(api.videoSessions.listByVideo, {
          videoId: video!._id,
          paginationOpts,
        });
        expect(sessions).toHaveLength(1);
        const session = sessions[0]!;
        const { page: scenes } = await convex.query(api.scenes.listBySession, {
          sessionId: session._id,
          paginationOpts,
        });
        expect(scenes.map(({ index, startSec, title }) => [index, startSec, title])).toEqual(
          manifest.highlights.map(({ start_sec, title }, i) => [i, start_sec, title]),
        );
        const assets = [session.combinedVideoAsset, session.combinedSubtitleAsset];
        assets.push(session.manifestAsset);
        for (const scene of scenes) {
          expect(scene.assetsStatus).toBe("ready");
          expect(scene.videoAsset?.key).toBe(
            `jobs/${jobId}/${manifest.highlights[scene.index!]!.clip}`,
          );
          assets.push(scene.videoAsset, scene.sourceCodeAsset, scene.thumbnailAsset);
          assets.push(scene.subtitleAsset);
        }
        const held = assets.filter((asset) => asset !== undefined);
        const ofScenes = stored.filter(({ key }) => /\/clips\/|\/reel\.|manifest/.test(key));
        expect(held.map(({ key }) => key).toSorted()).toEqual(ofScenes.map(({ key }) => key));
        expect([session.assetsStatus, session.assetCount, session.totalAssetSize]).toEqual([
          "ready",
          held.length,
          ofScenes.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0),
        ]);
      });

      it("is all kept, uploads included", async () => {
        const { report, removed } = await collect("--dry-run");
        expect(removed).toEqual([]);
        expect(report.found.missing.count).toBe(0);
        expect(report.found.kept.count).toBeGreaterThan(20);
      });

      it("goes when its video is deleted, and nothing else does, as the dry run said", async () => {
        const convex = await asLocalPerson(cloud);
        const video = await convex.query(api.videos.getJobById, { jobId });
        const uploads = (await storeOf(cloud).list("uploads/")).length;
        const before = await collect("--dry-run");
        const { stored } = await accountsOf(cloud, jobId);
        await storeOf(cloud).put(`jobs/${jobId}/stray.txt`, "x", { contentType: "text/plain" });
        await convex.mutation(api.videos.deleteVideo, { videoId: video!._id });
        // It goes in steps.
        await expect
          .poll(async () => (await accountsOf(cloud, jobId)).known, { timeout: 20_000 })
          .toEqual([]);

        const dry = await collect("--dry-run");
        const real = await collect();
        expect(real.items).toEqual(dry.items);
        expect(real.report).toEqual({ ...dry.report, dryRun: false });
        const keys = (verdict: string) =>
          real.items.flatMap((item) => (item.verdict === verdict ? [item.key] : []));
        const released = keys("released").filter((key) => key.startsWith("jobs/"));
        expect(released).toEqual(stored.map(({ key }) => key));
        // The video and its chat file.
        expect(keys("released")).toHaveLength(stored.length + 2);
        expect(keys("orphan")).toEqual([`jobs/${jobId}/stray.txt`]);
        expect(real.report.found.kept.count).toBe(
          before.report.found.kept.count - stored.length - 2,
        );
        expect(await storeOf(cloud).list(`jobs/${jobId}/`)).toEqual([]);
        expect(await storeOf(cloud).list("uploads/")).toHaveLength(uploads - 2);
        expect((await collect()).removed).toEqual([]);
      });
    });
  },
);
