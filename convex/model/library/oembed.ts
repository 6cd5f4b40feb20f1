// What a page says of its video, asked by oEmbed (oembed.com) without a key. Only addresses of our
// own list are asked (address.ts), and what they answer is a stranger's: it is bounded in time and
// size, and every field is looked at on its own.
import { isRecord } from "../plainValue.ts";
import { webAddress } from "../webAddress.ts";
import { MAX_CHANNEL_CHARS, MAX_TITLE_CHARS, isDuration } from "./fields.ts";
import { readBody } from "./responseBody.ts";

const TIMEOUT_MS = 8_000;
const MAX_BYTES = 128 * 1024;

export interface PageDescription {
  title?: string;
  channelTitle?: string;
  thumbnailUrl?: string;
  durationInSeconds?: number;
}

/**
 * @param address  the oEmbed endpoint with its question
 * @returns        null where nothing useful came back in time: the video is good without
 */
export const describePage = async (address: string): Promise<PageDescription | null> => {
  const reading = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      reading.abort();
      resolve(null);
    }, TIMEOUT_MS);
  });
  try {
    // Convex's own `fetch` knows no signal, so the clock decides here.
    const text = await Promise.race([readText(address, reading.signal), tooLate]);
    return text === null ? null : descriptionOf(JSON.parse(text));
  } catch (error) {
    // The service is away, refuses, redirects, or answers what is no JSON.
    console.warn(`No description from ${new URL(address).host}: ${String(error)}`);
    return null;
  } finally {
    clearTimeout(timer);
  }
};

/** @returns null for another status than 200, and for more than is sensible */
const readText = async (address: string, signal: AbortSignal): Promise<string | null> => {
  const response = await fetch(address, {
    headers: { accept: "application/json" },
    redirect: "error",
    signal,
  });
  if (response.status === 200) return readBody(response, MAX_BYTES, signal);
  await response.body?.cancel();
  return null;
};

/** A line of text, without what no line has, cut to a length; undefined where there is none. */
const lineOf = (value: unknown, maxChars: number): string | undefined => {
  if (typeof value !== "string") return undefined;
  const line = value.replaceAll(/\p{Cc}+/gu, " ").trim();
  // Halves of characters, of the cut or of the answer's own, are no text.
  return line.slice(0, maxChars).replaceAll(/\p{Cs}/gu, "") || undefined;
};

const descriptionOf = (answer: unknown): PageDescription | null => {
  if (!isRecord(answer)) return null;
  const { title, author_name, thumbnail_url, duration } = answer;
  const found: PageDescription = {};
  const line = lineOf(title, MAX_TITLE_CHARS);
  if (line !== undefined) found.title = line;
  const author = lineOf(author_name, MAX_CHANNEL_CHARS);
  if (author !== undefined) found.channelTitle = author;
  if (typeof thumbnail_url === "string" && webAddress(thumbnail_url)) {
    found.thumbnailUrl = thumbnail_url;
  }
  if (typeof duration === "number" && duration > 0 && isDuration(duration)) {
    found.durationInSeconds = duration;
  }
  return Object.keys(found).length === 0 ? null : found;
};
