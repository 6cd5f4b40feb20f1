// A video's notes as sections of simple HTML. Whatever generated them, they are read for what people
// would see in them: text, lists, headings, records; everything is escaped, nothing of it is markup.
import { cutText } from "#shared/contract/findings.ts";
import { isRecord } from "../plainValue.ts";
import { MAX_NAME_CHARS } from "./limits.ts";
import { shorten } from "./shorten.ts";

export interface NotesSection {
  title: string;
  /** Where in the video it belongs; missing where the notes do not say. */
  startSec?: number;
  /** Elements of HTML, in order, so that what is too long can end between two. */
  html: string[];
}

type Fields = Record<string, unknown>;

const MAX_DEPTH = 5;
/** Longer paragraphs and lists are divided, so that what is too long ends near its limit. */
const MAX_ELEMENT_BYTES = 4_096;
const UNTITLED = "Notes";

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

/** Text of one line; `**bold**` as Markdown has it. */
const inline = (text: string): string =>
  escapeHtml(text.trim()).replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>");

/** A heading within notes. */
export const heading = (text: string): string => `<h3>${inline(text)}</h3>`;
const paragraphs = (text: string): string[] =>
  cutText(text, MAX_ELEMENT_BYTES).map((part) => `<p>${inline(part)}</p>`);

/** A list, in several where it is long. */
const list = (items: readonly string[]): string[] => {
  const parts = items.flatMap((item) => cutText(item, MAX_ELEMENT_BYTES)).map(inline);
  const lists: string[][] = [];
  let room = 0;
  for (const part of parts) {
    room -= part.length;
    if (room < 0) {
      lists.push([]);
      room = MAX_ELEMENT_BYTES - part.length;
    }
    lists.at(-1)?.push(`<li>${part}</li>`);
  }
  return lists.map((one) => `<ul>${one.join("")}</ul>`);
};

const HEADING = /^#{1,6}\s+/;
const BULLET = /^(?:[-*•]|\d+[.)])\s+/;

/** A text with the headings and lists of Markdown; its other lines are paragraphs, parted by empty ones. */
const ofText = (text: string): string[] => {
  const html: string[] = [];
  let lines: string[] = [];
  let bullets: string[] = [];
  const close = () => {
    if (lines.length > 0) html.push(...paragraphs(lines.join(" ")));
    if (bullets.length > 0) html.push(...list(bullets));
    lines = [];
    bullets = [];
  };
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (BULLET.test(line)) {
      if (lines.length > 0) close();
      bullets.push(line.replace(BULLET, ""));
    } else if (line === "" || HEADING.test(line)) {
      close();
      if (line !== "") html.push(heading(line.replace(HEADING, "")));
    } else {
      if (bullets.length > 0) close();
      lines.push(line);
    }
  }
  close();
  return html;
};

/** A field's name as people write it: "key_points" is "Key points". */
const humanized = (name: string): string => {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Whether a value has anything to show. */
const isEmpty = (value: unknown): boolean => {
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value)) return value.every(isEmpty);
  if (isRecord(value)) return Object.values(value).every(isEmpty);
  return typeof value !== "number" && typeof value !== "boolean" && typeof value !== "bigint";
};

const isPlain = (value: unknown): value is string | number | boolean | bigint =>
  ["string", "number", "boolean", "bigint"].includes(typeof value);

/** Any value as elements of HTML; beyond a depth that nobody reads, nothing. */
const ofValue = (value: unknown, depth = 0): string[] => {
  if (isEmpty(value) || depth > MAX_DEPTH) return [];
  if (isPlain(value)) return ofText(String(value));
  if (Array.isArray(value)) {
    const shown: unknown[] = value.filter((one) => !isEmpty(one));
    return shown.every(isPlain)
      ? list(shown.map(String))
      : shown.flatMap((one) => ofValue(one, depth + 1));
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    if (isEmpty(one)) return [];
    if (isPlain(one) && String(one).length < 200 && !String(one).includes("\n")) {
      return [`<p><strong>${inline(humanized(name))}:</strong> ${inline(String(one))}</p>`];
    }
    return [heading(humanized(name)), ...ofValue(one, depth + 1)];
  });
};

const TITLE = ["title", "heading", "name", "topic"] as const;
const START = [
  "start_sec",
  "startSec",
  "start_time",
  "startTime",
  "start",
  "timestamp",
  "time",
] as const;
const END = ["end_sec", "endSec", "end_time", "endTime", "end"] as const;

/** Seconds: a number, or "1:02:03". */
const secondsOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== "string" || !/^\d+(?::\d{1,2}){1,2}(?:\.\d+)?$/.test(value.trim())) {
    return undefined;
  }
  return value
    .trim()
    .split(":")
    .reduce((sum, part) => sum * 60 + Number(part), 0);
};

const titleIn = (value: Fields): string | undefined =>
  TITLE.map((name) => value[name]).find(
    (title): title is string => typeof title === "string" && title.trim() !== "",
  );

const without = (value: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** The only field's value, where there is one alone: its name ("text", "content") then says nothing. */
const body = (value: Fields): unknown => {
  const filled = Object.values(value).filter((one) => !isEmpty(one));
  return filled.length === 1 ? filled[0] : value;
};

const section = (title: string | undefined, value: unknown, startSec?: number): NotesSection[] => {
  const html = ofValue(value);
  if (html.length === 0) return [];
  return [
    {
      title: shorten(title ?? UNTITLED, MAX_NAME_CHARS),
      ...(startSec === undefined ? {} : { startSec }),
      html,
    },
  ];
};

const sectionOf = (value: unknown): NotesSection[] => {
  if (!isRecord(value)) return section(undefined, value);
  const startSec = START.map((name) => secondsOf(value[name])).find((sec) => sec !== undefined);
  const title = titleIn(value);
  return section(title, body(without(value, [...TITLE, ...START, ...END])), startSec);
};

/**
 * Notes in sections: of `{sections: [{title, text, start_sec?}]}` each one, and what stands beside
 * them first; of a list of such, likewise; of anything else one.
 */
export const notesSections = (notes: unknown): NotesSection[] => {
  if (isEmpty(notes)) return [];
  if (Array.isArray(notes)) {
    return notes.every(isPlain) ? section(undefined, notes) : notes.flatMap(sectionOf);
  }
  if (!isRecord(notes)) return section(undefined, notes);
  const { sections, ...rest } = notes;
  const title = titleIn(rest);
  const intro = section(title, without(rest, TITLE));
  return Array.isArray(sections)
    ? [...intro, ...sections.flatMap(sectionOf)]
    : [...intro, ...section(undefined, sections)];
};
