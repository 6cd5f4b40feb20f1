import { describe, expect, it } from "vitest";
import { videoAddress } from "./address.ts";

const YOUTUBE = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";
const asks = (endpoint: string, page: string) =>
  `${endpoint}?format=json&url=${encodeURIComponent(page)}`;
const refused = (code: string) =>
  expect.objectContaining({ data: expect.objectContaining({ code }) });

describe("videoAddress", () => {
  it.each([
    YOUTUBE,
    "http://youtube.com/watch?t=30&v=dQw4w9WgXcQ&list=PL1",
    "https://youtu.be/dQw4w9WgXcQ?si=x",
    "youtu.be/dQw4w9WgXcQ",
    " https://m.youtube.com/shorts/dQw4w9WgXcQ ",
    "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
    "https://www.youtube.com/live/dQw4w9WgXcQ#x",
  ])("YouTube in any spelling: %s", (text) => {
    expect(videoAddress(text)).toEqual({
      provider: "youtube",
      url: YOUTUBE,
      youtubeVideoId: "dQw4w9WgXcQ",
      oembed: asks("https://www.youtube.com/oembed", YOUTUBE),
    });
  });
  it.each([
    "https://www.twitch.tv/videos/2345678901?t=1h",
    "twitch.tv/videos/v2345678901",
    "https://m.twitch.tv/somebody/v/2345678901",
    "https://player.twitch.tv/?video=v2345678901&parent=x",
  ])("a Twitch VOD in any spelling, which nobody describes without a key: %s", (text) => {
    expect(videoAddress(text)).toEqual({
      provider: "twitch",
      url: "https://www.twitch.tv/videos/2345678901",
      twitchId: "2345678901",
    });
  });
  it.each([
    ["https://vimeo.com/7100569", "https://vimeo.com/api/oembed.json"],
    ["https://vimeo.com/groups/shorts/videos/7100569", "https://vimeo.com/api/oembed.json"],
    ["https://www.dailymotion.com/video/x7tgad0", "https://www.dailymotion.com/services/oembed"],
    ["https://soundcloud.com/forss/flickermood", "https://soundcloud.com/oembed"],
    ["https://www.ted.com/talks/a_talk", "https://www.ted.com/services/v1/oembed.json"],
    ["https://www.loom.com/share/0a1b", "https://www.loom.com/v1/oembed"],
    ["https://www.tiktok.com/@a/video/6718335390845095173", "https://www.tiktok.com/oembed"],
  ])("%s is described by %s", (page, endpoint) => {
    expect(videoAddress(page)).toEqual({
      provider: "url",
      url: page,
      oembed: asks(endpoint, page),
    });
  });
  it.each([
    ["https://vimeo.com/about", "https://vimeo.com/about"],
    ["https://vimeo.com.evil.example/7100569", "https://vimeo.com.evil.example/7100569"],
    ["https://constructor/x", "https://constructor/x"],
    ["http://169.254.169.254/latest#a", "http://169.254.169.254/latest"],
    ["https://media.example/talk.mp4#t=3", "https://media.example/talk.mp4"],
    ["https://www.youtube.com/@channel", "https://www.youtube.com/@channel"],
  ])("nobody is asked about %s", (page, url) => {
    expect(videoAddress(page)).toEqual({ provider: "url", url });
  });
  it.each([
    "",
    "talk.mp4",
    "javascript:alert(1)",
    "gs://bucket/uploads/a",
    "file:///etc/passwd",
    "https://me:secret@media.example/a",
    `https://media.example/${"a".repeat(2100)}`,
  ])("no web address: %s", (text) => {
    expect(() => videoAddress(text)).toThrow(refused("invalid_url"));
  });
});
