// What people may write into a video of the library, and how large it may be: a row must stay below
// Convex's 1 MiB, with room for what the analysis writes.
import { type ObjectType, type Value, getConvexSize, v } from "convex/values";
import { refuse } from "../access.ts";
import { webAddress } from "../webAddress.ts";
import { unkeepable } from "./keepable.ts";

export const MAX_TITLE_CHARS = 500;
export const MAX_CHANNEL_CHARS = 200;
/** About ten hours of speech. */
export const MAX_TRANSCRIPT_BYTES = 512 * 1024;
/** Of the notes, and of the quiz. */
export const MAX_STUDY_BYTES = 128 * 1024;
const MAX_DURATION_SEC = 30 * 24 * 3600;
/** The last moment a `Date` can say. */
const MAX_TIME_MS = 8.64e15;

/** What people may write of a video that is there; null takes a field off. */
export const givenFields = {
  title: v.optional(v.string()),
  channelTitle: v.optional(v.nullable(v.string())),
  /** Web address; http or https. */
  thumbnailUrl: v.optional(v.nullable(v.string())),
  durationInSeconds: v.optional(v.nullable(v.number())),
  /** Milliseconds since 1970. */
  publishedAt: v.optional(v.nullable(v.number())),
  transcript: v.optional(v.nullable(v.string())),
  notes: v.optional(v.any()),
  quiz: v.optional(v.any()),
};
export type GivenFields = ObjectType<typeof givenFields>;

/** What a new one is made of. */
export const newVideoFields = {
  ...givenFields,
  title: v.string(),
  /** Web address; http or https. */
  url: v.string(),
  youtubeVideoId: v.optional(v.string()),
};
export type NewVideo = ObjectType<typeof newVideoFields>;

const invalid = (message: string) => refuse("invalid_request", message);

const refuseLong = (name: string, text: string, maxChars: number): void => {
  if (text.length > maxChars) throw invalid(`${name} has at most ${maxChars} characters.`);
};

const refuseLarge = (name: string, value: unknown, maxBytes: number): void => {
  if (getConvexSize(value as Value) > maxBytes) {
    throw invalid(`${name} has at most ${maxBytes / 1024} KiB.`);
  }
};

/** Notes and quiz are what people or endpoints make up. */
const refuseUnkept = (name: string, value: unknown): void => {
  const problem = unkeepable(value);
  if (problem) throw invalid(`${name} ${problem}.`);
  refuseLarge(name, value, MAX_STUDY_BYTES);
};

export const isDuration = (sec: number): boolean => sec >= 0 && sec <= MAX_DURATION_SEC;

const CHECKS: { [Name in keyof GivenFields]-?: (value: NonNullable<GivenFields[Name]>) => void } = {
  title: (title) => {
    if (title.trim() === "") throw invalid("A video needs a title.");
    refuseLong("title", title, MAX_TITLE_CHARS);
  },
  channelTitle: (name) => refuseLong("channelTitle", name, MAX_CHANNEL_CHARS),
  thumbnailUrl: (url) => {
    if (!webAddress(url)) throw invalid("thumbnailUrl must be an http or https address.");
  },
  durationInSeconds: (sec) => {
    if (!isDuration(sec)) throw invalid(`durationInSeconds must be from 0 to ${MAX_DURATION_SEC}.`);
  },
  publishedAt: (at) => {
    if (!(Math.abs(at) <= MAX_TIME_MS)) throw invalid("publishedAt is in milliseconds since 1970.");
  },
  transcript: (text) => refuseLarge("transcript", text, MAX_TRANSCRIPT_BYTES),
  notes: (notes) => refuseUnkept("notes", notes),
  quiz: (quiz) => refuseUnkept("quiz", quiz),
};

/** What was given, with undefined for null. */
type Checked<Given> = {
  [Name in keyof Given]: null extends Given[Name]
    ? Exclude<Given[Name], null> | undefined
    : Given[Name];
};

/**
 * The fields to write: those that were given, null as undefined.
 * @throws {ConvexError} `invalid_request` for the first that is not valid
 */
export const checkedFields = <Given extends GivenFields>(given: Given): Checked<Given> => {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const check = CHECKS[name as keyof GivenFields] as (value: unknown) => void;
    if (value !== null) check(value);
    fields[name] = value === null ? undefined : name === "title" ? String(value).trim() : value;
  }
  return fields as Checked<Given>;
};
