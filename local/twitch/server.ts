// Twitch's stand-in: answers the GraphQL, playlist and segment requests that the real one would,
// from files, with its known oddities, so that the production code runs unchanged against it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { ChatMessage } from "#shared/contract/chat.ts";
import { listen, stop } from "../httpServer.ts";
import { type CommentPages, commentPages, type V5Comment } from "./comments.ts";
import { serveFile } from "./fileServer.ts";
import { cutRecording, mutedSegmentPath, type Rendition, segmentPath } from "./hlsFiles.ts";

export interface StandInVod {
  /** Digits. */
  id: string;
  title?: string;
  channel?: string;
  publishedAt?: string;
  /** The recording; without it the VOD has chat alone. */
  mediaPath?: string;
  comments?: readonly (ChatMessage | V5Comment)[];
  /** For subscribers only. */
  restricted?: boolean;
  /** The stream still runs: no end mark. */
  growing?: boolean;
  /** Indexes of segments without their sound. `unmuted` lists them under the name that is refused. */
  muted?: { segments: number[]; listedAs?: "muted" | "unmuted" };
}

/** Kinds of requests that are counted. */
export const REQUEST_KINDS = [
  "video",
  "token",
  "comments",
  "master",
  "playlist",
  "segment",
] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** What to do with a request instead of answering it well; `null` answers it well. */
export type Fault =
  | { kind: "status"; status: number; headers?: Record<string, string> }
  | { kind: "service_error" }
  | { kind: "cut" }
  | null;

export interface StandInOptions {
  vods: StandInVod[];
  /** Where cut recordings are kept. */
  cacheDir: string;
  ffmpegPath: string;
  /** Recordings are cut without encoding them anew: for long ones, where only their size matters. */
  copy?: boolean;
  /** Before each answer; default 0. */
  latencyMs?: number;
  segmentSec?: number;
  pageSize?: number;
  /** Asked for each request; `count` is how many of the kind there were before. */
  fault?: (kind: RequestKind, count: number) => Fault;
}

export interface TwitchStandIn {
  /** For `standInNet`: where Twitch's names lead. */
  hosts: Record<string, string>;
  requests: Record<RequestKind, number>;
  close(): Promise<void>;
}

/** The browser's id, for which cursor paging fails. */
const BROWSER_CLIENT_ID = "kimne78kx3ncx6brgo4mv6wki5h1ko";
const CDN_HOST = "d1m7jfoe9zdc1j.cloudfront.net";

interface LoadedVod extends StandInVod {
  renditions: Rendition[];
  pages: CommentPages;
  lengthSec: number;
}

const load = async (vod: StandInVod, options: StandInOptions): Promise<LoadedVod> => {
  const renditions =
    vod.mediaPath === undefined
      ? []
      : await cutRecording(vod.mediaPath, options.cacheDir, {
          ffmpegPath: options.ffmpegPath,
          segmentSec: options.segmentSec ?? 10,
          ...(options.copy === undefined ? {} : { copy: options.copy }),
        });
  const lengthSec = renditions[0]?.durations.reduce((sum, sec) => sum + sec, 0) ?? 0;
  return {
    ...vod,
    renditions,
    pages: commentPages(vod.comments ?? [], options.pageSize),
    lengthSec,
  };
};

const masterOf = (vod: LoadedVod): string =>
  [
    "#EXTM3U",
    '#EXT-X-TWITCH-INFO:ORIGIN="s3",B="false",REGION="EU",USER-IP="203.0.113.7",CLUSTER="cloudfront_vod"',
    ...vod.renditions.flatMap(({ name, bandwidth, height }) => [
      `#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="${name}",NAME="${name}",AUTOSELECT=YES,DEFAULT=YES`,
      height === undefined
        ? `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="mp4a.40.2",VIDEO="${name}"`
        : `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="avc1.4D401F,mp4a.40.2",RESOLUTION=640x${height},VIDEO="${name}",FRAME-RATE=30.000`,
      `https://${CDN_HOST}/${vod.id}/${name}/index-dvr.m3u8`,
    ]),
    "",
  ].join("\n");

