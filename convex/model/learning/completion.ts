// When an item is complete, and how far somebody is in it: decided here and nowhere else.
import type { ContentType } from "../../tables/learning.ts";

/**
 * A video is complete when this much of its part was reached: what is left is credits and goodbyes,
 * which most people do not watch.
 */
export const WATCHED_PERCENTAGE = 90;

/** Parts of an item's span that analytics tell apart. */
export const BUCKETS = 20;

/** Something a learner did with an item, or that was done for them. */
export type ItemEvent =
  | { kind: "opened" }
  /** `furthestPositionSec` counts from the start of the item's span, of `durationSec`. */
  | { kind: "watched"; furthestPositionSec: number; durationSec: number }
  /** By hand. `watchedPercentage` is what a video that is taken back goes back to. */
  | { kind: "marked"; completed: boolean; watchedPercentage?: number }
  /** `percentage` of the points. */
  | { kind: "graded"; passed: boolean; percentage: number };

export interface ItemState {
  completed: boolean;
  /** Whole number from 0 to 100; 100 only when completed. */
  percentage: number;
}

export const NOT_BEGUN: ItemState = { completed: false, percentage: 0 };
const DONE: ItemState = { completed: true, percentage: 100 };

/** Quizzes and assignments: completed by their grading alone. */
export const isGraded = (type: ContentType): boolean => type === "quiz" || type === "assignment";

/** A part of a whole that is not done: a whole number from 0 to 99. */
const unfinished = (percentage: number): number =>
  Math.max(0, Math.min(99, Math.floor(percentage))) || 0;

/** How much of a span was reached; 0 where there is none. */
export const watchedPercentage = (furthestPositionSec: number, durationSec: number): number =>
  durationSec > 0 ? unfinished((furthestPositionSec / durationSec) * 100) : 0;

/** The part of the span that a percentage is in, from 0. */
export const bucketOf = (percentage: number): number =>
  Math.min(BUCKETS - 1, Math.floor((percentage * BUCKETS) / 100));

/** How many of how many, as a whole number from 0 to 100; 100 only when all are done. */
export const percentageOf = (completed: number, total: number): number => {
  if (total === 0) return 0;
  return completed >= total ? 100 : Math.min(99, Math.round((completed * 100) / total));
};

/**
 * What an event makes of an item. Video: complete once `WATCHED_PERCENTAGE` is reached, or by hand;
 * taken back by hand it stays so, however much of it is watched again. Text and resource: by hand.
 * Quiz: by a passed attempt, which a later one does not undo. Assignment: its latest grading
 * decides. An event that does not fit the type changes nothing.
 */
export const advance = (type: ContentType, before: ItemState, event: ItemEvent): ItemState => {
  switch (event.kind) {
    case "opened":
      return before;
    case "watched": {
      if (type !== "video" || before.completed) return before;
      const percentage = watchedPercentage(event.furthestPositionSec, event.durationSec);
      const reaches = before.percentage < WATCHED_PERCENTAGE && percentage >= WATCHED_PERCENTAGE;
      return reaches
        ? DONE
        : { completed: false, percentage: Math.max(before.percentage, percentage) };
    }
    case "marked":
      if (isGraded(type)) return before;
      if (event.completed) return DONE;
      return before.completed
        ? { completed: false, percentage: unfinished(event.watchedPercentage ?? 0) }
        : before;
    case "graded":
      if (!isGraded(type)) return before;
      if (event.passed) return DONE;
      if (type === "quiz") {
        const percentage = Math.max(before.percentage, unfinished(event.percentage));
        return before.completed ? before : { completed: false, percentage };
      }
      return { completed: false, percentage: unfinished(event.percentage) };
    default:
      return event satisfies never;
  }
};
