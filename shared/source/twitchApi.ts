// The one place that knows how Twitch's internal GraphQL is asked and what it answers. It is
// undocumented and changes without notice: answers are decoded with what is needed and no more,
// and whatever does not fit is `twitch_failed`, which the job survives where it can.
import { z } from "zod";
import { StageError } from "../contract/errors.ts";
import { expectOk, withRetry } from "./answers.ts";
import type { GuardedFetch } from "./fetch.ts";

/** A desktop client's id: cursor paging of comments fails an integrity check with the browser's. */
const DEFAULT_TWITCH_CLIENT_ID = "kd1unb4b3q4t58fwlpcbzcbnm76a8fp";
const DEFAULT_GQL_URL = "https://gql.twitch.tv/gql";

const COMMENTS_HASH = "b70a3591ff0f4e0313d126c6a1502d79a1c02baebb288227c582044aa76adf6a";

const VIDEO_QUERY = `query Video($id: ID!) {
  video(id: $id) {
    id title lengthSeconds publishedAt status thumbnailURLs(width: 640, height: 360)
    owner { id login displayName }
  }
}`;

const TOKEN_QUERY = `query PlaybackAccessToken($vodID: ID!, $playerType: String!) {
  videoPlaybackAccessToken(
    id: $vodID
    params: { platform: "web", playerBackend: "mediaplayer", playerType: $playerType }
  ) { value signature }
}`;

const nullish = <T extends z.ZodType>(schema: T) => schema.nullish().catch(null);

/** One comment of a replay, as far as it is used; every other field is dropped. */
export const TwitchCommentNode = z.object({
  id: z.string().min(1),
  /** Whole seconds since the start of the VOD. */
  contentOffsetSeconds: z.number(),
  createdAt: nullish(z.string()),
  /** null where the account is gone. */
  commenter: nullish(
    z.object({ id: z.string(), login: nullish(z.string()), displayName: nullish(z.string()) }),
  ),
  message: z.object({
    fragments: z
      .array(
        z.object({
          text: z
            .string()
            .nullish()
            .transform((text) => text ?? ""),
          emote: nullish(z.object({ id: nullish(z.string()), emoteID: nullish(z.string()) })),
        }),
      )
      .nullish()
      .transform((fragments) => fragments ?? []),
    userBadges: nullish(z.array(z.object({ setID: z.string(), version: z.string() }))),
    userColor: nullish(z.string()),
  }),
});
export type TwitchCommentNode = z.infer<typeof TwitchCommentNode>;

export const TwitchComments = z.object({
  edges: z.array(z.object({ cursor: nullish(z.string()), node: TwitchCommentNode })),
  pageInfo: z.object({ hasNextPage: z.boolean() }),
});
export type TwitchComments = z.infer<typeof TwitchComments>;

export interface TwitchCommentsPage {
  /** False where Twitch knows no such video. */
  videoExists: boolean;
  /**
   * Null where there is nothing to read: no such video, or a `service error` in the answer, which
   * is also what some pages past the end give.
   */
  comments: TwitchComments | null;
  /** Why `comments` is null, in Twitch's words. */
  reason?: string;
}

const Video = z.object({
  id: z.string(),
  title: nullish(z.string()),
  lengthSeconds: nullish(z.number()),
  publishedAt: nullish(z.string()),
  /** `RECORDING` while the stream runs. */
  status: nullish(z.string()),
  thumbnailURLs: nullish(z.array(z.string())),
  owner: nullish(
    z.object({ id: z.string(), login: nullish(z.string()), displayName: nullish(z.string()) }),
  ),
});
export type TwitchVideo = z.infer<typeof Video>;

const Token = z.object({ value: z.string(), signature: z.string() });

/** The JSON inside a token's `value`. */
const TokenValue = z.object({
  authorization: nullish(
    z.object({ forbidden: nullish(z.boolean()), reason: nullish(z.string()) }),
  ),
  chansub: nullish(z.object({ restricted_bitrates: nullish(z.array(z.string())) })),
});

export interface TwitchPlaybackToken {
  value: string;
  signature: string;
  forbidden: boolean;
  /** Renditions for subscribers alone; for a subscribers-only VOD, all of them. */
  restrictedRenditions: string[];
}

const Envelope = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string().catch("") })).nullish(),
  /** A refusal as a whole: `{"error":"Bad Request","message":"…"}`. */
  error: z.string().nullish().catch(null),
  message: z.string().nullish().catch(null),
});

export interface TwitchApi {
  /** @returns null where there is no such video. @throws {StageError} `twitch_failed` */
  video(id: string): Promise<TwitchVideo | null>;
  /** @returns null where there is no such video. @throws {StageError} `twitch_failed` */
  playbackToken(id: string): Promise<TwitchPlaybackToken | null>;
  /**
   * The page of the chat replay around a second; it reaches *before* it.
   * @throws {StageError} `twitch_failed`
   */
  commentsByOffset(id: string, offsetSec: number): Promise<TwitchCommentsPage>;
  /** The page after a cursor. @throws {StageError} `twitch_failed`, also on a failed integrity check */
  commentsByCursor(id: string, cursor: string): Promise<TwitchCommentsPage>;
}

