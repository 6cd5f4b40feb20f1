import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fixture } from "../../tests/fixtures.ts";
import { fitToTimes, PTS_WRAP_SEC, unwrapPts } from "./hlsTiming.ts";
import { chooseRenditions } from "./hlsChoice.ts";
import { type MasterPlaylist, type MediaPlaylist, parsePlaylist } from "./m3u8.ts";

const BASE = "https://cdn.example/path/index.m3u8";
const parse = (text: string) => parsePlaylist(text, BASE, { maxSegments: 10_000 });
const media = (...lines: string[]): MediaPlaylist => {
  const playlist = parse(["#EXTM3U", ...lines].join("\n"));
  if (playlist.kind !== "media") throw new Error("a master");
  return playlist;
};

/** Twitch's own lists: name, kind, and what was counted in them by hand. */
const FIXTURES: [
  string,
  Partial<MediaPlaylist> | { variants: number; sound: string; height: number },
][] = [
  ["masterPlaylist", { variants: 6, sound: "audio_only", height: 720 }],
  ["masterPlaylistMuted", { variants: 5, sound: "160p30", height: 720 }],
  ["masterPlaylistSessionData", { variants: 6, sound: "audio_only", height: 720 }],
  ["old_playlist1080p60", { variants: 5, sound: "160p30", height: 720 }],
  ["old_playlist1440pWithAudioOnly", { variants: 6, sound: "audio_only", height: 720 }],
  ["old_playlistMuted", { variants: 5, sound: "160p30", height: 720 }],
  ["mediaPlaylist", { ended: false, type: "EVENT", durationSec: 40, twitchTotalSec: 23_510 }],
  ["mediaPlaylistDiscontinuity", { ended: true, durationSec: 31.941, twitchTotalSec: 2296.76 }],
  ["mediaPlaylistEndlist", { ended: true, durationSec: 20 }],
  ["mediaPlaylistMap", { ended: false, durationSec: 20 }],
  ["old_vod", { ended: true, durationSec: 20 }],
  ["old_vodWithDiscontinuity", { ended: true, durationSec: 31.941 }],
  ["old_vodWithMuted", { ended: true, durationSec: 40 }],
];

describe("Twitch's lists", () => {
  it.for(FIXTURES)("%s", ([name, expected], { skip }) => {
    const file = fixture(`hls/${name}.m3u8`);
    skip(!file.present, `needs ${file.name}`);
    const playlist = parse(readFileSync(file.path, "utf8"));
    const found =
      playlist.kind === "master"
        ? {
            variants: playlist.variants.length,
            sound: chooseRenditions(playlist).audioUrl?.split("/").at(-2),
            height: chooseRenditions(playlist).video?.height,
          }
        : { ...playlist, durationSec: Math.round(playlist.durationSec * 1000) / 1000 };
    expect(found).toMatchObject(expected);
  });

  const list = (name: string): MediaPlaylist =>
    parse(readFileSync(fixture(`hls/${name}.m3u8`).path, "utf8")) as MediaPlaylist;
  it.skipIf(!fixture("hls/mediaPlaylistMap.m3u8").present)(
    "tell muted segments, maps and discontinuities (needs hls/mediaPlaylist*.m3u8)",
    () => {
      expect(list("mediaPlaylist").segments.map(({ muted }) => muted)).toEqual([
        false,
        false,
        true,
        true,
      ]);
      const mapped = list("mediaPlaylistMap");
      expect(mapped.maps).toEqual([{ uri: "https://cdn.example/path/init-0.mp4" }]);
      expect(mapped.segments.map(({ map, muted }) => [map, muted])).toEqual([
        [0, true],
        [0, true],
      ]);
      const cut = list("mediaPlaylistDiscontinuity").segments;
      expect(cut.map(({ discontinuity }) => discontinuity)).toEqual([0, 0, 0, 1]);
      expect(cut[3]?.uri).toContain("start_offset=0&end_offset=301551");
    },
  );
});

