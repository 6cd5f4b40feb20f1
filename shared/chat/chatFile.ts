// Reads a chat file that was given with the job: TwitchDownloader's JSON, Twitch's v5 comments
// (an object with `comments`, or the bare array), plain or gzipped. It may be hostile and may be
// as large as the limit, so it is read message by message.
import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
import { z } from "zod";
import type { ChatFragment, ChatMessage } from "../contract/chat.ts";
import { EMOTE_PROVIDERS } from "../contract/chat.ts";
import { StageError } from "../contract/errors.ts";
import type { EmoteNames } from "./emotes.ts";
import { KNOWN_EMOTES, providerOf, recogniseEmotes } from "./emotes.ts";
import { jsonParts } from "./jsonParts.ts";

const MAX_CHAT_FILE_BYTES = 256 * 1024 * 1024;
const MAX_CHAT_MESSAGES = 2_000_000;
/** A channel has some hundreds; a file of nothing else would have millions. */
const MAX_EMBEDDED_EMOTES = 20_000;
const MAX_COMMENT_BYTES = 256 * 1024;
const MAX_EMBEDDED_EMOTE_BYTES = 8 * 1024 * 1024;
const MAX_HEADER_BYTES = 1024 * 1024;
const DAY_SEC = 86_400;

const id = z
  .union([z.string().max(256), z.int()], { error: "must be a text" })
  .transform((value) => String(value));
const optionalText = z.string().max(20_000).nullish();

const CommentRow = z.object({
  _id: id.refine((value) => value !== "", "must not be empty"),
  created_at: z.string().max(64).nullish(),
  channel_id: id.nullish(),
  content_id: id.nullish(),
  content_offset_seconds: z
    .number()
    .min(-DAY_SEC)
    .max(30 * DAY_SEC),
  commenter: z.object({ _id: id, name: optionalText, display_name: optionalText }).nullish(),
  message: z.object({
    body: optionalText,
    bits_spent: z.int().min(0).nullish(),
    user_color: z.string().max(64).nullish(),
    user_badges: z.array(z.object({ _id: id, version: id })).nullish(),
    fragments: z
      .array(
        z.object({
          text: z.string().nullish(),
          emoticon: z.object({ emoticon_id: id }).nullish(),
          third_party: z.object({ id: z.string(), provider: z.enum(EMOTE_PROVIDERS) }).nullish(),
        }),
      )
      .nullish(),
    emoticons: z.array(z.object({ _id: id, begin: z.int(), end: z.int() })).nullish(),
  }),
});
type CommentRow = z.infer<typeof CommentRow>;

const VideoHeader = z.object({
  id: id.nullish(),
  title: optionalText,
  created_at: z.string().max(64).nullish(),
  length: z.number().nullish(),
});

const StreamerHeader = z.object({ name: optionalText, id: id.nullish() });

const EmbeddedEmote = z.object({ id, name: z.string().max(256), url: z.string().nullish() });

const PARTS = new Map([
  ["[]", MAX_COMMENT_BYTES],
  ["comments[]", MAX_COMMENT_BYTES],
  ["video", MAX_HEADER_BYTES],
  ["streamer", MAX_HEADER_BYTES],
  ["embeddedData.thirdParty[]", MAX_EMBEDDED_EMOTE_BYTES],
]);

export interface ChatFile {
  /** In the file's own order. */
  messages: ChatMessage[];
  /** Of what the file itself says, or else its first message. */
  video?: { id?: string; title?: string; createdAt?: string; lengthSec?: number };
  channel?: { id?: string; name?: string };
}

const invalid = (message: string, cause?: unknown): StageError =>
  new StageError("invalid_chat_file", message, { cause });

/** Ranges of emoticons count code points, and `end` is the last one inside. */
const fragmentsByRange = (
  body: string,
  emoticons: { _id: string; begin: number; end: number }[],
): ChatFragment[] => {
  const points = Array.from(body);
  const fragments: ChatFragment[] = [];
  let from = 0;
  for (const { _id, begin, end } of emoticons.toSorted((a, b) => a.begin - b.begin)) {
    if (begin < from || end < begin || end >= points.length) continue;
    if (begin > from) fragments.push({ text: points.slice(from, begin).join("") });
    const text = points.slice(begin, end + 1).join("");
    fragments.push({ text, emote: { id: _id, provider: "twitch" } });
    from = end + 1;
  }
  if (from < points.length) fragments.push({ text: points.slice(from).join("") });
  return fragments;
};

const bodyAndFragments = (row: CommentRow["message"]): Pick<ChatMessage, "body" | "fragments"> => {
  const fragments = (row.fragments ?? []).map((fragment): ChatFragment => {
    const text = fragment.text ?? "";
    if (fragment.third_party) return { text, emote: fragment.third_party };
    if (fragment.emoticon && fragment.emoticon.emoticon_id !== "")
      return { text, emote: { id: fragment.emoticon.emoticon_id, provider: "twitch" } };
    return { text };
  });
  const joined = fragments.map((fragment) => fragment.text).join("");
  const body = row.body ?? joined;
  // Fragments are the site's own cut; ranges are kept by tools that change the text around them.
  if (fragments.length > 0 && joined === body) return { body, fragments };
  return { body, fragments: fragmentsByRange(body, row.emoticons ?? []) };
};

