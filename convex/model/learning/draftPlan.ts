// What one video gives a course: chapters with their items, within what room there is. Pure, so that
// the step which writes it (draft.ts) has nothing to decide.
//
// The video's topics are the chapters. Each has a video item of its part, its highlights where they are
// a smaller part of it, and the notes that belong there; the quiz ends the last one.
import { getConvexSize } from "convex/values";
import type { Outline } from "#shared/contract/findings.ts";
import { isBlank } from "../plainValue.ts";
import { type NotesSection, heading, notesSections } from "./draftNotes.ts";
import { MAX_ITEM_BYTES, MAX_NAME_CHARS } from "./limits.ts";
import { normalizeQuiz } from "./normalizeQuiz.ts";
import type { Quiz } from "./quiz.ts";
import { shorten } from "./shorten.ts";

/** Part of a video; without times, all of it. */
export interface Part {
  startSec?: number;
  endSec?: number;
}
export interface PlannedItem {
  title: string;
  /** What it was made from, and cites. */
  part: Part;
  content:
    | { type: "video" }
    | { type: "text"; textContent: string }
    | { type: "quiz"; quizData: Quiz };
}
export interface PlannedChapter {
  name: string;
  items: PlannedItem[];
}
export interface Source {
  title: string;
  durationSec?: number | undefined;
  outline: Outline | null;
  notes: unknown;
  quiz: unknown;
}
/** How much of a course this video may fill. */
export interface Room {
  chapters: number;
  /** At least two for each chapter and one more. */
  items: number;
  bytes: number;
}
export interface Plan {
  chapters: PlannedChapter[];
  /** What is left out or put together, and why: a sentence each. */
  warnings: string[];
}

type Topic = Outline["chapters"][number];
interface Place {
  topic: Topic | null;
  chapter: PlannedChapter;
}

/** A highlight that is more of its chapter is the chapter. */
const MAX_HIGHLIGHT_SHARE = 0.5;
/** With its highlights, of which an outline has 100, a chapter stays below what one may have. */
const MAX_SECTIONS = 90;
export const MAX_WARNING_CHARS = 400;

const partOf = ({ startSec, endSec }: Part): Part => ({
  ...(startSec === undefined ? {} : { startSec }),
  ...(endSec === undefined ? {} : { endSec }),
});
const lengthOf = ({ startSec, endSec }: Required<Part>): number => endSec - startSec;

