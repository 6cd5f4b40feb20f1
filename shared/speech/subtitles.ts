// Subtitles from words, as WebVTT and SubRip: at most two lines of 42 characters, each cue shown
// for 1 to 7 seconds, one at a time.
import type { Word } from "../contract/transcript.ts";
import { sentenceEnds } from "./segments.ts";
import { joinWords, spreadWords } from "./text.ts";

export interface SubtitleCue {
  startSec: number;
  endSec: number;
  lines: string[];
}

const MAX_LINE_CHARS = 42;
const MIN_CUE_SEC = 1;
const MAX_CUE_SEC = 7;
const PAUSE_SEC = 0.7;

/** The words as at most two lines, as even as they come; null where they do not fit. */
const layOut = (words: readonly Word[]): string[] | null => {
  const texts = words.map(({ text }) => text);
  const whole = joinWords(texts);
  if (whole.length <= MAX_LINE_CHARS) return [whole];
  if (whole.length > MAX_LINE_CHARS * 2 + 1) return null;
  let best: { lines: string[]; longest: number } | undefined;
  for (let at = 1; at < texts.length; at += 1) {
    const lines = [joinWords(texts.slice(0, at)), joinWords(texts.slice(at))];
    const longest = Math.max(...lines.map((line) => line.length));
    if (longest <= MAX_LINE_CHARS && longest <= (best?.longest ?? MAX_LINE_CHARS))
      best = { lines, longest };
  }
  return best?.lines ?? null;
};

/** Words without white space inside, none longer than a line, each starting where it must. */
const prepared = (words: readonly Word[]): Word[] => {
  let lastSec = 0;
  return words.flatMap((word) => {
    const text = word.text.replace(/[\s\p{Cc}]+/gu, " ").trim();
    if (text === "") return [];
    lastSec = Math.max(lastSec, word.startSec);
    const endSec = Math.max(lastSec, word.endSec);
    if (text.length <= MAX_LINE_CHARS) return [{ text, startSec: lastSec, endSec }];
    const parts = text.match(/.{1,41}/gu) ?? [];
    return spreadWords(parts, lastSec, endSec);
  });
};

const groupWords = (words: readonly Word[], language: string | undefined): Word[][] => {
  const ends = sentenceEnds(words, language);
  const groups: Word[][] = [];
  let group: Word[] = [];
  for (const [index, word] of words.entries()) {
    const previous = words[index - 1];
    const startSec = group[0]?.startSec ?? word.startSec;
    const shownSec = word.startSec - startSec;
    const fits =
      layOut([...group, word]) !== null &&
      Math.max(word.endSec - startSec, shownSec) <= MAX_CUE_SEC;
    const pause = previous !== undefined && word.startSec - previous.endSec >= PAUSE_SEC;
    const breathes = shownSec >= MIN_CUE_SEC && (pause || ends[index - 1] === true);
    if (group.length > 0 && (!fits || breathes)) {
      groups.push(group);
      group = [];
    }
    group.push(word);
  }
  if (group.length > 0) groups.push(group);
  return groups;
};

/**
 * Cues in order, none overlapping the next. Where speech is too dense for a cue to be shown for a
 * second, the ones after it come a little late and catch up at the next pause.
 */
export const wordsToCues = (words: readonly Word[], language?: string): SubtitleCue[] => {
  const groups = groupWords(prepared(words), language);
  let freeSec = 0;
  return groups.map((group, index) => {
    const startSec = Math.max((group[0] as Word).startSec, freeSec);
    const spokenTo = Math.max(...group.map((word) => word.endSec));
    const nextSec = groups[index + 1]?.[0]?.startSec ?? Infinity;
    const soonestSec = startSec + MIN_CUE_SEC;
    const endSec = Math.min(
      Math.max(spokenTo, soonestSec),
      startSec + MAX_CUE_SEC,
      Math.max(nextSec, soonestSec),
    );
    freeSec = endSec;
    return { startSec, endSec, lines: layOut(group) ?? [joinWords(group.map(({ text }) => text))] };
  });
};

const timestamp = (sec: number, point: "." | ","): string => {
  const ms = Math.round(sec * 1000);
  const pad = (value: number, digits = 2): string => String(value).padStart(digits, "0");
  const hours = Math.floor(ms / 3_600_000);
  return `${pad(hours)}:${pad(Math.floor(ms / 60_000) % 60)}:${pad(Math.floor(ms / 1000) % 60)}${point}${pad(ms % 1000, 3)}`;
};

const escapeVtt = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// SubRip has no escapes: players take `<b>` and `{\an8}` for markup and `-->` for a time.
const escapeSrt = (text: string): string =>
  text.replaceAll("<", "‹").replaceAll(">", "›").replaceAll("{\\", "(\\");

export const toVtt = (cues: readonly SubtitleCue[]): string =>
  `WEBVTT\n${cues
    .map(
      ({ startSec, endSec, lines }) =>
        `\n${timestamp(startSec, ".")} --> ${timestamp(endSec, ".")}\n${lines.map(escapeVtt).join("\n")}\n`,
    )
    .join("")}`;

export const toSrt = (cues: readonly SubtitleCue[]): string =>
  cues
    .map(
      ({ startSec, endSec, lines }, index) =>
        `${index + 1}\n${timestamp(startSec, ",")} --> ${timestamp(endSec, ",")}\n${lines.map(escapeSrt).join("\n")}\n`,
    )
    .join("\n");

/** The words of [startSec, endSec), by their middle, with times from the stretch's start. */
const sliceWords = (words: readonly Word[], startSec: number, endSec: number): Word[] =>
  words
    .filter((word) => {
      const middleSec = (word.startSec + word.endSec) / 2;
      return middleSec >= startSec && middleSec < endSec;
    })
    .map((word) => ({
      ...word,
      startSec: Math.max(0, word.startSec - startSec),
      endSec: Math.min(endSec, word.endSec) - startSec,
    }));

/** Subtitles of a clip: WebVTT of what is said from `startSec` to `endSec`, from zero. */
export const sliceVtt = (
  words: readonly Word[],
  startSec: number,
  endSec: number,
  language?: string,
): string => {
  const lengthSec = endSec - startSec;
  const cues = wordsToCues(sliceWords(words, startSec, endSec), language);
  return toVtt(
    cues
      .filter((cue) => cue.startSec < lengthSec)
      .map((cue) => ({ ...cue, endSec: Math.min(cue.endSec, lengthSec) })),
  );
};
