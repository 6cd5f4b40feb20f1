// Moves WebVTT cues in time and joins them: what our own subtitle files and ffmpeg's need, no more.

const TIMING = /^((?:\d+:)?\d{2}:\d{2}\.\d{3})[ \t]+-->[ \t]+((?:\d+:)?\d{2}:\d{2}\.\d{3})(.*)$/;

const parseTime = (text: string): number =>
  text.split(":").reduce((sec, part) => sec * 60 + Number(part), 0);

/** `00:01:02.345`; times before zero are zero. */
const formatTime = (sec: number): string => {
  const ms = Math.max(0, Math.round(sec * 1000));
  const pad = (n: number, width: number): string => String(Math.floor(n)).padStart(width, "0");
  const minutes = `${pad(ms / 3_600_000, 2)}:${pad((ms / 60_000) % 60, 2)}`;
  return `${minutes}:${pad((ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
};

/** Cue blocks of a file, moved; header, notes and styles are left behind. */
const movedCues = (vtt: string, offsetSec: number): string[] =>
  vtt
    .replaceAll(/\r\n?/g, "\n")
    .split(/\n{2,}/)
    .flatMap((block) => {
      const lines = block.split("\n").filter((line) => line !== "");
      const at = lines.findIndex((line) => TIMING.test(line));
      const [, start, end, settings = ""] = TIMING.exec(lines[at] ?? "") ?? [];
      if (start === undefined || end === undefined) return [];
      const endSec = parseTime(end) + offsetSec;
      if (endSec <= 0) return [];
      const timing = `${formatTime(parseTime(start) + offsetSec)} --> ${formatTime(endSec)}`;
      return [[timing + settings, ...lines.slice(at + 1)].join("\n")];
    });

/**
 * One WebVTT file of several, each moved by its offset in seconds.
 * Cues that end before zero are dropped; cue identifiers are, too, since they would repeat.
 */
export const joinVtt = (parts: readonly { vtt: string; offsetSec: number }[]): string =>
  `${["WEBVTT", ...parts.flatMap(({ vtt, offsetSec }) => movedCues(vtt, offsetSec))].join("\n\n")}\n`;
