// Readers of our outputs that are not ours: ffprobe and every ffmpeg at hand, the WebVTT parser of the
// standard's authors, and SubRip read strictly.
import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Programs on the path by a pattern of their names. */
const programs = (name: RegExp): string[] =>
  [...new Set((process.env["PATH"] ?? "").split(delimiter))].flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((file) => name.test(file))
        .map((file) => join(folder, file))
        .filter(isExecutable);
    } catch {
      return []; // a folder of the path that is not there
    }
  });

export const ffprobePath: string | undefined = programs(/^ffprobe$/)[0];

/** The one we use, and any other there is. */
export const ffmpegPaths = async (): Promise<string[]> => [
  (await findFfmpeg()).path,
  ...programs(/^ffmpeg(-[a-z]+)?$/),
];

const Probe = z.object({
  format: z.object({ duration: z.coerce.number() }),
  streams: z.array(
    z.object({
      codec_type: z.string(),
      codec_name: z.string(),
      start_time: z.coerce.number().optional(),
      duration: z.coerce.number().optional(),
      width: z.int().optional(),
      height: z.int().optional(),
    }),
  ),
});

/** @throws what ffprobe has to say of the file, even where it is a warning */
export const probe = async (path: string): Promise<z.infer<typeof Probe>> => {
  const show = ["-show_entries", "format=duration:stream", "-of", "json", path];
  const { stdout, stderr } = await run(ffprobePath ?? "ffprobe", ["-v", "warning", ...show]);
  if (stderr) throw new Error(stderr);
  return Probe.parse(JSON.parse(stdout));
};

/** What an ffmpeg complains of while it decodes everything in a file. */
export const complaints = async (ffmpeg: string, path: string): Promise<string> => {
  const args = ["-nostdin", "-v", "error", "-xerror", "-i", path, "-f", "null", "-"];
  return (await run(ffmpeg, args)).stderr;
};

/** What an ffmpeg writes to standard output. */
export const decoded = async (ffmpeg: string, args: string[]): Promise<Buffer> => {
  const options = { encoding: "buffer", maxBuffer: MAX_OUTPUT_BYTES } as const;
  return (await run(ffmpeg, ["-nostdin", "-v", "error", ...args, "-"], options)).stdout;
};

export interface Cue {
  startSec: number;
  endSec: number;
  text: string;
}

const { WebVTTParser } = createRequire(import.meta.url)("webvtt-parser") as {
  WebVTTParser: new () => {
    parse(
      text: string,
      mode: string,
    ): {
      cues: { startTime: number; endTime: number; text: string }[];
      errors: { line: number; message: string }[];
    };
  };
};

/** @throws with every error that the parser names */
export const parseVtt = (text: string): Cue[] => {
  const { cues, errors } = new WebVTTParser().parse(text, "subtitles/captions/descriptions");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return cues.map((cue) => ({ startSec: cue.startTime, endSec: cue.endTime, text: cue.text }));
};

const SRT_TIME = /^(\d\d):([0-5]\d):([0-5]\d),(\d{3}) --> (\d\d):([0-5]\d):([0-5]\d),(\d{3})$/;

/** @throws where a cue is not its number, its times and its text, with a blank line after it */
export const parseSrt = (text: string): Cue[] => {
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error("The last line has no end.");
  return text
    .replace(/\n+$/, "")
    .split("\n\n")
    .map((block, i) => {
      const [number, times = "", ...lines] = block.split("\n");
      const match = SRT_TIME.exec(times);
      if (number !== String(i + 1) || !match || lines.length === 0 || lines.includes(""))
        throw new Error(`Cue ${i + 1} is damaged: ${block}`);
      const [h1, m1, s1, ms1, h2, m2, s2, ms2] = match.slice(1).map(Number) as [
        ...[number, number, number, number],
        ...[number, number, number, number],
      ];
      return {
        startSec: h1 * 3600 + m1 * 60 + s1 + ms1 / 1000,
        endSec: h2 * 3600 + m2 * 60 + s2 + ms2 / 1000,
        text: lines.join("\n"),
      };
    });
};
