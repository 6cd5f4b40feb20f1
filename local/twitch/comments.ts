// Chat comments as Twitch's GraphQL answers them, made from a chat file, and cut into pages the
// way Twitch cuts them: a page asked for by time begins before it.
import { Buffer } from "node:buffer";
import type { ChatMessage } from "#shared/contract/chat.ts";

interface GqlComment {
  id: string;
  commenter: { id: string; login: string; displayName: string; __typename: "User" } | null;
  contentOffsetSeconds: number;
  createdAt: string;
  message: {
    fragments: {
      emote: { id: string; emoteID: string; from: number; __typename: "EmbeddedEmote" } | null;
      text: string;
      __typename: "VideoCommentMessageFragment";
    }[];
    userBadges: { id: string; setID: string; version: string; __typename: "Badge" }[];
    userColor: string | null;
    __typename: "VideoCommentMessage";
  };
  __typename: "VideoComment";
}

/** A comment of the v5 API, which is also TwitchDownloader's layout. */
export interface V5Comment {
  _id: string;
  created_at: string;
  content_offset_seconds: number;
  commenter: { _id: string; name: string; display_name: string } | null;
  message: {
    body?: string;
    fragments?: { text: string; emoticon?: { emoticon_id: string } | null }[] | null;
    user_badges?: { _id: string; version: string }[] | null;
    user_color?: string | null;
  };
}

const fragment = (text: string, emoteId: string | undefined, from: number) => ({
  emote:
    emoteId === undefined
      ? null
      : {
          id: `${emoteId};${from};${from + text.length - 1}`,
          emoteID: emoteId,
          from,
          __typename: "EmbeddedEmote" as const,
        },
  text,
  __typename: "VideoCommentMessageFragment" as const,
});

const badge = (setID: string, version: string) => ({
  id: Buffer.from(`${setID};${version};`).toString("base64"),
  setID,
  version,
  __typename: "Badge" as const,
});

interface Parts {
  id: string;
  offsetSec: number;
  createdAt: string;
  user: { id: string; login: string; name: string } | null;
  fragments: { text: string; emoteId: string | undefined }[];
  badges: { id: string; version: string }[];
  color: string | null;
}

const comment = (parts: Parts): GqlComment => {
  let at = 0;
  return {
    id: parts.id,
    commenter: parts.user && {
      id: parts.user.id,
      login: parts.user.login,
      displayName: parts.user.name,
      __typename: "User",
    },
    // Twitch answers whole seconds.
    contentOffsetSeconds: Math.floor(parts.offsetSec),
    createdAt: parts.createdAt,
    message: {
      fragments: parts.fragments.map(({ text, emoteId }) => {
        const made = fragment(text, emoteId, at);
        at += text.length;
        return made;
      }),
      userBadges: parts.badges.map(({ id, version }) => badge(id, version)),
      userColor: parts.color,
      __typename: "VideoCommentMessage",
    },
    __typename: "VideoComment",
  };
};

const fromV5 = (v5: V5Comment): GqlComment => {
  const { commenter, message } = v5;
  const fragments = message.fragments ?? [{ text: message.body ?? "" }];
  return comment({
    id: v5._id,
    offsetSec: v5.content_offset_seconds,
    createdAt: v5.created_at,
    user: commenter && { id: commenter._id, login: commenter.name, name: commenter.display_name },
    fragments: fragments.map(({ text, emoticon }) => ({ text, emoteId: emoticon?.emoticon_id })),
    badges: (message.user_badges ?? []).map(({ _id, version }) => ({ id: _id, version })),
    color: message.user_color ?? null,
  });
};

const fromMessage = (message: ChatMessage): GqlComment =>
  comment({
    id: message.id,
    offsetSec: message.offsetSec,
    createdAt: message.createdAt ?? new Date(message.offsetSec * 1000).toISOString(),
    user: message.user,
    fragments: message.fragments.map(({ text, emote }) => ({
      text,
      emoteId: emote?.provider === "twitch" ? emote.id : undefined,
    })),
    badges: message.user?.badges ?? [],
    color: message.user?.color ?? null,
  });

export interface CommentPage {
  edges: { cursor: string; node: GqlComment; __typename: "VideoCommentEdge" }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; __typename: "PageInfo" };
  __typename: "VideoCommentConnection";
}

export interface CommentPages {
  count: number;
  /** Null past the end. */
  byOffset(offsetSec: number): CommentPage | null;
  byCursor(cursor: string): CommentPage | null;
}

const cursorOf = (index: number): string =>
  Buffer.from(JSON.stringify({ id: index, hk: "broadcast:1", sk: "x" })).toString("base64url");

/**
 * @param comments of either kind, in any order
 * @param pageSize comments a page; Twitch gives about 59
 */
export const commentPages = (
  comments: readonly (ChatMessage | V5Comment)[],
  pageSize = 59,
): CommentPages => {
  const nodes = comments
    .map((each) => ("_id" in each ? fromV5(each) : fromMessage(each)))
    .sort((a, b) => a.contentOffsetSeconds - b.contentOffsetSeconds);
  // Twitch keeps comments in blocks of time, and a page begins with the block its time falls in.
  const page = (start: number): CommentPage | null => {
    const end = Math.min(start + pageSize, nodes.length);
    if (start >= end) return null;
    return {
      edges: nodes.slice(start, end).map((node, i) => ({
        cursor: cursorOf(start + i),
        node,
        __typename: "VideoCommentEdge",
      })),
      pageInfo: {
        hasNextPage: end < nodes.length,
        hasPreviousPage: start > 0,
        __typename: "PageInfo",
      },
      __typename: "VideoCommentConnection",
    };
  };
  return {
    count: nodes.length,
    byOffset: (offsetSec) => {
      let low = 0;
      let high = nodes.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((nodes[middle]?.contentOffsetSeconds ?? 0) < offsetSec) low = middle + 1;
        else high = middle;
      }
      if (low >= nodes.length) return null;
      // A third of the page lies before the time, unless one second fills more than that.
      return page(Math.max(0, low - Math.floor(pageSize / 3)));
    },
    byCursor: (cursor) => {
      const { id } = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as {
        id: number;
      };
      return page(id + 1);
    },
  };
};
