// Writes `chat.json` in TwitchDownloader's layout (its ChatRoot, version 1.3), so that its viewer
// and renderer read it. Nothing in it depends on when or where it was written: the same chat gives
// the same bytes. `parseChatFile` reads it back to the same messages.
import type { ChatMessage } from "../contract/chat.ts";

export interface ChatDocumentInfo {
  videoId: string;
  title: string;
  channelId?: string;
  channelName?: string;
  /** ISO 8601. */
  videoCreatedAt?: string;
  durationSec: number;
}

const MESSAGES_A_CHUNK = 500;

/** Number of code points, which is what emoticon ranges count. */
const pointsIn = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

const emoticonsOf = (message: ChatMessage): { _id: string; begin: number; end: number }[] => {
  const emoticons: { _id: string; begin: number; end: number }[] = [];
  let at = 0;
  for (const { text, emote } of message.fragments) {
    const length = pointsIn(text);
    if (emote?.provider === "twitch")
      emoticons.push({ _id: emote.id, begin: at, end: at + length - 1 });
    at += length;
  }
  return emoticons;
};

const fragmentsOf = (message: ChatMessage): unknown[] =>
  message.fragments.map(({ text, emote }) => {
    if (emote === undefined) return { text };
    if (emote.provider === "twitch")
      return { text, emoticon: { emoticon_id: emote.id, emoticon_set_id: "" } };
    // TwitchDownloader knows these by name alone and skips a field it does not know.
    return { text, third_party: { id: emote.id, provider: emote.provider } };
  });

/** One message as TwitchDownloader writes it; a deleted account has the empty id. */
const toComment = (message: ChatMessage, info: ChatDocumentInfo): unknown => {
  const time = message.createdAt
    ? { created_at: message.createdAt, updated_at: message.createdAt }
    : {};
  return {
    _id: message.id,
    ...time,
    channel_id: info.channelId ?? "",
    content_type: "video",
    content_id: info.videoId,
    content_offset_seconds: message.offsetSec,
    commenter: {
      display_name: message.user?.name ?? "",
      _id: message.user?.id ?? "",
      name: message.user?.login ?? "",
      type: "user",
      bio: null,
      logo: null,
    },
    source: "chat",
    state: "published",
    message: {
      body: message.body,
      bits_spent: message.bits,
      fragments: fragmentsOf(message),
      is_action: false,
      user_badges: (message.user?.badges ?? []).map((badge) => ({
        _id: badge.id,
        version: badge.version,
      })),
      ...(message.user?.color ? { user_color: message.user.color } : {}),
      user_notice_params: {},
      emoticons: emoticonsOf(message),
    },
    more_replies: false,
  };
};

/** The document in pieces of some hundred messages, to be written as they come. */
export function* chatDocument(
  messages: Iterable<ChatMessage>,
  info: ChatDocumentInfo,
): Generator<string> {
  const channelId = Number(info.channelId);
  const head = {
    FileInfo: { Version: { Major: 1, Minor: 3, Patch: 1 } },
    streamer: {
      name: info.channelName ?? "",
      id: Number.isSafeInteger(channelId) ? channelId : 0,
    },
    video: {
      title: info.title,
      id: info.videoId,
      ...(info.videoCreatedAt ? { created_at: info.videoCreatedAt } : {}),
      start: 0,
      end: info.durationSec,
      length: info.durationSec,
      chapters: [],
    },
  };
  let piece = `${JSON.stringify(head).slice(0, -1)},"comments":[`;
  let count = 0;
  for (const message of messages) {
    piece += `${count === 0 ? "" : ","}\n${JSON.stringify(toComment(message, info))}`;
    count += 1;
    if (count % MESSAGES_A_CHUNK === 0) {
      yield piece;
      piece = "";
    }
  }
  yield `${piece}\n],"embeddedData":null}\n`;
}
