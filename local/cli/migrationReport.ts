// What `npm run migrate` shows: a line that keeps up with the run, and the figures at its end.
import type { WriteStream } from "node:tty";
import type { MigrationProgress, MigrationResult } from "#shared/cloud/runMigration.ts";

/** Rows that are named at the end; all of them are in `--json`. */
const MAX_LISTED = 50;
/** Where nobody watches, a line this often. */
const PLAIN_EVERY_MS = 10_000;

const count = (value: number): string => value.toLocaleString("en-US");

const lineOf = ({ table, rows, ...sums }: MigrationProgress): string =>
  `${table}: ${count(rows)} rows seen; ${count(sums.scenes)} scenes, ${count(sums.sessions)} sessions, ${count(sums.references)} references, ${count(sums.errors)} errors`;

export interface ProgressLine {
  say(sentence: string): void;
  show(progress: MigrationProgress): void;
  end(): void;
}

export const createProgressLine = (stream: WriteStream): ProgressLine => {
  let shown = false;
  let lastMs = -Infinity;
  const clear = (): void => {
    if (shown) stream.write("\r\u001b[K");
    shown = false;
  };
  return {
    say: (sentence) => {
      clear();
      stream.write(`${sentence}\n`);
    },
    show: (progress) => {
      if (stream.isTTY) {
        stream.write(`\r\u001b[K${lineOf(progress).slice(0, stream.columns - 1)}`);
        shown = true;
      } else if (performance.now() - lastMs >= PLAIN_EVERY_MS) {
        lastMs = performance.now();
        stream.write(`${lineOf(progress)}\n`);
      }
    },
    end: clear,
  };
};

const table = (rows: [label: string, value: string][]): string =>
  rows.map(([label, value]) => `  ${label.padEnd(22)}${value.padStart(9)}`).join("\n");

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const listed = (title: string, lines: string[]): string[] =>
  lines.length === 0
    ? []
    : [
        "",
        title,
        ...lines.slice(0, MAX_LISTED).map((line) => `  ${line}`),
        ...(lines.length > MAX_LISTED
          ? [`  and ${count(lines.length - MAX_LISTED)} more; --json has all`]
          : []),
      ];

const HEADINGS: Record<MigrationResult["mode"], string> = {
  run: "Migrated",
  "dry-run": "A run would migrate (nothing was changed)",
  verify: "Verified (nothing was changed)",
};

const STATES: Record<MigrationResult["state"], string> = {
  completed: "",
  canceled: "; stopped before its end, the next call goes on",
  failed: "; it failed before its end, the next call goes on",
};

const verificationLines = ({ verification }: MigrationResult): string[] => {
  if (!verification) return [];
  const { rows, findings, assets, legacyRows } = verification;
  const against = (check: string) => findings.filter((one) => one.check === check).length;
  const verdict = (check: string) => {
    const found = against(check);
    return found === 0 ? "ok" : `${count(found)} wrong`;
  };
  return [
    table([
      [`${count(rows.scenes + rows.videoSessions)} rows' new fields`, verdict("fields")],
      [`${count(assets)} references`, verdict("references")],
      [`${count(rows.videoSessions)} sessions' totals`, verdict("totals")],
      [`${count(legacyRows)} legacy rows`, verdict("legacy")],
    ]),
  ];
};

export const formatResult = (result: MigrationResult): string => {
  const { mode, state, scenes, sessions, references, errors, totalTimeMs } = result;
  const figures: [string, string][] = [
    ["scenes", count(scenes)],
    ["sessions", count(sessions)],
    ["references created", count(references)],
  ];
  const lines = [
    `${HEADINGS[mode]}${STATES[state]}:`,
    ...(mode === "verify" ? verificationLines(result) : [table(figures)]),
    table([
      ["errors", count(errors.length)],
      ["time", seconds(totalTimeMs)],
    ]),
    ...(result.error === null ? [] : ["", `Failed: ${result.error}`]),
    ...listed(
      "What is wrong:",
      (result.verification?.findings ?? []).map(
        (one) => `${one.table} ${one.rowId}: ${one.message}`,
      ),
    ),
    ...listed(
      "Rows that cannot be migrated as they are; mend them and run again:",
      errors.map((one) => `${one.table} ${one.rowId}: ${one.message}`),
    ),
  ];
  return `${lines.join("\n")}\n`;
};