/** "1:02:03" */
const clock = (sec: number): string => {
  const whole = Math.floor(sec);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const seconds = String(whole % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
};

/** Parts that are in the video and have a length, by time. */
const within = <T extends Required<Part>>(
  parts: readonly T[],
  durationSec = Number.MAX_VALUE,
): T[] =>
  parts
    .map((part) => ({ ...part, endSec: Math.min(part.endSec, durationSec) }))
    .filter((part) => lengthOf(part) > 0)
    .sort((a, b) => a.startSec - b.startSec);

/** Puts the two neighbours together that are shortest together, until so many are left. */
const mergeTopics = (topics: readonly Topic[], max: number): Topic[] => {
  const merged = [...topics];
  const together = (index: number) => {
    const [first, second] = [merged[index], merged[index + 1]];
    return first && second ? lengthOf(first) + lengthOf(second) : Number.POSITIVE_INFINITY;
  };
  while (merged.length > Math.max(1, max)) {
    let best = 0;
    for (let index = 1; index < merged.length - 1; index += 1) {
      if (together(index) < together(best)) best = index;
    }
    const [first, second] = merged.slice(best, best + 2) as [Topic, Topic];
    const endSec = Math.max(first.endSec, second.endSec);
    merged.splice(best, 2, { ...first, endSec });
  }
  return merged;
};

/** The chapter that a moment falls in; between two, the one before. */
const placeAt = (places: readonly Place[], sec: number | undefined): Place | undefined =>
  (sec === undefined
    ? undefined
    : places.findLast(({ topic }) => topic !== null && topic.startSec <= sec)) ?? places[0];

const bytesOf = (item: PlannedItem): number => {
  if (item.content.type === "text") return getConvexSize(item.content.textContent);
  return item.content.type === "quiz" ? getConvexSize(item.content.quizData) : 0;
};

/** A section's text item, with as many of its elements as there is room for. */
const textItem = (
  { title, html }: NotesSection,
  part: Part,
  maxBytes: number,
): { item: PlannedItem | undefined; isCut: boolean } => {
  const kept: string[] = [];
  let bytes = 0;
  for (const element of html) {
    bytes += getConvexSize(element);
    if (bytes > Math.min(maxBytes, MAX_ITEM_BYTES)) break;
    kept.push(element);
  }
  const content = { type: "text" as const, textContent: kept.join("") };
  return {
    item: kept.length > 0 ? { title, part: partOf(part), content } : undefined,
    isCut: kept.length < html.length,
  };
};

/** Sections of one chapter as one. */
const joined = (sections: readonly NotesSection[]): NotesSection | undefined => {
  const [first, ...rest] = sections;
  if (!first || rest.length === 0) return first;
  const { startSec } = first;
  return {
    title: "Notes",
    ...(startSec === undefined ? {} : { startSec }),
    html: sections.flatMap(({ title, html }) => [heading(title), ...html]),
  };
};

/** Where each section goes, by chapter; together where there are more than there is room for. */
const placeSections = (
  sections: readonly NotesSection[],
  places: readonly Place[],
  room: number,
): { place: Place; sections: NotesSection[] }[] => {
  const byTime = sections.toSorted((a, b) => (a.startSec ?? -1) - (b.startSec ?? -1));
  const found = Map.groupBy(byTime, ({ startSec }) => placeAt(places, startSec));
  const byPlace = places.map((place) => ({ place, sections: found.get(place) ?? [] }));
  if (sections.length <= Math.min(room, MAX_SECTIONS)) return byPlace;
  return byPlace.map(({ place, sections: own }) => {
    const one = joined(own);
    return { place, sections: one ? [one] : [] };
  });
};

/** What a section is about: from its start to the next one's, or to the chapter's end. */
const sectionPart = (section: NotesSection, next: NotesSection | undefined, place: Place): Part => {
  const { startSec } = section;
  if (startSec === undefined || place.topic === null) return {};
  const endSec = next?.startSec ?? Math.max(place.topic.endSec, startSec);
  return endSec > startSec ? { startSec, endSec } : partOf(place.topic);
};

/** The video's chapters, each with the video item of its part. */
const openChapters = (source: Source, topics: readonly Topic[]): Place[] => {
  const name = shorten(source.title, MAX_NAME_CHARS) || "Video";
  const whole = { title: name, part: {}, content: { type: "video" as const } };
  if (topics.length === 0) return [{ topic: null, chapter: { name, items: [whole] } }];
  return topics.map((topic, index) => {
    const title = shorten(topic.title, MAX_NAME_CHARS) || `Part ${index + 1}`;
    const items = [{ ...whole, title, part: partOf(topic) }];
    return { topic, chapter: { name: title, items } };
  });
};

/** The chapter and other highlights of it may say the same. */
const highlightTitle = (
  { title = "", startSec }: Outline["highlights"][number],
  { items }: PlannedChapter,
): string => {
  const timed = `Highlight at ${clock(startSec)}`;
  if (title.trim() === "") return timed;
  const named = shorten(`Highlight: ${title}`, MAX_NAME_CHARS);
  const isTaken = items.some((item) => item.title === named);
  return isTaken ? shorten(`${timed}: ${title}`, MAX_NAME_CHARS) : named;
};

/** What of a video goes into a course. */
export const planVideo = (source: Source, room: Room): Plan => {
  const warnings: string[] = [];
  const warn = (sentence: string) =>
    warnings.push(shorten(`${source.title}: ${sentence}`, MAX_WARNING_CHARS));
  const topics = within(source.outline?.chapters ?? [], source.durationSec);
  const kept = mergeTopics(topics, room.chapters);
  if (kept.length < topics.length) {
    warn(`${topics.length} chapters were put together to ${kept.length}.`);
  }
  const places = openChapters(source, kept);
  let items = room.items - places.length;
  let { bytes } = room;

  const { quiz, problems } = isBlank(source.quiz)
    ? { quiz: undefined, problems: [] }
    : normalizeQuiz(source.quiz);
  const quizItem: PlannedItem | undefined = quiz && {
    title: shorten(quiz.title ?? "Quiz", MAX_NAME_CHARS),
    part: {},
    content: { type: "quiz", quizData: quiz },
  };
  const hasQuiz = quizItem !== undefined && bytesOf(quizItem) <= Math.min(bytes, MAX_ITEM_BYTES);
  if (hasQuiz) {
    items -= 1;
    bytes -= bytesOf(quizItem);
    if (problems.length > 0) warn(`Of the quiz, some is left out. ${problems.join(" ")}`);
  } else if (quizItem) {
    warn("The quiz is left out: it is too large.");
  } else if (problems.length > 0) {
    warn(`The quiz is left out. ${problems.join(" ")}`);
  }

  const notes: { place: Place; item: PlannedItem }[] = [];
  let isCut = false;
  for (const { place, sections } of placeSections(notesSections(source.notes), places, items)) {
    for (const [index, section] of sections.entries()) {
      const part = sectionPart(section, sections[index + 1], place);
      const made = textItem(section, part, bytes);
      isCut ||= made.isCut;
      if (!made.item) continue;
      notes.push({ place, item: made.item });
      bytes -= bytesOf(made.item);
      items -= 1;
    }
  }
  if (isCut) warn("The notes were cut: there is no room for all of them.");

  const highlights = within(source.outline?.highlights ?? [], source.durationSec).flatMap(
    (highlight) => {
      const place = placeAt(places, (highlight.startSec + highlight.endSec) / 2);
      const share = place?.topic ? lengthOf(highlight) / lengthOf(place.topic) : 0;
      return place && share <= MAX_HIGHLIGHT_SHARE ? [{ place, highlight }] : [];
    },
  );
  const best = new Set(
    highlights.toSorted((a, b) => a.highlight.rank - b.highlight.rank).slice(0, Math.max(0, items)),
  );
  if (best.size < highlights.length) {
    warn(`${highlights.length - best.size} highlights are left out: there is no room for them.`);
  }
  for (const { place, highlight } of highlights.filter((one) => best.has(one))) {
    const title = highlightTitle(highlight, place.chapter);
    place.chapter.items.push({ title, part: partOf(highlight), content: { type: "video" } });
  }
  for (const { place, item } of notes) place.chapter.items.push(item);
  if (hasQuiz) places.at(-1)?.chapter.items.push(quizItem);
  return { chapters: places.map(({ chapter }) => chapter), warnings };
};
