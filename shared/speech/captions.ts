// Reads subtitle files that people have: WebVTT and SubRip, with markup, positions, karaoke times
// and the rolling lines of YouTube's automatic captions, where each line is shown two or three
// times. Lenient about what players are lenient about; a time that cannot be read is an error.
import { StageError } from "../contract/errors.ts";
import type { Word } from "../contract/transcript.ts";
import { splitWords, spreadWords } from "./text.ts";

export interface Cue {
  startSec: number;
  endSec: number;
  /** Plain text, in pieces where the file gives times inside the cue; else one piece. */
  pieces: { text: string; startSec: number }[];
}

/** A displayed line; its pieces have a time where the file gives one. */
type Line = { text: string; startSec?: number }[];
interface RawCue {
  startSec: number;
  endSec: number;
  lines: Line[];
}

export const MAX_CAPTION_BYTES = 32 * 1024 * 1024;
const MAX_CUES = 200_000;
const MAX_CUE_CHARS = 20_000;
/** Cues closer than this follow on from each other. */
const TOUCHING_SEC = 0.15;

const bad = (line: number, problem: string): StageError =>
  new StageError("invalid_captions", `Line ${line} of the subtitle file: ${problem}.`);

/** UTF-8 or UTF-16 by its mark; without one UTF-8, and Windows-1252 where it cannot be that. */
const decode = (bytes: Uint8Array): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return new TextDecoder("windows-1252").decode(bytes);
  }
};

const TIME = String.raw`(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?`;
const TIMING = new RegExp(`^\\s*${TIME}\\s*-->\\s*${TIME}(?:\\s.*)?$`);
const INNER_TIME = new RegExp(`^<${TIME}>$`);

const seconds = (parts: (string | undefined)[]): number => {
  const [hours = "0", minutes = "0", secs = "0", fraction = "0"] = parts;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(`${secs}.${fraction}`);
};

const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  lrm: "",
  rlm: "",
};

