// That nothing of learners stays when the item, chapter or course that it is about is gone.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { type Learning, learnersAt, seedLearning } from "./progress.setup.ts";
import { measureUsage } from "./reads.setup.ts";
import { type Backend, ownerIdOf, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

let learning: Learning;
let backend: Backend;
let courseId: Id<"courses">;
let video: Id<"contentItems">;
let text: Id<"contentItems">;
beforeEach(async () => {
  learning = await seedLearning();
  ({ backend, courseId, video, text } = learning);
});
const { mark, detailOf, enroll, watch } = learnersAt(() => learning);
const lea = () => backend.user("lea");

describe("what is gone", () => {
  const forget = (what: Parameters<typeof schedule>[0]) => schedule(what);
  const schedule = async (what: (typeof internal.progress.forget)["_args"]["what"]) => {
    await backend.nobody.mutation(internal.progress.forget, { what });
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
  };
  const count = (table: "progress" | "playback" | "enrollments") =>
    backend.nobody.run(async ({ db }) => (await db.query(table).take(300)).length);

  it("is forgotten of an item, a step at a time", async () => {
    await enroll();
    await watch(150);
    await mark(text);
    await backend.nobody.run(async ({ db }) => {
      for (let learner = 0; learner < 120; learner += 1) {
        const row = { userId: `learner ${learner}`, courseId, contentItemId: video };
        await db.insert("progress", { ...row, completed: false });
      }
      const row = { userId: ownerIdOf("lea"), courseId, contentItemId: video };
      const attempt = { attempt: 1, seed: 1, quiz: {}, answers: {}, startedAt: 0 };
      await db.insert("quizAttempts", { ...row, ...attempt, state: "open" });
      const submission = { version: 1, submittedAt: 0, state: "submitted" as const };
      await db.insert("assignmentSubmissions", { ...row, ...submission });
    });
    const { usage } = await measureUsage(() =>
      backend.nobody.mutation(internal.progress.forget, {
        what: { kind: "item", contentItemId: video },
      }),
    );
    expect(usage.documentsWritten).toBeLessThan(130);
    await backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await count("playback")).toBe(0);
    const left = await backend.nobody.run(async ({ db }) => ({
      items: (await db.query("progress").take(300)).flatMap((row) => row.contentItemId ?? []),
      attempts: await db.query("quizAttempts").take(1),
      submissions: await db.query("assignmentSubmissions").take(1),
    }));
    expect(left).toEqual({ items: [text], attempts: [], submissions: [] });
    const { began } = await backend
      .user("ada", "instructor")
      .query(api.analytics.getItemAnalytics, { contentItemId: video });
    expect(began).toBe(0);
  });
  it("is forgotten of a chapter and a course", async () => {
    await mark(text);
    await mark(text, true, "bob");
    const { chapters } = await detailOf();
    expect(await count("progress")).toBe(6);
    await forget({ kind: "chapter", chapterId: chapters[0]!.chapterId });
    expect(await count("progress")).toBe(4);
    await forget({ kind: "course", courseId });
    expect(await count("progress")).toBe(0);
    expect(await count("enrollments")).toBe(0);
    expect(await lea().query(api.enrollments.countByCourse, { courseId })).toBe(0);
  });
});
