// How large a course may be, so that one query reads all of it: Convex reads at most 16 MiB and
// 32,000 documents in a transaction.
import { type Value, getConvexSize } from "convex/values";
import type { Doc } from "../../_generated/dataModel.js";
import { refuse } from "../access.ts";

export const MAX_CHAPTERS = 100;
export const MAX_ITEMS = 500;
export const MAX_ITEMS_PER_CHAPTER = 200;
export const MAX_ITEM_BYTES = 256 * 1024;
export const MAX_COURSE_BYTES = 4 * 1024 * 1024;
/** Of courses, chapters and items. */
export const MAX_NAME_CHARS = 200;
export const MAX_DESCRIPTION_CHARS = 5_000;
/** Rows that one step of a long work copies or deletes. */
export const STEP_ROWS = 100;

export type ItemContent = Pick<
  Doc<"contentItems">,
  "textContent" | "quizData" | "assignmentData" | "resourceUrl" | "resourceTitle"
>;

/** Bytes of an item's content as Convex stores it: what `courses.contentBytes` adds up. */
export const contentBytes = (item: ItemContent): number =>
  [
    item.textContent,
    item.quizData as Value | undefined,
    item.assignmentData as Value | undefined,
    item.resourceUrl,
    item.resourceTitle,
  ].reduce<number>((sum, value) => sum + getConvexSize(value), 0);

const kib = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

/** @throws {ConvexError} `invalid_request` for more than an item may hold */
export const refuseLargeItem = (bytes: number): void => {
  if (bytes > MAX_ITEM_BYTES) {
    throw refuse(
      "invalid_request",
      `An item's content may have ${kib(MAX_ITEM_BYTES)}; this one has ${kib(bytes)}.`,
    );
  }
};

/** @throws {ConvexError} `invalid_request` for more than a course may hold */
export const refuseLargeCourse = (bytes: number): void => {
  if (bytes > MAX_COURSE_BYTES) {
    throw refuse(
      "invalid_request",
      `A course's content may have ${kib(MAX_COURSE_BYTES)} in all; this would make ${kib(bytes)}.`,
    );
  }
};

const refuseMore = (count: number, max: number, sentence: string): void => {
  if (count > max) throw refuse("invalid_request", `${sentence} at most ${max}.`);
};
/** @param count  how many there would be */
export const refuseManyChapters = (count: number): void =>
  refuseMore(count, MAX_CHAPTERS, "Chapters of a course:");
/** @param count  how many there would be */
export const refuseManyChapterItems = (count: number): void =>
  refuseMore(count, MAX_ITEMS_PER_CHAPTER, "Content items of a chapter:");
/** @param count  how many there would be */
export const refuseManyItems = (count: number): void =>
  refuseMore(count, MAX_ITEMS, "Content items of a course:");