const unescape = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,5}));/gi, (whole, dec, hex, name) => {
    if (name) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const point = dec ? Number(dec) : Number.parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

const VTT_MARKUP = /(<\/?[a-z][^<>]*>|<[\d:.,]+>|<\/>)/i;
const SRT_MARKUP = /(<\/?[a-z][^<>]*>|<[\d:.,]+>|\{\\[^{}]*\})/i;

/** A line without its markup, cut where it has times. */
const parseLine = (line: string, markup: RegExp): Line => {
  const pieces: Line = [{ text: "" }];
  for (const [index, token] of line.split(markup).entries()) {
    const last = pieces.at(-1) as Line[number];
    const time = index % 2 === 1 ? INNER_TIME.exec(token) : null;
    if (time) pieces.push({ text: "", startSec: seconds(time.slice(1)) });
    else if (index % 2 === 0) last.text += unescape(token);
  }
  return pieces.filter(({ text }) => text.trim() !== "");
};

const plain = (line: Line): string =>
  line
    .map(({ text }) => text)
    .join("")
    .replace(/\s+/g, " ")
    .trim();

const parseCues = (text: string): RawCue[] => {
  const lines = text.split(/\r\n|\r|\n/);
  const vtt = /^WEBVTT([ \t]|$)/.test(lines[0] ?? "");
  const cues: RawCue[] = [];
  let open: RawCue | undefined;
  let chars = 0;
  let skipping = vtt; // the header
  for (const [index, line] of lines.entries()) {
    if (vtt && open === undefined && /^(NOTE|STYLE|REGION)([ \t]|$)/.test(line)) {
      skipping = true;
    } else if (line.includes("-->") && (!skipping || TIMING.test(line))) {
      const timing = TIMING.exec(line);
      if (!timing) throw bad(index + 1, "its times cannot be read");
      const startSec = seconds(timing.slice(1, 5));
      const endSec = seconds(timing.slice(5, 9));
      if (endSec < startSec) throw bad(index + 1, "it ends before it starts");
      if (cues.length >= MAX_CUES) throw bad(index + 1, `there are more than ${MAX_CUES} cues`);
      open = { startSec, endSec, lines: [] };
      cues.push(open);
      chars = 0;
      skipping = false;
    } else if (vtt && line === "") {
      open = undefined;
      skipping = false;
    } else if (line.trim() === "") {
      continue; // SubRip texts have blank lines in them
    } else if (open !== undefined && !skipping) {
      chars += line.length;
      if (chars > MAX_CUE_CHARS) throw bad(index + 1, "a cue does not end");
      // A number right above a time belongs to the next cue, also without a blank line before it.
      const number = /^\s*\d+\s*$/.test(line) && (lines[index + 1]?.includes("-->") ?? false);
      if (!number) open.lines.push(parseLine(line, vtt ? VTT_MARKUP : SRT_MARKUP));
    } else if (!vtt && cues.length === 0 && !/^\s*\d+\s*$/.test(line)) {
      throw bad(index + 1, "this is neither WebVTT nor SubRip");
    }
  }
  if (cues.length === 0) throw bad(lines.length, "there is no subtitle in it");
  return cues;
};

/** How many first lines of `next` are the last lines of `previous` shown again. */
const repeatedLines = (previous: RawCue, next: RawCue): number => {
  if (next.startSec - previous.endSec > TOUCHING_SEC) return 0;
  const before = previous.lines.map(plain);
  const after = next.lines.map(plain);
  for (let count = Math.min(before.length, after.length); count > 0; count -= 1)
    if (before.slice(-count).every((line, index) => line === after[index])) return count;
  return 0;
};

/** Drops lines that roll up the screen, where the file as a whole is made that way. */
const unroll = (cues: RawCue[]): RawCue[] => {
  const repeats = cues.map((cue, index) =>
    index === 0 ? 0 : repeatedLines(cues[index - 1] as RawCue, cue),
  );
  const rolling = repeats.filter((count) => count > 0).length;
  // People do say the same thing twice; only captions that roll do so nearly always.
  if (rolling < 2 || rolling < 0.6 * (cues.length - 1)) return cues;
  return cues.map((cue, index) => ({ ...cue, lines: cue.lines.slice(repeats[index]) }));
};

/**
 * @param bytes  a WebVTT or SubRip file
 * @returns its cues by time, without markup and without lines shown again
 * @throws {StageError} `invalid_captions`, naming the line
 */
export const parseCaptions = (bytes: Uint8Array): Cue[] => {
  if (bytes.length === 0) throw new StageError("invalid_captions", "The subtitle file is empty.");
  if (bytes.length > MAX_CAPTION_BYTES)
    throw new StageError("invalid_captions", "The subtitle file is larger than 32 MiB.");
  const ordered = parseCues(decode(bytes))
    .map((cue) => ({ ...cue, lines: cue.lines.filter((line) => line.length > 0) }))
    .sort((a, b) => a.startSec - b.startSec || a.endSec - b.endSec);
  return unroll(ordered)
    .map(({ startSec, endSec, lines }) => ({
      startSec,
      endSec,
      pieces: piecesOf(lines, startSec, endSec),
    }))
    .filter(({ pieces }) => pieces.length > 0);
};

/** Joins pieces that have no time of their own to the one before. */
const piecesOf = (lines: Line[], startSec: number, endSec: number): Cue["pieces"] => {
  const pieces: Cue["pieces"] = [];
  for (const line of lines)
    for (const [index, piece] of line.entries()) {
      const last = pieces.at(-1);
      const at = Math.min(Math.max(piece.startSec ?? startSec, last?.startSec ?? startSec), endSec);
      if (last !== undefined && piece.startSec === undefined)
        last.text += `${index === 0 ? " " : ""}${piece.text}`;
      else pieces.push({ text: piece.text, startSec: at });
    }
  return pieces.map(({ text, startSec: at }) => ({
    text: text.replace(/\s+/g, " "),
    startSec: at,
  }));
};

/**
 * The words of cues. A word has the time that the file gives it; where a cue has a time only as a
 * whole, its words share it by their length.
 */
export const cuesToWords = (cues: readonly Cue[]): Word[] => {
  const words = cues.flatMap(({ endSec, pieces }) =>
    pieces.flatMap(({ text, startSec }, index) =>
      spreadWords(splitWords(text), startSec, pieces[index + 1]?.startSec ?? endSec),
    ),
  );
  return words.sort((a, b) => a.startSec - b.startSec);
};