const mediaListOf = (vod: LoadedVod, rendition: Rendition): string => {
  const { segments = [], listedAs = "muted" } = vod.muted ?? {};
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:3",
    `#EXT-X-TARGETDURATION:${Math.ceil(Math.max(...rendition.durations))}`,
    "#ID3-EQUIV-TDTG:2026-11-01T00:00:00",
    "#EXT-X-PLAYLIST-TYPE:EVENT",
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-TWITCH-ELAPSED-SECS:0.000",
    `#EXT-X-TWITCH-TOTAL-SECS:${vod.lengthSec.toFixed(3)}`,
    ...rendition.durations.flatMap((sec, i) => [
      `#EXTINF:${sec.toFixed(3)},`,
      segments.includes(i) ? `${i}-${listedAs}.ts` : `${i}.ts`,
    ]),
    ...(vod.growing ? [] : ["#EXT-X-ENDLIST"]),
    "",
  ].join("\n");
};

interface GqlRequest {
  operationName?: string;
  query?: string;
  variables?: Record<string, unknown>;
}

const gqlError = (message: string, data: Record<string, unknown> | null = null) => ({
  errors: [{ message, path: ["video", "comments"] }],
  data,
});

const answerToken = (vod: LoadedVod | undefined) => {
  if (vod === undefined) return { data: { videoPlaybackAccessToken: null } };
  const value = JSON.stringify({
    authorization: { forbidden: false, reason: "" },
    chansub: { restricted_bitrates: vod.restricted ? vod.renditions.map((r) => r.name) : [] },
    expires: 4_102_444_800,
    vod_id: Number(vod.id),
  });
  const signature = "f45801db13d8fc1fac72fcf99b649b3d00000000";
  return {
    data: { videoPlaybackAccessToken: { value, signature, __typename: "PlaybackAccessToken" } },
  };
};

const answerVideo = (vod: LoadedVod | undefined) => {
  if (vod === undefined) return { data: { video: null } };
  const channel = vod.channel ?? "standin";
  return {
    data: {
      video: {
        id: vod.id,
        title: vod.title ?? `VOD ${vod.id}`,
        lengthSeconds: Math.round(vod.lengthSec),
        publishedAt: vod.publishedAt ?? "2026-11-01T12:00:00Z",
        status: vod.growing ? "RECORDING" : "RECORDED",
        thumbnailURLs: [`https://static-cdn.jtvnw.net/${vod.id}/thumb0-640x360.jpg`],
        owner: { id: "100", login: channel.toLowerCase(), displayName: channel },
      },
    },
  };
};

const answerComments = (
  vod: LoadedVod | undefined,
  variables: Record<string, unknown>,
  clientId: string,
) => {
  if (vod === undefined) return { data: { video: null } };
  const { cursor, contentOffsetSeconds } = variables;
  const byCursor = typeof cursor === "string";
  if (byCursor && clientId === BROWSER_CLIENT_ID) return gqlError("failed integrity check");
  const comments = byCursor
    ? vod.pages.byCursor(cursor)
    : vod.pages.byOffset(Number(contentOffsetSeconds ?? 0));
  const none = { edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } };
  return { data: { video: { id: vod.id, comments: comments ?? none, __typename: "Video" } } };
};

const kindOfGql = (request: GqlRequest): RequestKind =>
  request.operationName === "VideoCommentsByOffsetOrCursor"
    ? "comments"
    : request.operationName === "PlaybackAccessToken"
      ? "token"
      : "video";

