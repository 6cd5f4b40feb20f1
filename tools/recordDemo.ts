// Records `npm run demo` in a real terminal (tmux) as an animated picture for the README.
// Usage: node tools/recordDemo.ts docs/demo.svg
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const COLUMNS = 84;
const ROWS = 24;
const EVERY_MS = 400;
const LAST_FRAME_SEC = 6;
const CHAR_WIDTH = 8.4;
const LINE_HEIGHT = 18;
const MARGIN = 14;
const SESSION = `klipstream-demo-${process.pid}`;

const tmux = async (...args: string[]): Promise<string> => (await run("tmux", args)).stdout;

interface Frame {
  atSec: number;
  lines: string[];
}

const record = async (): Promise<Frame[]> => {
  const size = ["-x", String(COLUMNS), "-y", String(ROWS)];
  const command = "clear; echo '$ npm run demo'; npm run -s demo; echo DONE-$?; sleep 5";
  await tmux("new-session", "-d", "-s", SESSION, ...size, command);
  const frames: Frame[] = [];
  const startMs = performance.now();
  for (;;) {
    const text = (await tmux("capture-pane", "-p", "-t", SESSION)).trimEnd();
    const ended = /^DONE-\d+$/m.test(text);
    const lines = text.split("\n").filter((line) => !line.startsWith("DONE-"));
    if (frames.at(-1)?.lines.join("\n") !== lines.join("\n"))
      frames.push({ atSec: (performance.now() - startMs) / 1000, lines });
    if (ended) break;
    await delay(EVERY_MS);
  }
  await tmux("kill-session", "-t", SESSION);
  return frames;
};

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const toSvg = (frames: Frame[]): string => {
  const width = Math.ceil(COLUMNS * CHAR_WIDTH + 2 * MARGIN);
  const height = ROWS * LINE_HEIGHT + 2 * MARGIN;
  const totalSec = (frames.at(-1)?.atSec ?? 0) + LAST_FRAME_SEC;
  const percent = (sec: number) => ((sec / totalSec) * 100).toFixed(2);
  const styles = frames.map(({ atSec }, i) => {
    const [from, to] = [percent(atSec), percent(frames[i + 1]?.atSec ?? totalSec)];
    const hiddenBefore = i === 0 ? "" : `0%,${from}%{visibility:hidden}`;
    const shown = `${from}%,${to}%{visibility:visible}`;
    const hiddenAfter = i === frames.length - 1 ? "" : `${to}%,100%{visibility:hidden}`;
    return `@keyframes f${i}{${hiddenBefore}${shown}${hiddenAfter}}.f${i}{animation:f${i} ${totalSec.toFixed(1)}s infinite step-end;visibility:hidden}`;
  });
  const groups = frames.map(({ lines }, i) => {
    const texts = lines.map(
      (line, row) =>
        `<text x="${MARGIN}" y="${MARGIN + (row + 0.8) * LINE_HEIGHT}">${escape(line)}</text>`,
    );
    return `<g class="f${i}">${texts.join("")}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="npm run demo in a terminal">
<style>text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#d6deeb;white-space:pre}${styles.join("")}</style>
<rect width="100%" height="100%" rx="8" fill="#10151f"/>
${groups.join("\n")}
</svg>
`;
};

const [out = "docs/demo.svg"] = process.argv.slice(2);
await writeFile(out, toSvg(await record()));
