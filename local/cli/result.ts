// What the command line prints of a finished job: its highlights and where the files are, or the
// manifest alone.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MANIFEST, Manifest } from "#shared/contract/manifest.ts";

const clock = (sec: number): string => {
  const whole = Math.floor(sec);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
};

export const printResult = async (out: string, { json }: { json: boolean }): Promise<void> => {
  const text = await readFile(join(out, MANIFEST), "utf8");
  if (json) {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    return;
  }
  const manifest = Manifest.parse(JSON.parse(text));
  const lines = manifest.highlights.map(
    ({ rank, start_sec, end_sec, score, title, clip }) =>
      `${String(rank).padStart(3)}. ${clock(start_sec)}–${clock(end_sec)}  ${score.toFixed(1).padStart(5)}  ${title}${clip ? `  (${clip})` : ""}`,
  );
  const heading = lines.length > 0 ? "Highlights" : "No highlights stand out.";
  process.stdout.write(
    [heading, ...lines, "", `${manifest.outputs.length} files in ${out}`, ""].join("\n"),
  );
};
