// What an address names, judged by its text alone. Pure: the HTTP function calls it when a video
// is handed over, so that a bad address is refused at once, and `ingest` calls it again.
import { StageError } from "../contract/errors.ts";
import { checkUrl, MAX_URL_LENGTH } from "./address.ts";

export type SourceRef =
  | { kind: "twitch_vod"; id: string; startSec?: number }
  | { kind: "twitch_clip"; slug: string }
  | { kind: "youtube"; id: string; startSec?: number }
  | { kind: "upload"; bucket: string; object: string }
  | { kind: "media"; url: string };

/**
 * Seconds of a `t=` parameter: `1h2m3s`, `90s`, `90` or `1:02:03`.
 * @returns undefined where it says no time
 */
export const parseTimeParameter = (text: string | null): number | undefined => {
  if (text === null) return undefined;
  if (/^\d{1,7}$/.test(text)) return Number(text);
  const clock = /^(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})$/.exec(text);
  const units = /^(?=\d)(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s)?$/i.exec(text);
  const parts = clock ?? units;
  if (parts === null) return undefined;
  const [hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
};

/** VODs made since the format exists have between 6 and 12 digits. */
const VOD_ID = /^v?(\d{6,12})$/;
const SLUG = /^[A-Za-z0-9_-]{4,120}$/;
const YOUTUBE_ID = /^[A-Za-z0-9_-]{11}$/;

const TWITCH_HOSTS = new Set(["twitch.tv", "www.twitch.tv", "m.twitch.tv", "go.twitch.tv"]);
const YOUTUBE_HOSTS = new Set([
  "youtube.com",
  "www.youtube.com",
  "m.youtube.com",
  "music.youtube.com",
  "www.youtube-nocookie.com",
  "youtube-nocookie.com",
]);

const withStart = <T extends object>(ref: T, url: URL | null): T & { startSec?: number } => {
  const startSec = parseTimeParameter(
    url?.searchParams.get("t") ?? url?.searchParams.get("start") ?? null,
  );
  return startSec === undefined || startSec === 0 ? ref : { ...ref, startSec };
};

const vod = (id: string | null | undefined, url: URL | null): SourceRef => {
  const digits = VOD_ID.exec(id ?? "")?.[1];
  if (digits === undefined) {
    throw new StageError("invalid_url", "This is not the address of a Twitch video.");
  }
  return withStart({ kind: "twitch_vod", id: digits }, url);
};

const clip = (slug: string | undefined): SourceRef => {
  if (slug === undefined || !SLUG.test(slug)) {
    throw new StageError("invalid_url", "This is not the address of a Twitch clip.");
  }
  return { kind: "twitch_clip", slug };
};

const twitch = (url: URL): SourceRef => {
  const [first, second, third] = url.pathname.split("/").filter((part) => part !== "");
  if (url.hostname === "player.twitch.tv") return vod(url.searchParams.get("video"), url);
  if (url.hostname === "clips.twitch.tv") {
    return clip(first === "embed" ? (url.searchParams.get("clip") ?? undefined) : first);
  }
  if (first === "videos" || first === "video") return vod(second, url);
  if ((second === "v" || second === "video" || second === "videos") && third !== undefined) {
    return vod(third, url);
  }
  if (second === "clip") return clip(third);
  if (first !== undefined && second === undefined) {
    throw new StageError(
      "live_stream",
      "This is the address of a channel; hand over one of its past broadcasts.",
    );
  }
  throw new StageError("invalid_url", "This is not the address of a Twitch video.");
};

const youtube = (url: URL): SourceRef => {
  const [first, second] = url.pathname.split("/").filter((part) => part !== "");
  const id =
    url.hostname === "youtu.be"
      ? first
      : first === "watch"
        ? url.searchParams.get("v")
        : ["shorts", "embed", "live", "v", "e"].includes(first ?? "")
          ? second
          : undefined;
  if (id === null || id === undefined || !YOUTUBE_ID.test(id)) {
    throw new StageError("invalid_url", "This is not the address of a YouTube video.");
  }
  return withStart({ kind: "youtube", id }, url);
};

/** `gs://bucket/uploads/…`, as `POST /v1/uploads` gave it; no other object is anyone's to name. */
const upload = (text: string): SourceRef => {
  const parts = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220})\/(uploads\/[^?#]+)$/.exec(text);
  const [, bucket, object] = parts ?? [];
  const walks = object?.split("/").some((part) => part === "" || part === "." || part === "..");
  if (bucket === undefined || object === undefined || walks || /\p{Cc}/u.test(object)) {
    throw new StageError("invalid_url", "This is not a handle that an upload gave.");
  }
  return { kind: "upload", bucket, object };
};

/**
 * What a person pasted, as a source. An address without a scheme is taken as https where it begins
 * with a name of Twitch or YouTube.
 * @throws {StageError} `invalid_url`, `private_address`; `live_stream` for a channel's address
 */
export const parseSourceUrl = (text: string): SourceRef => {
  const trimmed = text.trim();
  if (trimmed.length > MAX_URL_LENGTH) {
    throw new StageError("invalid_url", "The address is too long.");
  }
  if (VOD_ID.test(trimmed)) return vod(trimmed, null);
  if (trimmed.startsWith("gs://")) return upload(trimmed);
  const bare = /^((www|m|go|player|clips|music)\.)?(twitch\.tv|youtube\.com|youtu\.be)\//i.test(
    trimmed,
  );
  const url = checkUrl(bare ? `https://${trimmed}` : trimmed);
  const host = url.hostname.replace(/\.$/, "");
  if (TWITCH_HOSTS.has(host) || host === "player.twitch.tv" || host === "clips.twitch.tv") {
    url.hostname = host;
    return twitch(url);
  }
  if (YOUTUBE_HOSTS.has(host) || host === "youtu.be") {
    url.hostname = host;
    return youtube(url);
  }
  return { kind: "media", url: url.href };
};
