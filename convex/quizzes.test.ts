// Quizzes through the functions that learners and a course's owner call.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { GRACE_MS } from "./model/learning/attempt.ts";
import { progressOf, seedCourse } from "./model/learning/course.setup.ts";
import {
  type Backend,
  createBackend,
  ownerIdOf,
  refused,
  standInEnvironment,
} from "./testing.setup.ts";

beforeEach(standInEnvironment);

const MARKER = "xyzzy";
/** Whatever is part of the key says so, to be found wherever it gets to. */
const QUIZ = {
  title: "Leases",
  maxAttempts: 3,
  timeLimitSec: 60,
  shuffleQuestions: true,
  shuffleChoices: true,
  questions: [
    {
      id: "one",
      type: "single",
      prompt: "One?",
      choices: [
        { id: `right-${MARKER}`, text: "Right" },
        { id: "wrong", text: "Wrong" },
      ],
      answer: `right-${MARKER}`,
      explanation: `Because ${MARKER}.`,
    },
    { id: "two", type: "short", prompt: "Two?", answer: [MARKER], explanation: MARKER },
    { id: "three", type: "numeric", prompt: "Three?", answer: 987_654, tolerance: 123_456 },
    { id: "four", type: "true_false", prompt: "Four?", answer: true, points: 2 },
  ],
};
const KEY = new RegExp(`${MARKER}|987654|123456|explanation|rightAnswer|tolerance`);

let backend: Backend;
let courseId: Id<"courses">;
let contentItemId: Id<"contentItems">;
const setUp = async (quizData: unknown = QUIZ, over = {}) => {
  backend = createBackend();
  const seeded = await seedCourse(backend, [{ type: "quiz", quizData }], over);
  courseId = seeded.courseId;
  [contentItemId] = seeded.itemIds as [Id<"contentItems">];
};
beforeEach(() => setUp());

const lea = () => backend.user("lea");
const start = () => lea().mutation(api.quizzes.startAttempt, { contentItemId });
const get = (attemptId: Id<"quizAttempts">) => lea().query(api.quizzes.getAttempt, { attemptId });
const save = (attemptId: Id<"quizAttempts">, answers: Record<string, string | number | boolean>) =>
  lea().mutation(api.quizzes.saveAnswers, { attemptId, answers });
const submit = (
  attemptId: Id<"quizAttempts">,
  answers?: Record<string, string | number | boolean>,
) => lea().mutation(api.quizzes.submitAttempt, { attemptId, ...(answers ? { answers } : {}) });

type View = Awaited<ReturnType<typeof start>>;
const choiceOf = ({ questions }: View, text: string): string => {
  const choices = questions.find(({ id }) => id === "one")?.choices ?? [];
  return choices.find((choice) => choice.text === text)?.id ?? "none";
};
const allRight = (view: View) => ({
  one: choiceOf(view, "Right"),
  two: ` ${MARKER.toUpperCase()} `,
  three: 900_000,
  four: true,
});

