// An edit decision list in CMX 3600's form, which nearly every editing program imports: one cut per
// highlight, one after another on the record side.
import type { Highlight } from "../contract/analysis.ts";
import { cutsOf, type EditListInfo, mediaName } from "./editList.ts";

/** Reel "AX" is the usual one for sources that are files and not tapes. */
const REEL = "AX".padEnd(8);
/** Where the record side begins by custom: one hour. */
const RECORD_HOURS = 1;
const MAX_COMMENT = 200;

/**
 * Non-drop timecode: frames are only counted, so that a rate such as 29.97 stays exact and each
 * second of the clock holds the next whole number of frames.
 */
const timecode = (frames: number, rate: number): string => {
  const part = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  const sec = Math.floor(frames / rate);
  return [part(sec / 3600), part((sec / 60) % 60), part(sec % 60), part(frames % rate)].join(":");
};

/** One line of plain ASCII: importers know no other. */
const ascii = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/[“”]/gu, '"')
    .replace(/[‘’]/gu, "'")
    .replace(/…/gu, "...")
    .replace(/\s+/gu, " ")
    .replace(/[^\u0020-\u007e]/gu, "")
    .trim()
    .slice(0, MAX_COMMENT);

/** @returns the text of `highlights.edl`, in the order of the video, lines ended by CR LF */
export const toEdl = (highlights: readonly Highlight[], info: EditListInfo): string => {
  const rate = Math.max(1, Math.round(info.fps));
  const lines = [`TITLE: ${ascii(info.title).slice(0, 70) || "Highlights"}`, "FCM: NON-DROP FRAME"];
  let record = RECORD_HOURS * 3600 * rate;
  for (const [i, { highlight, startFrame, frames }] of cutsOf(highlights, info).entries()) {
    const times = [startFrame, startFrame + frames, record, record + frames];
    const number = String(i + 1).padStart(3, "0");
    lines.push(
      "",
      `${number}  ${REEL} AA/V  C        ${times.map((at) => timecode(at, rate)).join(" ")}`,
      `* FROM CLIP NAME: ${ascii(mediaName(info.mediaUrl)) || "SOURCE"}`,
      `* COMMENT: ${highlight.rank}. ${ascii(highlight.title)}`,
    );
    record += frames;
  }
  return `${lines.join("\r\n")}\r\n`;
};