/** Starts the stand-in on a free port of this machine. */
export const startTwitch = async (options: StandInOptions): Promise<TwitchStandIn> => {
  const vods = new Map<string, LoadedVod>();
  for (const vod of options.vods) vods.set(vod.id, await load(vod, options));
  const requests = Object.fromEntries(REQUEST_KINDS.map((kind) => [kind, 0])) as Record<
    RequestKind,
    number
  >;

  const json = (response: ServerResponse, body: unknown): void => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  /** Counts a request; true where a fault has answered it. */
  const faulted = (kind: RequestKind, response: ServerResponse): boolean => {
    const fault = options.fault?.(kind, requests[kind]) ?? null;
    requests[kind] += 1;
    if (fault === null) return false;
    if (fault.kind === "cut") response.destroy();
    else if (fault.kind === "status") response.writeHead(fault.status, fault.headers ?? {}).end();
    else json(response, gqlError("service error", { video: { comments: null } }));
    return true;
  };

  const gql = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as GqlRequest | GqlRequest[];
    const clientId = String(request.headers["client-id"] ?? "");
    if (clientId === "") {
      response
        .writeHead(400)
        .end('{"error":"Bad Request","message":"The \\"Client-ID\\" header is missing."}');
      return;
    }
    if (request.headers.authorization !== undefined) {
      response.writeHead(401).end('{"error":"Unauthorized","message":"invalid token"}');
      return;
    }
    const answers: unknown[] = [];
    for (const each of [body].flat()) {
      const variables = each.variables ?? {};
      const kind = kindOfGql(each);
      if (faulted(kind, response)) return;
      const id = variables["videoID"] ?? variables["vodID"] ?? variables["id"];
      const vod = vods.get(typeof id === "string" ? id : "");
      if (kind === "comments") answers.push(answerComments(vod, variables, clientId));
      else answers.push(kind === "token" ? answerToken(vod) : answerVideo(vod));
    }
    json(response, Array.isArray(body) ? answers : answers[0]);
  };

  const master = (url: URL, response: ServerResponse): void => {
    if (faulted("master", response)) return;
    const vod = vods.get(/(\d+)\.m3u8$/.exec(url.pathname)?.[1] ?? "");
    const signed = url.searchParams.get("sig") && url.searchParams.get("token");
    if (vod === undefined || vod.renditions.length === 0) {
      response.writeHead(404).end("[]");
    } else if (vod.restricted || !signed) {
      response
        .writeHead(403)
        .end('[{"error":"Manifest is restricted","error_code":"vod_manifest_restricted"}]');
    } else {
      response
        .writeHead(200, { "content-type": "application/vnd.apple.mpegurl" })
        .end(masterOf(vod));
    }
  };

  const cdn = async (
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const [id = "", name = "", file = ""] = url.pathname.split("/").slice(1);
    const vod = vods.get(id);
    const rendition = vod?.renditions.find((each) => each.name === name);
    const [, index = "", suffix = ""] = /^(\d+)(-(?:un)?muted)?\.ts$/.exec(file) ?? [];
    const isSegment = index !== "";
    if (faulted(isSegment ? "segment" : "playlist", response)) return;
    const isMuted = vod?.muted?.segments.includes(Number(index)) === true;
    if (vod === undefined || rendition === undefined) {
      response.writeHead(404).end();
    } else if (file === "index-dvr.m3u8") {
      response
        .writeHead(200, { "content-type": "application/vnd.apple.mpegurl" })
        .end(mediaListOf(vod, rendition));
    } else if (!isSegment || Number(index) >= rendition.durations.length) {
      response.writeHead(404).end();
    } else if (isMuted !== (suffix === "-muted")) {
      // The bucket behind it answers 403 for a name that is not there.
      response.writeHead(403).end();
    } else {
      const body = isMuted
        ? await mutedSegmentPath(rendition, Number(index), options.ffmpegPath)
        : segmentPath(rendition, Number(index));
      await serveFile(request, response, { body });
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (options.latencyMs) await delay(options.latencyMs);
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
    if (url.hostname === "gql.twitch.tv") return gql(request, response);
    if (url.hostname === "usher.ttvnw.net") return master(url, response);
    return cdn(url, request, response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  const address = new URL(await listen(server)).host;
  return {
    hosts: {
      "gql.twitch.tv": address,
      "usher.ttvnw.net": address,
      [CDN_HOST]: address,
    },
    requests,
    close: () => stop(server),
  };
};