describe("media lists", () => {
  it("gives byte ranges their offsets", () => {
    const { segments } = media(
      "#EXT-X-BYTERANGE:100@50",
      "#EXTINF:1,",
      "a.ts",
      "#EXT-X-BYTERANGE:30",
      "#EXTINF:1,",
      "a.ts",
      "#EXT-X-BYTERANGE:7@0",
      "#EXTINF:1,",
      "b.ts",
    );
    expect(segments.map(({ byteRange }) => byteRange)).toEqual([
      { offset: 50, length: 100 },
      { offset: 150, length: 30 },
      { offset: 0, length: 7 },
    ]);
  });

  it("gives encrypted segments their key and vector, and ends the encryption", () => {
    const { segments, keys } = media(
      "#EXT-X-MEDIA-SEQUENCE:258",
      '#EXT-X-KEY:METHOD=AES-128,URI="k1"',
      "#EXTINF:1,",
      "a.ts",
      "#EXTINF:1,",
      "b.ts",
      '#EXT-X-KEY:METHOD=AES-128,URI="k2",IV=0xAB',
      "#EXTINF:1,",
      "c.ts",
      "#EXT-X-KEY:METHOD=NONE",
      "#EXTINF:1,",
      "d.ts",
    );
    expect(keys.map(({ uri }) => uri)).toEqual([
      "https://cdn.example/path/k1",
      "https://cdn.example/path/k2",
    ]);
    expect(segments.map(({ key, iv }) => [key, iv])).toEqual([
      [0, "102".padStart(32, "0")],
      [0, "103".padStart(32, "0")],
      [1, "ab".padStart(32, "0")],
      [undefined, undefined],
    ]);
  });

  it.each(["1.5", "-1", "1e300", "9".repeat(40)])(
    "makes a vector of the sequence %s",
    (sequence) => {
      const { segments } = media(
        `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
        '#EXT-X-KEY:METHOD=AES-128,URI="k"',
        "#EXTINF:1,",
        "a.ts",
      );
      expect(segments[0]?.iv).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  it("takes another map for another run, and a gap for time that passes", () => {
    const { segments, durationSec } = media(
      '#EXT-X-MAP:URI="m1"',
      "#EXTINF:2,",
      "a.m4s",
      "#EXT-X-GAP",
      "#EXTINF:2,",
      "b.m4s",
      '#EXT-X-MAP:URI="m2",BYTERANGE="10@5"',
      "#EXTINF:2,",
      "c.m4s",
    );
    expect(
      segments.map(({ map, discontinuity, startSec }) => [map, discontinuity, startSec]),
    ).toEqual([
      [0, 0, 0],
      [1, 1, 4],
    ]);
    expect(durationSec).toBe(6);
  });

  it.each([
    ["no header", "#EXTINF:1,\na.ts"],
    ["a duration that is none", "#EXTM3U\n#EXTINF:x,\na.ts"],
    ["a negative duration", "#EXTM3U\n#EXTINF:-1,\na.ts"],
    ["a segment without a duration", "#EXTM3U\na.ts"],
    ["a range that begins nowhere", "#EXTM3U\n#EXT-X-BYTERANGE:5\n#EXTINF:1,\na.ts"],
    ["an empty range", "#EXTM3U\n#EXT-X-BYTERANGE:0@0\n#EXTINF:1,\na.ts"],
    ["a vector that is none", '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k",IV=5\n#EXTINF:1,\na.ts'],
    ["a key without an address", "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128\n#EXTINF:1,\na.ts"],
    ["pictures only", "#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:1,\na.ts"],
    ["a master with no variant", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1"],
    ["a data: address", "#EXTM3U\n#EXTINF:1,\ndata:video/mp2t;base64,AAAA"],
  ])("refuses %s", (_what, text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "invalid_playlist" }) as Error,
    );
  });

  it.each(['#EXT-X-KEY:METHOD=AES-128,URI="k', '#EXT-X-MAP:URI="m'])(
    "stops at the limit where nothing uses what it lists: %s",
    (tag) => {
      const lines = Array.from({ length: 100_000 }, (_, n) => `${tag}${n}"`);
      expect(() => media(...lines, "#EXTINF:1,", "a.ts")).toThrow(
        expect.objectContaining({ code: "too_many_segments" }) as Error,
      );
    },
  );

  it("reads 20,000 segments, and stops at the limit", () => {
    const text = `#EXTM3U\n${"#EXTINF:2,\nsegment.ts\n".repeat(20_000)}`;
    expect(parsePlaylist(text, BASE, { maxSegments: 20_000 })).toMatchObject({
      durationSec: 40_000,
    });
    expect(() => parsePlaylist(text, BASE, { maxSegments: 100 })).toThrow(
      expect.objectContaining({ code: "too_many_segments" }) as Error,
    );
  });
});

describe("the choice of renditions", () => {
  const master = (...lines: string[]) => parse(["#EXTM3U", ...lines].join("\n")) as MasterPlaylist;
  it("takes sound that lies apart from the picture's own group", () => {
    const choice = chooseRenditions(
      master(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="en",DEFAULT=YES,URI="hi.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="fr",URI="lo-fr.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="en",DEFAULT=YES,URI="lo-en.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1920x1080,CODECS="avc1.4d,mp4a.40.2",AUDIO="hi"',
        "hi-video.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=1280x720,CODECS="avc1.4d,mp4a.40.2",AUDIO="lo"',
        "lo-video.m3u8",
      ),
    );
    expect(choice.audioUrl).toBe("https://cdn.example/path/lo-en.m3u8");
    expect(choice.video?.url).toBe("https://cdn.example/path/lo-video.m3u8");
  });

  it("takes the smallest picture where all are large, and one list for both where there is one", () => {
    const large = chooseRenditions(
      master(
        "#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=3840x2160",
        "a.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=1920x1080",
        "b.m3u8",
      ),
    );
    expect(large.video?.height).toBe(1080);
    const one = chooseRenditions(master("#EXT-X-STREAM-INF:BANDWIDTH=9", "only.m3u8"));
    expect(one.audioUrl).toBe(one.video?.url);
  });
});

describe("times", () => {
  const segments = (durations: number[], discontinuity = 0, from = 0) =>
    durations.map((durationSec, i) => ({
      uri: `${discontinuity}-${i}`,
      startSec: from + durations.slice(0, i).reduce((a, b) => a + b, 0),
      durationSec,
      discontinuity,
      muted: false,
    }));

  it("stretches rounded durations to where the samples are, and moves later runs along", () => {
    const list = [...segments([10, 10, 10]), ...segments([10, 10], 1, 30)];
    const fitted = fitToTimes(
      list,
      new Map([
        [0, { firstPtsSec: 1.4, lastPtsSec: 21.8 }],
        [1, { firstPtsSec: 900, lastPtsSec: 910 }],
      ]),
    );
    expect(fitted.segments.map(({ startSec }) => startSec)).toEqual([
      0,
      expect.closeTo(10.2, 6),
      expect.closeTo(20.4, 6),
      expect.closeTo(30.6, 6),
      expect.closeTo(40.6, 6),
    ]);
    expect(fitted.basePtsSec).toEqual({ "0": 1.4, "1": 900 });
  });

  it("believes the playlist where the times jump inside a run", () => {
    const fitted = fitToTimes(
      segments([10, 10, 10]),
      new Map([[0, { firstPtsSec: 1.4, lastPtsSec: 7000 }]]),
    );
    expect(fitted.basePtsSec).toEqual({});
    expect(fitted.segments.map(({ startSec }) => startSec)).toEqual([0, 10, 20]);
  });

  it("carries times over the wrap of the clock", () => {
    expect(unwrapPts(4, PTS_WRAP_SEC + 3)).toBeCloseTo(PTS_WRAP_SEC + 4, 6);
    const fitted = fitToTimes(
      segments([10, 10, 10]),
      new Map([[0, { firstPtsSec: PTS_WRAP_SEC - 100, lastPtsSec: PTS_WRAP_SEC - 80 }]]),
    );
    expect(fitted.segments[2]?.startSec).toBe(20);
    const across = fitToTimes(
      segments([10, 10, 10]),
      new Map([[0, { firstPtsSec: PTS_WRAP_SEC - 90, lastPtsSec: -70 }]]),
    );
    expect(across.basePtsSec).toEqual({ "0": PTS_WRAP_SEC - 90 });
  });
});