describe("an attempt", () => {
  it("is answered again while it is open, the same way each time", async () => {
    const first = await start();
    expect(first).toMatchObject({ attempt: 1, state: "open", timeLeftSec: 60, results: null });
    vi.advanceTimersByTime(1500);
    const again = await start();
    expect(again).toEqual({ ...first, timeLeftSec: 59 });
    expect(await get(first.attemptId)).toEqual(again);
  });
  it("keeps the key until it is graded, through every function", async () => {
    const view = await start();
    const { attemptId } = view;
    const saved = await save(attemptId, { one: choiceOf(view, "Right"), four: true });
    const answers = [
      view,
      saved,
      await start(),
      await get(attemptId),
      await lea().query(api.quizzes.listAttempts, { contentItemId }),
      await lea().query(api.courses.getCourseWithStructure, { courseId }),
      await lea().query(api.contentItems.getContentItem, { contentItemId }),
      await lea()
        .mutation(api.quizzes.saveAnswers, { attemptId, answers: { one: "no", two: 3 } })
        .catch((error: unknown) => JSON.stringify(error)),
      await backend.user("ada", "instructor").query(api.quizzes.listResults, {
        contentItemId,
        paginationOpts: { numItems: 10, cursor: null },
      }),
    ];
    for (const answer of answers) expect(JSON.stringify(answer)).not.toMatch(KEY);
    expect(JSON.stringify(await submit(attemptId))).toMatch(KEY);
  });
  it("is graded on the server, explained, and recorded as progress", async () => {
    const view = await start();
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({ completed: false });
    const graded = await submit(view.attemptId, allRight(view));
    expect(graded).toMatchObject({ state: "graded", points: 5, maxPoints: 5, percentage: 100 });
    expect(graded).toMatchObject({ passed: true, timeLeftSec: null });
    expect(graded.results?.find(({ id }) => id === "two")).toEqual({
      id: "two",
      correct: true,
      points: 1,
      maxPoints: 1,
      rightAnswer: [MARKER],
      explanation: MARKER,
    });
    expect(graded.results?.find(({ id }) => id === "one")?.rightAnswer).toBe(
      choiceOf(view, "Right"),
    );
    expect(await get(view.attemptId)).toEqual(graded);
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({ completed: true });
  });
  it("counts what was saved, one answer at a time", async () => {
    const view = await start();
    await save(view.attemptId, { one: choiceOf(view, "Wrong"), two: MARKER });
    await save(view.attemptId, { one: choiceOf(view, "Right"), four: false });
    const open = await get(view.attemptId);
    expect(open.answers).toEqual({ one: choiceOf(view, "Right"), two: MARKER, four: false });
    expect(await submit(view.attemptId)).toMatchObject({
      points: 2,
      percentage: 40,
      passed: false,
    });
  });
  it("is handed in once: again changes nothing", async () => {
    const view = await start();
    const graded = await submit(view.attemptId, { four: true });
    vi.advanceTimersByTime(1000);
    expect(await submit(view.attemptId, allRight(view))).toEqual(graded);
    await expect(save(view.attemptId, { four: false })).rejects.toMatchObject(refused("conflict"));
  });
  it("takes nothing of answers of which one is wrong", async () => {
    const { attemptId } = await start();
    await expect(save(attemptId, { four: true, five: true })).rejects.toMatchObject(
      refused("invalid_request"),
    );
    expect((await get(attemptId)).answers).toEqual({});
  });
  it("keeps the quiz as it was when it began", async () => {
    const view = await start();
    await backend.nobody.run(({ db }) =>
      db.patch("contentItems", contentItemId, {
        quizData: { questions: [{ id: "x", type: "true_false", prompt: "X?", answer: false }] },
      }),
    );
    expect((await get(view.attemptId)).questions).toEqual(view.questions);
    expect(await submit(view.attemptId, allRight(view))).toMatchObject({ percentage: 100 });
    expect((await start()).questions).toHaveLength(1);
  });
  it("is its learner's alone", async () => {
    const { attemptId } = await start();
    for (const other of [backend.user("bob"), backend.user("ada", "instructor")]) {
      await expect(other.query(api.quizzes.getAttempt, { attemptId })).rejects.toMatchObject(
        refused("not_found"),
      );
      await expect(
        other.mutation(api.quizzes.saveAnswers, { attemptId, answers: {} }),
      ).rejects.toMatchObject(refused("not_found"));
      await expect(other.mutation(api.quizzes.submitAttempt, { attemptId })).rejects.toMatchObject(
        refused("not_found"),
      );
    }
  });
  it("is not to be had of a draft, nor of what is no quiz", async () => {
    const { attemptId } = await start();
    await backend.nobody.run(({ db }) => db.patch("courses", courseId, { isPublished: false }));
    const calls = [
      start(),
      get(attemptId),
      save(attemptId, {}),
      submit(attemptId),
      lea().query(api.quizzes.listAttempts, { contentItemId }),
    ];
    await Promise.all(
      calls.map((call) => expect(call).rejects.toMatchObject(refused("not_found"))),
    );
    await setUp("an old row's");
    await expect(start()).rejects.toMatchObject(refused("conflict"));
  });
});

