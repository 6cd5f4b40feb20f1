// Cuts a text into words, signs and emoji in one pass, and hands each to a sink. Written on
// character codes because it runs on every message of a chat: no expression is matched and nothing
// is allocated but the words themselves. Time is linear in the text, whatever it holds.

/** Longer runs between spaces are no word or emote. */
const MAX_SYMBOL = 32;
const MAX_WORD = 40;
const MAX_EMOTICON = 6;

/** `camel` begins small and has a capital inside, as channels' emotes do; `capitals` has two at least. */
export type Shape = "lower" | "title" | "capitals" | "camel" | "mixed";

export interface Sink {
  /** A run between spaces, whole; true when it was taken as a sign. */
  symbol(run: string): boolean;
  /** An emoticon at the end of a run that begins with something else. */
  emoticon(text: string): boolean;
  /**
   * @param shape     where its capitals are
   * @param longestRepeat  the same letter this often in a row
   */
  word(text: string, shape: Shape, longestRepeat: number): void;
  emoji(codePoint: number): void;
  exclamation(): void;
  question(): void;
  /** A hashtag, before its word. */
  hashtag(): void;
  /** A link; the text is more likely a notice than an opinion. */
  link(): void;
  /** Something that ends a clause. */
  pause(): void;
}

const isSpace = (code: number): boolean =>
  code <= 32 ||
  code === 0x85 ||
  code === 0xa0 ||
  (code >= 0x2000 && code <= 0x200b) ||
  code === 0x2028 ||
  code === 0x2029 ||
  code === 0x3000 ||
  code === 0xfeff;

/** First half of a tag character; chat clients append one to send the same message twice. */
const TAG_SURROGATE = 0xdb40;

const skipSpace = (text: string, from: number): number => {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === TAG_SURROGATE) at += 1;
    else if (!isSpace(code)) break;
  }
  return at;
};

const isUpper = (code: number): boolean => code >= 65 && code <= 90;
const isLower = (code: number): boolean => code >= 97 && code <= 122;
const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Letters and digits of any script; punctuation, symbols and surrogates are not. */
const isWordCode = (code: number): boolean =>
  isLower(code) ||
  isUpper(code) ||
  isDigit(code) ||
  (code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7) ||
  (code >= 0x2c00 && code < 0xd800 && !(code >= 0x3000 && code <= 0x303f));

const isApostrophe = (code: number): boolean => code === 39 || code === 0x2019;
const isJoiner = (code: number): boolean => isApostrophe(code) || code === 45;

const isEmoticonStart = (code: number): boolean =>
  code === 58 || code === 59 || code === 61 || code === 60 || code === 94;

const isAddress = (text: string, start: number): boolean =>
  text.startsWith("http://", start) ||
  text.startsWith("https://", start) ||
  text.startsWith("www.", start);

const shapeOf = (upper: number, lower: number, beginsUpper: boolean): Shape => {
  if (upper === 0) return "lower";
  if (lower === 0) return upper >= 2 ? "capitals" : "mixed";
  if (!beginsUpper) return lower > 1 ? "camel" : "mixed";
  return upper === 1 ? "title" : "mixed";
};

const scanWord = (text: string, start: number, runEnd: number, sink: Sink): number => {
  let end = start;
  let upper = 0;
  let lower = 0;
  let curly = false;
  let repeat = 1;
  let longestRepeat = 1;
  let before = 0;
  for (; end < runEnd; end += 1) {
    const code = text.charCodeAt(end);
    if (!isWordCode(code)) {
      if (!isJoiner(code) || end + 1 >= runEnd || !isWordCode(text.charCodeAt(end + 1))) break;
      if (code === 0x2019) curly = true;
    } else if (isUpper(code)) upper += 1;
    else if (isLower(code)) lower += 1;
    // Setting the sixth bit folds ASCII case.
    const folded = code | 32;
    repeat = folded === before ? repeat + 1 : 1;
    if (repeat > longestRepeat) longestRepeat = repeat;
    before = folded;
  }
  if (end - start <= MAX_WORD) {
    const word = text.slice(start, end);
    sink.word(
      curly ? word.replaceAll("\u2019", "'") : word,
      shapeOf(upper, lower, isUpper(text.charCodeAt(start))),
      longestRepeat,
    );
  } else sink.pause();
  return end;
};

const scanRun = (text: string, start: number, end: number, sink: Sink): void => {
  if (end - start <= MAX_SYMBOL && sink.symbol(text.slice(start, end))) return;
  const first = text.charCodeAt(start);
  if (first === 64 && end - start > 1) return;
  if ((first === 104 || first === 119) && isAddress(text, start)) {
    sink.link();
    return;
  }
  if (first === 35) sink.hashtag();
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isWordCode(code)) {
      at = scanWord(text, at, end, sink);
      continue;
    }
    if (code >= 0x2190) {
      const point = text.codePointAt(at)!;
      sink.emoji(point);
      at += point > 0xffff ? 2 : 1;
      continue;
    }
    if (
      isEmoticonStart(code) &&
      end - at <= MAX_EMOTICON &&
      end - at > 1 &&
      at > start &&
      sink.emoticon(text.slice(at, end))
    ) {
      return;
    }
    // At the head of a run it calls a bot: "!uptime".
    if (code === 33 && at > start) sink.exclamation();
    else if (code === 63) sink.question();
    if (code === 33 || code === 63 || code === 46 || code === 44 || code === 59 || code === 58) {
      sink.pause();
    }
    at += 1;
  }
};

/** What pages escape and exports forget to turn back: `&lt;3`. */
const unescape = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Hands everything in `source` to `sink`, in order. */
export const scan = (source: string, sink: Sink): void => {
  const text = source.includes("&") ? unescape(source) : source;
  const length = text.length;
  let at = 0;
  while (at < length) {
    at = skipSpace(text, at);
    const start = at;
    while (at < length && !isSpace(text.charCodeAt(at))) at += 1;
    if (at > start) scanRun(text, start, at, sink);
  }
};
