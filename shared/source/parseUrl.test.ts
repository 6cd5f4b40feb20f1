import { describe, expect, it } from "vitest";
import { parseSourceUrl, parseTimeParameter } from "./parseUrl.ts";

const vod = { kind: "twitch_vod", id: "2337712345" };
const yt = { kind: "youtube", id: "dQw4w9WgXcQ" };

describe("what people paste", () => {
  it.each<[string, object]>([
    ["https://www.twitch.tv/videos/2337712345", vod],
    ["https://twitch.tv/videos/2337712345/", vod],
    ["http://m.twitch.tv/videos/2337712345", vod],
    ["twitch.tv/videos/2337712345", vod],
    ["www.twitch.tv/videos/2337712345", vod],
    ["  2337712345\n", vod],
    ["v2337712345", vod],
    ["https://www.twitch.tv/videos/2337712345?t=1h2m3s", { ...vod, startSec: 3723 }],
    ["https://www.twitch.tv/videos/2337712345?t=0h0m0s", vod],
    ["https://www.twitch.tv/videos/2337712345?filter=all&sort=time#chat", vod],
    ["https://player.twitch.tv/?video=v2337712345&parent=example.com", vod],
    ["https://player.twitch.tv/?video=2337712345&time=5", vod],
    ["https://www.twitch.tv/somebody/v/2337712345", vod],
    ["https://www.twitch.tv/somebody/video/2337712345?t=90s", { ...vod, startSec: 90 }],
    ["https://www.TWITCH.tv/videos/2337712345", vod],
    ["https://clips.twitch.tv/FunnySlug-a1_B2", { kind: "twitch_clip", slug: "FunnySlug-a1_B2" }],
    ["https://clips.twitch.tv/embed?clip=FunnySlug", { kind: "twitch_clip", slug: "FunnySlug" }],
    ["https://www.twitch.tv/somebody/clip/FunnySlug", { kind: "twitch_clip", slug: "FunnySlug" }],
    ["https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=43s", { ...yt, startSec: 43 }],
    ["https://youtu.be/dQw4w9WgXcQ?t=43", { ...yt, startSec: 43 }],
    ["youtu.be/dQw4w9WgXcQ", yt],
    ["https://m.youtube.com/shorts/dQw4w9WgXcQ", yt],
    ["https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?start=7", { ...yt, startSec: 7 }],
    ["https://youtube.com/live/dQw4w9WgXcQ", yt],
    [
      "gs://bucket-1/uploads/u1/a%b c.mp4",
      { kind: "upload", bucket: "bucket-1", object: "uploads/u1/a%b c.mp4" },
    ],
    [
      "https://media.example.com/a.mp4?x=1#t=5",
      { kind: "media", url: "https://media.example.com/a.mp4?x=1" },
    ],
    [
      "http://media.example.com:8080/a.m3u8",
      { kind: "media", url: "http://media.example.com:8080/a.m3u8" },
    ],
    [
      "https://notwitch.tv/videos/2337712345",
      { kind: "media", url: "https://notwitch.tv/videos/2337712345" },
    ],
  ])("%s", (text, ref) => {
    expect(parseSourceUrl(text)).toEqual(ref);
  });
});

describe("what is refused", () => {
  it.each([
    ["", "invalid_url"],
    ["not a url", "invalid_url"],
    ["file:///etc/passwd", "invalid_url"],
    ["ftp://example.com/a.mp4", "invalid_url"],
    ["data:video/mp4;base64,AAAA", "invalid_url"],
    ["javascript:alert(1)", "invalid_url"],
    ["concat:a.ts|b.ts", "invalid_url"],
    ["https://user:secret@example.com/a.mp4", "invalid_url"],
    ["https://example.com:22/a.mp4", "invalid_url"],
    ["http://example.com:6379/", "invalid_url"],
    [`https://example.com/${"a".repeat(5000)}`, "invalid_url"],
    ["https://www.twitch.tv/videos/abc", "invalid_url"],
    ["https://www.twitch.tv/somebody", "live_stream"],
    ["https://www.youtube.com/watch?v=short", "invalid_url"],
    ["https://www.youtube.com/feed/subscriptions", "invalid_url"],
    ["gs://bucket/jobs/1/manifest.json", "invalid_url"],
    ["gs://bucket/uploads/../jobs/1", "invalid_url"],
    ["gs://bucket/uploads//x", "invalid_url"],
    ["http://localhost/a.mp4", "private_address"],
    ["http://localhost.:8080/a.mp4", "private_address"],
    ["http://metadata.google.internal/computeMetadata/v1/", "private_address"],
    ["http://metadata/", "private_address"],
    ["http://printer.local/a.mp4", "private_address"],
    ["http://127.0.0.1/a.mp4", "private_address"],
    ["http://127.1/a.mp4", "private_address"],
    ["http://2130706433/a.mp4", "private_address"],
    ["http://0x7f000001/a.mp4", "private_address"],
    ["http://0177.0.0.1/a.mp4", "private_address"],
    ["http://0/a.mp4", "private_address"],
    ["http://①②⑦.⓪.⓪.①/a.mp4", "private_address"],
    ["http://10.0.0.1/a.mp4", "private_address"],
    ["http://172.16.0.1/a.mp4", "private_address"],
    ["http://192.168.1.1/a.mp4", "private_address"],
    ["http://169.254.169.254/latest/meta-data", "private_address"],
    ["http://100.64.0.1/a.mp4", "private_address"],
    ["http://198.18.0.1/a.mp4", "private_address"],
    ["http://224.0.0.1/a.mp4", "private_address"],
    ["http://255.255.255.255/a.mp4", "private_address"],
    ["http://[::1]/a.mp4", "private_address"],
    ["http://[::]/a.mp4", "private_address"],
    ["http://[::ffff:127.0.0.1]/a.mp4", "private_address"],
    ["http://[::ffff:8.8.8.8]/a.mp4", "private_address"],
    ["http://[::127.0.0.1]/a.mp4", "private_address"],
    ["http://[64:ff9b::7f00:1]/a.mp4", "private_address"],
    ["http://[64:ff9b:1::7f00:1]/a.mp4", "private_address"],
    ["http://[2002:7f00:1::]/a.mp4", "private_address"],
    ["http://[2001::1]/a.mp4", "private_address"],
    ["http://[fc00::1]/a.mp4", "private_address"],
    ["http://[fe80::1]/a.mp4", "private_address"],
    ["http://[ff02::1]/a.mp4", "private_address"],
    ["http://[2001:db8::1]/a.mp4", "private_address"],
    ["http://[fec0::1]/a.mp4", "private_address"],
  ])("%s is %s", (text, code) => {
    expect(() => parseSourceUrl(text)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("lets public addresses through", () => {
    expect(parseSourceUrl("http://8.8.8.8/a.mp4").kind).toBe("media");
    expect(parseSourceUrl("http://[2606:4700::1111]/a.mp4").kind).toBe("media");
  });
});

it.each([
  ["1h2m3s", 3723],
  ["90s", 90],
  ["2m", 120],
  ["1h", 3600],
  ["90", 90],
  ["1:02:03", 3723],
  ["02:03", 123],
  ["", undefined],
  ["soon", undefined],
  ["1h2x", undefined],
  ["-5", undefined],
])("t=%s is %s s", (text, sec) => {
  expect(parseTimeParameter(text)).toBe(sec);
});