export interface TwitchApiDeps {
  fetch: GuardedFetch;
  clientId?: string;
  gqlUrl?: string;
  signal?: AbortSignal;
  /** Tries of one request; default 4. */
  tries?: number;
}

const MAX_ANSWER_BYTES = 4 * 2 ** 20;

const failed = (detail: string, cause?: unknown): StageError =>
  new StageError("twitch_failed", undefined, {
    cause: cause === undefined ? new Error(detail) : new Error(detail, { cause }),
  });

/** Anything that went wrong on the way to Twitch is Twitch's failure, but for its rate limit. */
const asTwitchError = (error: unknown): unknown => {
  if (!(error instanceof StageError)) return error;
  return error.code === "source_rate_limited" || error.code === "twitch_failed"
    ? error
    : failed("request failed", error);
};

export const createTwitchApi = (deps: TwitchApiDeps): TwitchApi => {
  const { fetch, clientId = DEFAULT_TWITCH_CLIENT_ID, gqlUrl = DEFAULT_GQL_URL } = deps;

  const once = async (operation: Record<string, unknown>): Promise<z.infer<typeof Envelope>> => {
    try {
      const response = expectOk(
        await fetch(gqlUrl, {
          method: "POST",
          headers: {
            "client-id": clientId,
            "content-type": "application/json",
            "accept-encoding": "gzip",
          },
          body: JSON.stringify(operation),
          maxBytes: MAX_ANSWER_BYTES,
          totalMs: 30_000,
          maxRedirects: 0,
          ...(deps.signal ? { signal: deps.signal } : {}),
        }),
      );
      const chunks: Buffer[] = [];
      for await (const chunk of response.body) chunks.push(chunk as Buffer);
      const parsed = Envelope.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      if (!parsed.success) throw failed("the answer has another shape", parsed.error);
      if (parsed.data.error) throw failed(`${parsed.data.error}: ${parsed.data.message ?? ""}`);
      return parsed.data;
    } catch (error) {
      throw asTwitchError(error instanceof SyntaxError ? failed("not JSON", error) : error);
    }
  };
  const ask = (operation: Record<string, unknown>) =>
    withRetry(() => once(operation), {
      tries: deps.tries ?? 4,
      ...(deps.signal ? { signal: deps.signal } : {}),
    });

  const reasonOf = (answer: z.infer<typeof Envelope>): string =>
    (answer.errors ?? []).map((error) => error.message).join("; ");

  /** One field of the answer; null stays null unless the answer says that something failed. */
  const field = <T extends z.ZodType>(
    answer: z.infer<typeof Envelope>,
    name: string,
    schema: T,
  ): z.infer<T> | null => {
    const value = answer.data?.[name];
    if (value === null || value === undefined) {
      const reason = reasonOf(answer);
      if (reason !== "" || value === undefined) throw failed(reason || `no ${name} in the answer`);
      return null;
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw failed(`${name} has another shape`, parsed.error);
    return parsed.data;
  };

  const comments = async (variables: Record<string, unknown>): Promise<TwitchCommentsPage> => {
    const answer = await ask({
      operationName: "VideoCommentsByOffsetOrCursor",
      variables,
      extensions: { persistedQuery: { version: 1, sha256Hash: COMMENTS_HASH } },
    });
    const reason = reasonOf(answer);
    if (/integrity/i.test(reason)) throw failed(reason);
    if (answer.data?.["video"] === null && reason === "") {
      return { videoExists: false, comments: null };
    }
    const video = field(answer, "video", z.object({ comments: z.unknown() }));
    if (video === null) return { videoExists: false, comments: null };
    if (video.comments === null || video.comments === undefined) {
      return { videoExists: true, comments: null, reason };
    }
    const parsed = TwitchComments.safeParse(video.comments);
    if (!parsed.success) throw failed("comments have another shape", parsed.error);
    return { videoExists: true, comments: parsed.data };
  };

  return {
    video: async (id) =>
      field(await ask({ query: VIDEO_QUERY, variables: { id } }), "video", Video),

    playbackToken: async (id) => {
      const answer = await ask({
        operationName: "PlaybackAccessToken",
        query: TOKEN_QUERY,
        variables: { isVod: true, vodID: id, playerType: "site" },
      });
      const token = field(answer, "videoPlaybackAccessToken", Token);
      if (token === null) return null;
      let inner: z.infer<typeof TokenValue>;
      try {
        inner = TokenValue.parse(JSON.parse(token.value));
      } catch (error) {
        throw failed("the token's value has another shape", error);
      }
      return {
        ...token,
        forbidden: inner.authorization?.forbidden === true,
        restrictedRenditions: inner.chansub?.restricted_bitrates ?? [],
      };
    },

    commentsByOffset: (id, offsetSec) =>
      comments({ videoID: id, contentOffsetSeconds: Math.max(0, Math.floor(offsetSec)) }),

    commentsByCursor: (id, cursor) => comments({ videoID: id, cursor }),
  };
};
