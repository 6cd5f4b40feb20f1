// When an item is complete, event by event.
import { describe, expect, it } from "vitest";
import {
  type ItemEvent,
  type ItemState,
  NOT_BEGUN,
  advance,
  bucketOf,
  percentageOf,
  watchedPercentage,
} from "./completion.ts";
import type { ContentType } from "../../tables/learning.ts";

const open = (percentage: number): ItemState => ({ completed: false, percentage });
const DONE: ItemState = { completed: true, percentage: 100 };
const opened: ItemEvent = { kind: "opened" };
const watched = (furthestPositionSec: number, durationSec = 200): ItemEvent => ({
  kind: "watched",
  furthestPositionSec,
  durationSec,
});
const marked = (completed: boolean, watchedPercentage?: number): ItemEvent => ({
  kind: "marked",
  completed,
  ...(watchedPercentage === undefined ? {} : { watchedPercentage }),
});
const graded = (passed: boolean, percentage: number): ItemEvent => ({
  kind: "graded",
  passed,
  percentage,
});

describe("an item", () => {
  it.each<[ContentType, string, ItemState, ItemEvent, ItemState]>([
    ["video", "opened -> begun", NOT_BEGUN, opened, NOT_BEGUN],
    ["video", "watched to 44.5 %", NOT_BEGUN, watched(89), open(44)],
    ["video", "watched to 89.9 % -> not yet", open(44), watched(179.9), open(89)],
    ["video", "watched to 90 % -> complete", open(89), watched(180), DONE],
    ["video", "watched to the end at once -> complete", NOT_BEGUN, watched(200), DONE],
    ["video", "went back -> as far as ever", open(44), watched(10), open(44)],
    ["video", "complete, watched again -> complete", DONE, watched(10), DONE],
    ["video", "without a length -> open", NOT_BEGUN, watched(10, 0), NOT_BEGUN],
    ["video", "by hand", open(10), marked(true), DONE],
    ["video", "taken back -> as far as watched", DONE, marked(false, 95), open(95)],
    ["video", "taken back, watched on -> stays so", open(95), watched(199), open(99)],
    ["video", "taken back, by hand", open(95), marked(true), DONE],
    ["video", "not complete, taken back", open(44), marked(false, 10), open(44)],
    ["video", "graded -> nothing", open(44), graded(true, 100), open(44)],
    ["text", "opened -> begun", NOT_BEGUN, opened, NOT_BEGUN],
    ["text", "by hand", NOT_BEGUN, marked(true), DONE],
    ["text", "taken back", DONE, marked(false), NOT_BEGUN],
    ["text", "watched -> nothing", NOT_BEGUN, watched(200), NOT_BEGUN],
    ["resource", "by hand", NOT_BEGUN, marked(true), DONE],
    ["quiz", "by hand -> nothing", NOT_BEGUN, marked(true), NOT_BEGUN],
    ["quiz", "passed", NOT_BEGUN, graded(true, 70), DONE],
    ["quiz", "failed -> the points", NOT_BEGUN, graded(false, 66.6), open(66)],
    ["quiz", "failed worse -> the best points", open(66), graded(false, 10), open(66)],
    ["quiz", "failed once passed -> passed", DONE, graded(false, 10), DONE],
    ["quiz", "taken back by hand -> nothing", DONE, marked(false), DONE],
    ["quiz", "all points and not passed -> not all", NOT_BEGUN, graded(false, 100), open(99)],
    ["assignment", "passed", NOT_BEGUN, graded(true, 100), DONE],
    ["assignment", "graded again, not passed -> open", DONE, graded(false, 40), open(40)],
    ["assignment", "graded again, worse", open(66), graded(false, 40), open(40)],
    ["assignment", "no number of points -> none", open(66), graded(false, Number.NaN), open(0)],
  ])("%s: %s", (type, _name, before, event, after) => {
    expect(advance(type, before, event)).toEqual(after);
  });
});

describe("percentages", () => {
  it.each([
    [0, 0, 0],
    [0, 3, 0],
    [1, 3, 33],
    [2, 3, 67],
    [5, 10, 50],
    [199, 200, 99],
    [1, 500, 0],
    [200, 200, 100],
  ])("%i of %i are %i %", (completed, total, percentage) => {
    expect(percentageOf(completed, total)).toBe(percentage);
  });
  it.each([
    [0, 0],
    [4, 0],
    [5, 1],
    [89, 17],
    [90, 18],
    [100, 19],
  ])("%i % is in part %i", (percentage, bucket) => {
    expect(bucketOf(percentage)).toBe(bucket);
  });
  it.each([
    [-5, 100, 0],
    [500, 100, 99],
    [5, 0, 0],
  ])("%i s of %i s are %i %", (furthest, duration, percentage) => {
    expect(watchedPercentage(furthest, duration)).toBe(percentage);
  });
});
