// Which video an address names, in the one spelling that jobs have it in as well, and who describes
// it without a key. Judged by the text alone: nothing a stranger names is fetched here.
import { refuse } from "../access.ts";
import { MAX_URL_CHARS } from "../webAddress.ts";

/** A service that answers oEmbed (oembed.com) at a fixed address. */
interface Describer {
  endpoint: string;
  /** Which of the service's paths are videos. */
  path: RegExp;
}

const describer = (endpoint: string, path: RegExp): Describer => ({ endpoint, path });
const VIMEO = describer("https://vimeo.com/api/oembed.json", /\/\d+/);
const DAILYMOTION = describer("https://www.dailymotion.com/services/oembed", /^\/video\/./);
const SOUNDCLOUD = describer("https://soundcloud.com/oembed", /^\/[^/]+\/[^/]+/);
const TED = describer("https://www.ted.com/services/v1/oembed.json", /^\/talks\/./);
const LOOM = describer("https://www.loom.com/v1/oembed", /^\/(?:share|i)\/./);
const TIKTOK = describer("https://www.tiktok.com/oembed", /\/video\/\d+/);
const YOUTUBE = "https://www.youtube.com/oembed";

const DESCRIBERS: Record<string, Describer> = {
  "vimeo.com": VIMEO,
  "www.vimeo.com": VIMEO,
  "player.vimeo.com": VIMEO,
  "dailymotion.com": DAILYMOTION,
  "www.dailymotion.com": DAILYMOTION,
  "soundcloud.com": SOUNDCLOUD,
  "www.soundcloud.com": SOUNDCLOUD,
  "ted.com": TED,
  "www.ted.com": TED,
  "loom.com": LOOM,
  "www.loom.com": LOOM,
  "tiktok.com": TIKTOK,
  "www.tiktok.com": TIKTOK,
};

const YOUTUBE_HOSTS = [
  "youtube.com",
  "www.youtube.com",
  "m.youtube.com",
  "music.youtube.com",
  "youtube-nocookie.com",
  "www.youtube-nocookie.com",
];
const TWITCH_HOSTS = ["twitch.tv", "www.twitch.tv", "m.twitch.tv", "go.twitch.tv"];
const YOUTUBE_ID = /^[A-Za-z0-9_-]{11}$/;
const VOD_ID = /^v?(\d{6,12})$/;

export interface VideoAddress {
  /** The one spelling of it. */
  url: string;
  provider: "twitch" | "youtube" | "url";
  youtubeVideoId?: string;
  twitchId?: string;
  /** Where to ask for its title without a key. */
  oembed?: string;
}

const parse = (text: string): URL => {
  const trimmed = text.trim();
  const bare = /^(?:(?:www|m|go|player|music)\.)?(?:twitch\.tv|youtube\.com|youtu\.be)\//i;
  let url: URL;
  try {
    url = new URL(bare.test(trimmed) ? `https://${trimmed}` : trimmed);
  } catch {
    throw refuse("invalid_url", "This is not an address of a video.");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refuse("invalid_url", "A video's address begins with http: or https:.");
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse("invalid_url", "An address with a user name or a password is not taken.");
  }
  return url;
};

const youtubeIdOf = (host: string, parts: string[], url: URL): string | undefined => {
  const [first, second] = parts;
  const id =
    host === "youtu.be"
      ? first
      : YOUTUBE_HOSTS.includes(host)
        ? first === "watch"
          ? (url.searchParams.get("v") ?? undefined)
          : ["shorts", "embed", "live", "v", "e"].includes(first ?? "")
            ? second
            : undefined
        : undefined;
  return id !== undefined && YOUTUBE_ID.test(id) ? id : undefined;
};

const twitchIdOf = (host: string, parts: string[], url: URL): string | undefined => {
  if (host === "player.twitch.tv") return VOD_ID.exec(url.searchParams.get("video") ?? "")?.[1];
  if (!TWITCH_HOSTS.includes(host)) return undefined;
  const [first = "", second = "", third = ""] = parts;
  const id = /^videos?$/.test(first) ? second : /^(?:v|videos?)$/.test(second) ? third : "";
  return VOD_ID.exec(id)?.[1];
};

/**
 * The video that somebody pasted the address of.
 * @throws {ConvexError} `invalid_url` for what is no web address
 */
export const videoAddress = (text: string): VideoAddress => {
  if (text.length > MAX_URL_CHARS) {
    throw refuse("invalid_url", `An address has at most ${MAX_URL_CHARS} characters.`);
  }
  const url = parse(text);
  const host = url.hostname.replace(/\.$/, "");
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const youtubeVideoId = youtubeIdOf(host, parts, url);
  if (youtubeVideoId !== undefined) {
    const watch = `https://www.youtube.com/watch?v=${youtubeVideoId}`;
    return { provider: "youtube", url: watch, youtubeVideoId, oembed: asking(YOUTUBE, watch) };
  }
  const twitchId = twitchIdOf(host, parts, url);
  if (twitchId !== undefined) {
    return { provider: "twitch", url: `https://www.twitch.tv/videos/${twitchId}`, twitchId };
  }
  // What follows `#` is the page's own.
  const [page = ""] = url.href.split("#");
  const known = Object.hasOwn(DESCRIBERS, host) ? DESCRIBERS[host] : undefined;
  return known?.path.test(url.pathname)
    ? { provider: "url", url: page, oembed: asking(known.endpoint, page) }
    : { provider: "url", url: page };
};

const asking = (endpoint: string, page: string): string =>
  `${endpoint}?format=json&url=${encodeURIComponent(page)}`;
