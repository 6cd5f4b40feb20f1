// A Twitch VOD as a source: a playback token, the master playlist that it opens, and the facts of
// the video.
import { StageError } from "../contract/errors.ts";
import type { SourceDescription } from "./description.ts";
import type { FileDeps } from "./file.ts";
import { describeHls } from "./hls.ts";
import { checkDuration } from "./limits.ts";
import { createTwitchApi, type TwitchVideo } from "./twitchApi.ts";

export interface TwitchConfig {
  clientId?: string;
  gqlUrl?: string;
  /** Where master playlists are; default `https://usher.ttvnw.net`. */
  usherUrl?: string;
}

const DEFAULT_USHER_URL = "https://usher.ttvnw.net";

const notFound = (): StageError =>
  new StageError("video_not_found", "Twitch knows no such video; it may have expired.");

const restricted = (): StageError =>
  new StageError("video_restricted", "The video is for the channel's subscribers only.");

const masterUrl = (usherUrl: string, id: string, token: { value: string; signature: string }) => {
  const url = new URL(`/vod/v2/${id}.m3u8`, usherUrl);
  url.search = new URLSearchParams({
    sig: token.signature,
    token: token.value,
    allow_source: "true",
    allow_audio_only: "true",
    platform: "web",
    playlist_include_framerate: "true",
    // Whatever else there is, H.264 is what every ffmpeg decodes fast.
    supported_codecs: "av1,h265,h264",
  }).toString();
  return url.href;
};

/** Milliseconds of a date; undefined where it is none. */
const timeOf = (date: string | null | undefined): number | undefined => {
  const ms = Date.parse(date ?? "");
  return Number.isNaN(ms) ? undefined : ms;
};

const factsOf = (video: TwitchVideo): Partial<SourceDescription> => {
  // A stream that still runs has a placeholder for a picture.
  const thumbnailUrl = video.thumbnailURLs?.find((url) => url.startsWith("https://"));
  const publishedAt = timeOf(video.publishedAt);
  const channelTitle = video.owner?.displayName ?? video.owner?.login;
  return {
    ...(video.title ? { title: video.title } : {}),
    ...(video.owner?.id ? { channelId: video.owner.id } : {}),
    ...(channelTitle ? { channelTitle } : {}),
    ...(thumbnailUrl ? { thumbnailUrl } : {}),
    ...(publishedAt === undefined ? {} : { publishedAt }),
  };
};

/**
 * @param id the VOD's number
 * @throws {StageError} `video_not_found`, `video_restricted`, `twitch_failed`, `source_rate_limited`,
 *   and as `describeHls`
 */
export const describeTwitchVod = async (
  id: string,
  deps: FileDeps & { twitch?: TwitchConfig },
): Promise<SourceDescription> => {
  const { usherUrl = DEFAULT_USHER_URL, ...config } = deps.twitch ?? {};
  const api = createTwitchApi({
    fetch: deps.fetch,
    ...config,
    ...(deps.signal ? { signal: deps.signal } : {}),
  });
  const [video, token] = await Promise.all([api.video(id), api.playbackToken(id)]);
  if (video === null || token === null) throw notFound();
  if (token.forbidden) throw restricted();
  // Before anything of it is read.
  checkDuration(video.lengthSeconds ?? 0, deps.limits);
  try {
    const hls = await describeHls(masterUrl(usherUrl, id, token), deps, {
      id: `twitch ${id}`,
      mayBeMuted: true,
    });
    return { provider: "twitch", twitchId: id, ...factsOf(video), ...hls };
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    // The playlist server says 403 where the token's list of restricted renditions is all of them.
    if (error.code === "video_restricted") throw restricted();
    if (error.code === "video_not_found") throw notFound();
    throw error;
  }
};