/** .NET writes its first day where it has no time. */
const isDate = (text: string | null | undefined): text is string =>
  Boolean(text) && !text?.startsWith("0001-01-01");

const toMessage = (row: CommentRow): ChatMessage => {
  const { commenter, message } = row;
  return {
    id: row._id,
    offsetSec: row.content_offset_seconds,
    ...(isDate(row.created_at) ? { createdAt: row.created_at } : {}),
    user:
      commenter && commenter._id !== ""
        ? {
            id: commenter._id,
            login: commenter.name ?? "",
            name: commenter.display_name ?? commenter.name ?? "",
            ...(message.user_color ? { color: message.user_color } : {}),
            badges: (message.user_badges ?? []).map((badge) => ({
              id: badge._id,
              version: badge.version,
            })),
          }
        : null,
    ...bodyAndFragments(message),
    bits: message.bits_spent ?? 0,
  };
};

const parsePart = <T>(schema: z.ZodType<T>, text: string, what: string): T => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`${what} of the chat file is not JSON.`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".");
  throw invalid(
    `${what} of the chat file cannot be used: ${where ? `${where}: ` : ""}${issue?.message ?? ""}.`,
    parsed.error,
  );
};

async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxBytes)
      throw invalid(`The chat file is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB.`);
    yield chunk;
  }
}

/** The bytes as they are, or unpacked where they begin like gzip. */
async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let size = 0;
  while (size < 2) {
    const next = await iterator.next();
    if (next.done) break;
    head.push(next.value);
    size += next.value.length;
  }
  const start = Buffer.concat(head);
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield start;
      for (let next = await iterator.next(); !next.done; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    yield* all();
    return;
  }
  const source = Readable.from(all(), { objectMode: false });
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw cause instanceof StageError ? cause : invalid("The chat file is damaged gzip.", cause);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/**
 * @param chunks  the file's bytes, such as a read stream
 * @param maxBytes  limit on the file, and on what it unpacks to; for strangers', as `maxMessages`
 * @returns its messages, with emotes of Twitch and, by name, of BTTV, FFZ and 7TV
 * @throws {StageError} `invalid_chat_file`, with the message's number (from 1)
 */
export const parseChatFile = async (
  chunks: AsyncIterable<Uint8Array>,
  {
    maxBytes = MAX_CHAT_FILE_BYTES,
    maxMessages = MAX_CHAT_MESSAGES,
  }: { maxBytes?: number; maxMessages?: number } = {},
): Promise<ChatFile> => {
  const messages: ChatMessage[] = [];
  const embedded = new Map<string, { id: string; provider: (typeof EMOTE_PROVIDERS)[number] }>();
  const arrays = new Set<string>();
  let video: ChatFile["video"];
  let channel: ChatFile["channel"];
  let first: CommentRow | undefined;
  for await (const part of jsonParts(
    bounded(unpacked(bounded(chunks, maxBytes)), maxBytes),
    PARTS,
    (path) => arrays.add(path),
  )) {
    if (part.path === "video") {
      const header = parsePart(VideoHeader.nullable(), part.text, "The field video");
      video = {
        ...(header?.id ? { id: header.id } : {}),
        ...(header?.title ? { title: header.title } : {}),
        ...(isDate(header?.created_at) ? { createdAt: header.created_at } : {}),
        ...(header?.length && header.length > 0 ? { lengthSec: header.length } : {}),
      };
    } else if (part.path === "streamer") {
      const header = parsePart(StreamerHeader.nullable(), part.text, "The field streamer");
      channel = {
        ...(header?.id && header.id !== "0" ? { id: header.id } : {}),
        ...(header?.name ? { name: header.name } : {}),
      };
    } else if (part.path === "embeddedData.thirdParty[]") {
      if (embedded.size >= MAX_EMBEDDED_EMOTES)
        throw invalid(`The chat file embeds more than ${MAX_EMBEDDED_EMOTES} emotes.`);
      const emote = parsePart(EmbeddedEmote, part.text, `Embedded emote ${part.index + 1}`);
      embedded.set(emote.name, { id: emote.id, provider: providerOf(emote.id, emote.url ?? "") });
    } else {
      if (messages.length >= maxMessages)
        throw invalid(`The chat file has more than ${maxMessages} messages.`);
      const row = parsePart(CommentRow, part.text, `Message ${part.index + 1}`);
      first ??= row;
      messages.push(toMessage(row));
    }
  }
  if (!arrays.has("comments[]") && !arrays.has("[]"))
    throw invalid("The chat file has no list of comments, as TwitchDownloader's JSON has it.");
  if (first?.content_id) video = { id: first.content_id, ...video };
  if (first?.channel_id) channel = { id: first.channel_id, ...channel };
  const names: EmoteNames = new Map([...KNOWN_EMOTES, ...embedded]);
  return {
    messages: messages.map((message) => recogniseEmotes(message, names)),
    ...(video ? { video } : {}),
    ...(channel ? { channel } : {}),
  };
};
