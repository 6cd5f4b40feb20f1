// No function reads or writes in proportion to a table: each is called in a world with a crowd around
// it, and in one with ten times the crowd.
import { beforeAll, expect, it, vi } from "vitest";
import type { Doc, Id } from "./_generated/dataModel.js";
import { CALLERS, type CallerName, type Row, callerIn } from "./permissionRows.setup.ts";
import { PERMISSIONS } from "./permissions.setup.ts";
import { type Usage, measureUsage } from "./reads.setup.ts";
import { allFunctions, callFunction, outcomeOf } from "./registered.setup.ts";
import { type Backend, createBackend, ownerIdOf, standInEnvironment } from "./testing.setup.ts";
import { type World, createWorld, storedObject } from "./world.setup.ts";

/** More than any page or list that a function answers. */
const CROWD = 110;
/** What a function may use more in the larger world: a step of a search in a tree. */
const TOLERANCE = 20;

const functions = await allFunctions();
let small: { backend: Backend; world: World };
let large: { backend: Backend; world: World };
beforeAll(async () => {
  const restore = standInEnvironment();
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  small = await createCrowded(CROWD);
  large = await createCrowded(10 * CROWD);
  return () => {
    vi.unstubAllGlobals();
    restore();
  };
});

/** The small world with `count` others of everything in it. */
const createCrowded = async (count: number) => {
  const backend = createBackend();
  const world = await createWorld(backend);
  for (let first = 0; first < count; first += 50) {
    await backend.nobody.run(async (ctx) => {
      const row = async <T extends "videos" | "courses" | "chapters" | "contentItems" | "scenes">(
        table: T,
        id: Id<T>,
      ): Promise<Omit<Doc<T>, "_id" | "_creationTime">> => {
        const { _id, _creationTime, ...fields } = (await ctx.db.get(table, id)) as Doc<T>;
        return fields;
      };
      const video = await row("videos", world.spareVideo);
      const course = await row("courses", world.course);
      const draft = await row("courses", world.draft);
      const chapter = await row("chapters", world.chapter);
      const item = await row("contentItems", world.draftItem);
      const scene = await row("scenes", world.scene);
      for (let i = first; i < Math.min(count, first + 50); i += 1) {
        const userId = ownerIdOf(`user${i}`);
        const now = Date.now();
        const videoId = await ctx.db.insert("videos", { ...video, url: `https://x.example/${i}` });
        await ctx.db.insert("transcriptCues", {
          videoId,
          ownerId: ownerIdOf("ada"),
          generation: "g",
          index: 0,
          text: "Other water is wet.",
        });
        const courseId = await ctx.db.insert("courses", { ...course, name: `Water ${i}` });
        await ctx.db.insert("courses", { ...draft, name: `Fire ${i}` });
        const chapterId = await ctx.db.insert("chapters", { ...chapter, courseId, itemIds: [] });
        await ctx.db.insert("contentItems", {
          ...item,
          courseId,
          chapterId,
          citation: { videoId: world.video, textHash: "x" },
        });
        const { quiz, assignment, text } = world;
        const inCourse = { userId, courseId: world.course };
        await ctx.db.insert("enrollments", { ...inCourse, enrolledAt: now, lastActivityAt: now });
        await ctx.db.insert("enrollments", {
          userId: ownerIdOf("lea"),
          courseId,
          enrolledAt: now,
          lastActivityAt: now,
        });
        await ctx.db.insert("progress", { ...inCourse, contentItemId: text, completed: true });
        await ctx.db.insert("playback", {
          ...inCourse,
          contentItemId: world.videoItem,
          lastPositionSec: 1,
          furthestPositionSec: 1,
          secondsWatched: 1,
          updatedAt: now,
        });
        await ctx.db.insert("quizAttempts", {
          ...inCourse,
          contentItemId: quiz,
          attempt: 1,
          seed: i,
          state: "open",
          quiz: {},
          answers: {},
          startedAt: now,
        });
        await ctx.db.insert("assignmentSubmissions", {
          ...inCourse,
          contentItemId: assignment,
          version: 1,
          state: "submitted",
          submittedAt: now,
        });
        const sceneId = await ctx.db.insert("scenes", { ...scene, jobId: `other${i}` });
        const referenceId = await ctx.db.insert("assetReferences", {
          ...storedObject(`other${i}`, "clips/01.jpg"),
          type: "thumbnail",
          version: 1,
          state: i % 2 === 0 ? "active" : "released",
          releasedAt: now,
          createdAt: now,
          updatedAt: now,
        });
        await ctx.db.insert("assetUses", {
          referenceId,
          kind: "scene",
          id: sceneId,
          field: "thumbnailAsset",
        });
      }
    });
  }
  return { backend, world };
};

const usageIn = async (
  { backend, world }: { backend: Backend; world: World },
  name: string,
  caller: CallerName,
  row: Row,
): Promise<Usage> => {
  const { usage } = await measureUsage(() =>
    outcomeOf(callFunction(callerIn(backend, caller), name, functions.get(name)!, row.args(world))),
  );
  return usage;
};

/** Lists that are of everybody's for an admin. */
const OF_ALL = /:(list|search|count|get\w+By)/;

/** One who may call, and an admin where that is another question. */
const callersOf = (name: string, { expected }: Row): CallerName[] => {
  const able = CALLERS.filter((caller) => expected[caller] === "ok");
  const first = able.find((caller) => caller !== "admin") ?? able[0];
  return able.filter((caller) => caller === first || (caller === "admin" && OF_ALL.test(name)));
};

const calls = Object.entries(PERMISSIONS).flatMap(([name, entry]) =>
  typeof entry === "string"
    ? []
    : entry.flatMap((row) => callersOf(name, row).map((caller) => ({ name, caller, row }))),
);

it("would see a function that reads a table", async () => {
  const scan = ({ backend }: { backend: Backend }) =>
    // oxlint-disable-next-line @convex-dev/no-collect-in-query -- the meter has to see what none may do
    measureUsage(() => backend.nobody.query((ctx) => ctx.db.query("courses").collect()));
  const [few, many] = [await scan(small), await scan(large)];
  expect(many.usage.documentsRead - few.usage.documentsRead).toBeGreaterThan(TOLERANCE);
});

it.each(calls)("$name for $caller", async ({ name, caller, row }) => {
  const few = await usageIn(small, name, caller, row);
  const many = await usageIn(large, name, caller, row);
  for (const count of ["documentsRead", "documentsWritten", "databaseQueries"] as const) {
    expect([count, many[count] - few[count]]).toEqual([
      count,
      expect.toSatisfy((more: number) => more <= TOLERANCE, `${few[count]} → ${many[count]}`),
    ]);
  }
});
