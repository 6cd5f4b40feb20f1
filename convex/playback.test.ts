// Watching a video, and where a learner goes on, through the functions that pages call.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { type Learning, learnersAt, seedLearning, wait } from "./progress.setup.ts";
import { measureUsage } from "./reads.setup.ts";
import { type Backend, refused, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

let learning: Learning;
let backend: Backend;
let courseId: Id<"courses">;
let video: Id<"contentItems">;
let text: Id<"contentItems">;
let quiz: Id<"contentItems">;
let assignment: Id<"contentItems">;
beforeEach(async () => {
  learning = await seedLearning();
  ({ backend, courseId, video, text, quiz, assignment } = learning);
});
const { mark, courseOf, detailOf, enroll, watch, playback, resume, removeItem } = learnersAt(
  () => learning,
);
const lea = () => backend.user("lea");

describe("watching", () => {
  beforeEach(() => enroll());

  it("keeps where one is, how far one was, and for how long", async () => {
    expect(await playback()).toBeNull();
    await watch(110);
    wait(10);
    await watch(190);
    wait(10);
    await watch(150);
    expect(await playback()).toEqual({
      lastPositionSec: 150,
      furthestPositionSec: 190,
      secondsWatched: 30,
    });
    expect((await detailOf()).chapters[0]?.items[0]).toMatchObject({
      completed: false,
      progressPercentage: 45,
    });
  });
  it("completes the video when 90 % of its part was reached", async () => {
    expect(await watch(279)).toEqual({ completed: false });
    wait(1);
    expect(await watch(280)).toEqual({ completed: true });
    expect(await courseOf()).toMatchObject({ completed: 1 });
  });
  it("does not complete again what was taken back, until by hand", async () => {
    await watch(290);
    await mark(video, false);
    wait(10);
    expect(await watch(300)).toEqual({ completed: false });
    expect((await detailOf()).chapters[0]?.items[0]).toMatchObject({ progressPercentage: 95 });
    await mark(video);
    expect(await courseOf()).toMatchObject({ completed: 1 });
  });
  it("counts no more seconds than passed", async () => {
    await watch(110, 1e9);
    expect((await playback())?.secondsWatched).toBe(15);
    await watch(111, 1e9);
    expect((await playback())?.secondsWatched).toBe(15);
    wait(4);
    await watch(112, 1e9);
    expect((await playback())?.secondsWatched).toBe(19);
    wait(3600);
    await watch(113, 3600);
    expect((await playback())?.secondsWatched).toBe(79);
  });
  it.each([
    ["no number", Number.NaN, 1],
    ["no end", Infinity, 1],
    ["before the part", 94, 1],
    ["behind the part", 306, 1],
    ["below nothing", -1, 1],
    ["less than no time", 110, -1],
    ["no time", 110, Number.NaN],
    ["for ever", 110, Infinity],
  ])("refuses %s", async (_name, positionSec, watchedSec) => {
    await expect(watch(positionSec, watchedSec)).rejects.toMatchObject(refused("invalid_request"));
    expect(await playback()).toBeNull();
  });
  it("holds a player's rounding to the part", async () => {
    await watch(97);
    expect(await playback()).toMatchObject({ lastPositionSec: 100 });
    await watch(304);
    expect(await playback()).toMatchObject({ lastPositionSec: 300 });
  });
  it("takes the video's length where the item has no end, and does without one", async () => {
    const videoId = await backend.nobody.run(async ({ db }) => {
      const id = await db.insert("videos", { title: "Talk" });
      await db.patch("contentItems", video, {
        videoId: id,
        startSec: undefined,
        endSec: undefined,
      });
      return id;
    });
    expect(await watch(5_000)).toEqual({ completed: false });
    await backend.nobody.run(({ db }) => db.patch("videos", videoId, { durationInSeconds: 100 }));
    await expect(watch(200)).rejects.toMatchObject(refused("invalid_request"));
    expect(await watch(95)).toEqual({ completed: true });
  });
  it("begins anew where the item shows another video", async () => {
    const ada = backend.user("ada", "instructor");
    const newVideo = (name: string) =>
      ada.mutation(api.videos.createVideo, {
        title: name,
        url: `https://media.example/${name}.mp4`,
        durationInSeconds: 300,
      });
    const show = (change: { videoId?: Id<"videos">; startSec?: null; endSec?: number | null }) =>
      ada.mutation(api.contentItems.update, { id: video, ...change });
    await show({ videoId: await newVideo("first"), startSec: null, endSec: null });
    await enroll();
    await watch(250);
    expect(await playback()).toMatchObject({ furthestPositionSec: 250 });

    await show({ videoId: await newVideo("second"), endSec: 200 });
    expect(await playback()).toBeNull();
    expect(await resume()).toMatchObject({ last: { contentItemId: video, playback: null } });
    expect(await watch(5)).toEqual({ completed: false });
    expect(await playback()).toEqual({
      lastPositionSec: 5,
      furthestPositionSec: 5,
      secondsWatched: 10,
    });
    wait(10);
    expect(await watch(190)).toEqual({ completed: true });
  });
  it("begins anew where the item shows another part of the video", async () => {
    await enroll();
    await watch(250);
    const ada = backend.user("ada", "instructor");
    await ada.mutation(api.contentItems.update, { id: video, startSec: null, endSec: 100 });
    expect(await playback()).toBeNull();
    expect(await watch(5)).toEqual({ completed: false });
    expect(await playback()).toMatchObject({ lastPositionSec: 5, furthestPositionSec: 5 });
  });
  it("is of videos", async () => {
    await expect(
      lea().mutation(api.progress.watched, { contentItemId: text, positionSec: 1, watchedSec: 1 }),
    ).rejects.toMatchObject(refused("invalid_request"));
  });
  it("is kept of those who are enrolled alone", async () => {
    expect(await watch(110, 10, "eve")).toBeNull();
    const opened = await backend
      .user("ada", "instructor")
      .mutation(api.progress.opened, { contentItemId: text });
    expect(opened).toBeNull();
    const rows = await backend.nobody.run(({ db }) => db.query("playback").take(5));
    expect(rows).toEqual([]);
  });
  it("costs little where nothing changes that is counted", async () => {
    await watch(150);
    wait(10);
    const { usage } = await measureUsage(() => watch(152));
    expect(usage.documentsWritten).toBe(1);
    expect(usage.documentsRead).toBeLessThanOrEqual(8);
    wait(10);
    const { usage: next } = await measureUsage(() => watch(165));
    expect(next.documentsWritten).toBeGreaterThan(1);
  });
});

describe("where to go on", () => {
  it("is the course's start, then the last item until it is completed, then the next", async () => {
    expect(await resume()).toMatchObject({ last: null, next: { contentItemId: video } });
    await enroll();
    await watch(150);
    const at = {
      contentItemId: video,
      completed: false,
      playback: { lastPositionSec: 150, furthestPositionSec: 150, secondsWatched: 10 },
    };
    expect(await resume()).toMatchObject({ last: at, next: at });
    await mark(video);
    expect(await resume()).toMatchObject({
      last: { contentItemId: video, completed: true },
      next: { contentItemId: text, completed: false, playback: null },
    });
  });
  it("is the next chapter's, then what was left out before", async () => {
    const second = await backend.nobody.run(async ({ db }) => {
      const chapterId = await db.insert("chapters", {
        courseId,
        name: "Two",
        order: 2,
        createdAt: 0,
      });
      const row = { chapterId, courseId, type: "text" as const, createdAt: 0 };
      // Their order is not that of their making.
      const last = await db.insert("contentItems", { ...row, order: 9, textContent: "b" });
      const first = await db.insert("contentItems", { ...row, order: 3, textContent: "a" });
      await db.patch("chapters", chapterId, { itemIds: [last, first] });
      return { first, last };
    });
    await removeItem(quiz);
    await removeItem(assignment);
    await mark(text);
    expect(await resume()).toMatchObject({ next: { contentItemId: second.first } });
    await mark(second.first);
    expect(await resume()).toMatchObject({ next: { contentItemId: second.last } });
    await mark(second.last);
    expect(await resume()).toMatchObject({ next: { contentItemId: video } });
    await mark(video);
    expect(await resume()).toMatchObject({ last: { contentItemId: video }, next: null });
    await mark(second.first, false);
    expect(await resume()).toMatchObject({ next: { contentItemId: second.first } });
    await removeItem(second.first);
    expect(await resume()).toMatchObject({ last: null, next: null });
  });
});