describe("the number of attempts", () => {
  it("is limited by the quiz; a later and worse one takes no completion away", async () => {
    const first = await start();
    await submit(first.attemptId, allRight(first));
    for (const attempt of [2, 3]) {
      const next = await start();
      expect(next.attempt).toBe(attempt);
      expect(await submit(next.attemptId)).toMatchObject({ percentage: 0, passed: false });
    }
    await expect(start()).rejects.toMatchObject(refused("conflict"));
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({ completed: true });
    const list = await lea().query(api.quizzes.listAttempts, { contentItemId });
    expect(list.map(({ attempt, percentage }) => [attempt, percentage])).toEqual([
      [3, 0],
      [2, 0],
      [1, 100],
    ]);
  });
});

describe("the time limit", () => {
  it("hands in what was saved, by itself", async () => {
    const view = await start();
    await save(view.attemptId, { four: true });
    vi.advanceTimersByTime(60_000 + GRACE_MS + 1);
    await backend.nobody.finishInProgressScheduledFunctions();
    expect(await get(view.attemptId)).toMatchObject({ state: "graded", points: 2 });
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({
      completed: false,
      progressPercentage: 40,
    });
  });
  it("takes what was sent in time and arrives a little later", async () => {
    const view = await start();
    vi.setSystemTime(view.startedAt + 60_000 + GRACE_MS);
    await save(view.attemptId, { four: true });
    expect(await submit(view.attemptId, { two: MARKER })).toMatchObject({ points: 3 });
  });
  it("takes nothing after that", async () => {
    const view = await start();
    await save(view.attemptId, { two: MARKER });
    vi.setSystemTime(view.startedAt + 60_000 + GRACE_MS + 1);
    await expect(save(view.attemptId, { four: true })).rejects.toMatchObject(refused("conflict"));
    expect(await submit(view.attemptId, allRight(view))).toMatchObject({ points: 1 });
  });
  it("ends an attempt that is found open too late, and the next one begins", async () => {
    const view = await start();
    vi.setSystemTime(view.startedAt + 60_000 + GRACE_MS + 1);
    expect(await start()).toMatchObject({ attempt: 2, state: "open", timeLeftSec: 60 });
    expect(await get(view.attemptId)).toMatchObject({ state: "graded", points: 0 });
  });
  it("ends nothing where the item is gone, and grades the attempt", async () => {
    const view = await start();
    await backend.nobody.run(({ db }) => db.delete("contentItems", contentItemId));
    vi.advanceTimersByTime(60_000 + GRACE_MS + 1);
    await backend.nobody.finishInProgressScheduledFunctions();
    const row = await backend.nobody.run(({ db }) => db.get("quizAttempts", view.attemptId));
    expect(row).toMatchObject({ state: "graded", points: 0 });
  });
});

it("shows results to the course's owner and admins", async () => {
  const view = await start();
  await submit(view.attemptId, { four: true });
  await backend.user("bob").mutation(api.quizzes.startAttempt, { contentItemId });
  const args = { contentItemId, paginationOpts: { numItems: 1e9, cursor: null } };
  for (const reader of [backend.user("ada", "instructor"), backend.user("root", "admin")]) {
    const { page } = await reader.query(api.quizzes.listResults, args);
    expect(page.map(({ userId, state, percentage }) => [userId, state, percentage])).toEqual([
      [ownerIdOf("bob"), "open", null],
      [ownerIdOf("lea"), "graded", 40],
    ]);
  }
  for (const reader of [lea(), backend.user("eve", "instructor")]) {
    await expect(reader.query(api.quizzes.listResults, args)).rejects.toMatchObject(
      refused("forbidden"),
    );
  }
});
