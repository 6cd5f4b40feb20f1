// An attempt at a quiz, from its start to its grade. The attempt keeps the quiz as it was at its start,
// so that an edit changes nobody's questions midway; the key in there leaves with the grade alone.
import { type Infer, v } from "convex/values";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { ATTEMPT_STATES } from "../../tables/learning.ts";
import { type Person, refuse } from "../access.ts";
import { oneOf } from "../contract.ts";
import { type Answers, type SentAnswers, mergeAnswers } from "./answers.ts";
import { type ItemPlace, readableItem } from "./gate.ts";
import { gradeAttempt } from "./grading.ts";
import { recordItem } from "./progress.ts";
import { MAX_ATTEMPTS, QUESTION_TYPES, Quiz } from "./quiz.ts";
import { paperOf } from "./shuffle.ts";

type Attempt = Doc<"quizAttempts">;

/** What was sent when the time was up still arrives so much later. */
export const GRACE_MS = 5_000;
/** Attempts shown at once: each holds its quiz, of up to 256 KiB. */
export const MAX_LISTED = 25;

const answer = v.union(v.string(), v.number(), v.boolean(), v.array(v.string()));
export const sentAnswers = v.record(v.string(), v.nullable(answer));

/** An attempt as lists show it. */
export const attemptSummary = v.object({
  attemptId: v.id("quizAttempts"),
  attempt: v.number(),
  state: oneOf(ATTEMPT_STATES),
  startedAt: v.number(),
  dueAt: v.nullable(v.number()),
  submittedAt: v.nullable(v.number()),
  points: v.nullable(v.number()),
  maxPoints: v.nullable(v.number()),
  percentage: v.nullable(v.number()),
  passed: v.nullable(v.boolean()),
});
const questionView = v.object({
  id: v.string(),
  type: oneOf(QUESTION_TYPES),
  prompt: v.string(),
  points: v.number(),
  choices: v.optional(v.array(v.object({ id: v.string(), text: v.string() }))),
});
const questionResult = v.object({
  id: v.string(),
  correct: v.boolean(),
  points: v.number(),
  maxPoints: v.number(),
  rightAnswer: answer,
  tolerance: v.optional(v.number()),
  explanation: v.optional(v.string()),
});
export const attemptView = v.object({
  ...attemptSummary.fields,
  contentItemId: v.id("contentItems"),
  title: v.nullable(v.string()),
  instructions: v.nullable(v.string()),
  passPercentage: v.number(),
  /** In the order of this attempt. */
  questions: v.array(questionView),
  answers: v.record(v.string(), answer),
  savedAt: v.nullable(v.number()),
  /** Seconds that were left when this was read; null without a limit or when graded. */
  timeLeftSec: v.nullable(v.number()),
  /** With the right answers, in the order of `questions`; null until graded. */
  results: v.nullable(v.array(questionResult)),
});

const paperIn = (attempt: Attempt): Quiz => attempt.quiz as Quiz;
const answersIn = (attempt: Attempt): Answers => attempt.answers as Answers;
const isLate = (attempt: Attempt, now: number): boolean =>
  attempt.dueAt !== undefined && now > attempt.dueAt + GRACE_MS;

export const summaryOf = (row: Attempt): Infer<typeof attemptSummary> => ({
  attemptId: row._id,
  attempt: row.attempt,
  state: row.state,
  startedAt: row.startedAt,
  dueAt: row.dueAt ?? null,
  submittedAt: row.submittedAt ?? null,
  points: row.points ?? null,
  maxPoints: row.maxPoints ?? null,
  percentage: row.percentage ?? null,
  passed: row.passed ?? null,
});

const resultsOf = (quiz: Quiz, answers: Answers): Infer<typeof questionResult>[] => {
  const grades = new Map(gradeAttempt(quiz, answers).questions.map((grade) => [grade.id, grade]));
  return quiz.questions.flatMap((question) => {
    const grade = grades.get(question.id);
    if (!grade) return [];
    const { explanation } = question;
    return {
      ...grade,
      rightAnswer: question.answer,
      ...(question.type === "numeric" ? { tolerance: question.tolerance } : {}),
      ...(explanation === undefined ? {} : { explanation }),
    };
  });
};

/** An attempt as its learner sees it: of the key nothing, until it is graded. */
export const viewOf = (row: Attempt, now: number): Infer<typeof attemptView> => {
  const quiz = paperIn(row);
  const open = row.state === "open";
  return {
    ...summaryOf(row),
    contentItemId: row.contentItemId,
    title: quiz.title ?? null,
    instructions: quiz.instructions ?? null,
    passPercentage: quiz.passPercentage,
    questions: quiz.questions.map((question) => ({
      id: question.id,
      type: question.type,
      prompt: question.prompt,
      points: question.points,
      ...("choices" in question ? { choices: question.choices } : {}),
    })),
    answers: answersIn(row),
    savedAt: row.savedAt ?? null,
    timeLeftSec:
      open && row.dueAt !== undefined ? Math.max(0, Math.ceil((row.dueAt - now) / 1000)) : null,
    results: open ? null : resultsOf(quiz, answersIn(row)),
  };
};

/**
 * One's own attempt, at a quiz that one may still read.
 * @throws {ConvexError} `not_found`, also for another's
 */
export const ownAttempt = async (
  ctx: QueryCtx,
  person: Person,
  attemptId: Id<"quizAttempts">,
): Promise<{ attempt: Attempt; place: ItemPlace }> => {
  const attempt = await ctx.db.get("quizAttempts", attemptId);
  if (attempt?.userId !== person.ownerId) throw refuse("not_found", "There is no such attempt.");
  return { attempt, place: await readableItem(ctx, person, attempt.contentItemId) };
};

/** Grades an open attempt by what is saved, and has the item's progress know. */
const settle = async (
  ctx: MutationCtx,
  attempt: Attempt,
  place: ItemPlace | null,
  now: number,
): Promise<Attempt> => {
  const grade = gradeAttempt(paperIn(attempt), answersIn(attempt));
  const { points, maxPoints, percentage, passed } = grade;
  const fields = {
    state: "graded" as const,
    answers: attempt.answers,
    submittedAt: now,
    points,
    maxPoints,
    percentage,
    passed,
  };
  await ctx.db.patch("quizAttempts", attempt._id, fields);
  if (place?.item.type === "quiz") {
    const event = { kind: "graded", passed, percentage } as const;
    await recordItem(ctx, { userId: attempt.userId, ...place, event, now });
  }
  return { ...attempt, ...fields };
};

/**
 * The learner's open attempt, or a new one.
 * @returns the attempt; `created` where it is new
 * @throws {ConvexError} `conflict` when no attempt is left, or the quiz cannot be taken
 */
export const beginAttempt = async (
  ctx: MutationCtx,
  userId: string,
  place: ItemPlace,
  now: number,
): Promise<{ attempt: Attempt; created: boolean }> => {
  const { item, course } = place;
  if (item.type !== "quiz") throw refuse("invalid_request", "This item is no quiz.");
  const latest = await ctx.db
    .query("quizAttempts")
    .withIndex("by_userId_contentItemId_attempt", (q) =>
      q.eq("userId", userId).eq("contentItemId", item._id),
    )
    .order("desc")
    .first();
  if (latest?.state === "open") {
    if (!isLate(latest, now)) return { attempt: latest, created: false };
    await settle(ctx, latest, place, now);
  }
  const quiz = Quiz.safeParse(item.quizData);
  if (!quiz.success) throw refuse("conflict", "This quiz is not finished yet.");
  const maxAttempts = quiz.data.maxAttempts ?? MAX_ATTEMPTS;
  const number = (latest?.attempt ?? 0) + 1;
  if (number > maxAttempts) {
    throw refuse("conflict", `All ${maxAttempts} attempts at this quiz are used.`, { maxAttempts });
  }
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { timeLimitSec } = quiz.data;
  const row = {
    userId,
    courseId: course._id,
    contentItemId: item._id,
    attempt: number,
    seed,
    state: "open" as const,
    quiz: paperOf(quiz.data, seed),
    answers: {},
    startedAt: now,
    ...(timeLimitSec === undefined ? {} : { dueAt: now + timeLimitSec * 1000 }),
  };
  const _id = await ctx.db.insert("quizAttempts", row);
  await recordItem(ctx, { userId, ...place, event: { kind: "opened" }, now });
  return { attempt: { ...row, _id, _creationTime: now }, created: true };
};

/**
 * An open attempt with what is sent now.
 * @throws {ConvexError} `conflict` when it is graded or its time is up, `invalid_request` for answers
 *   that do not fit
 */
export const withAnswers = (attempt: Attempt, sent: SentAnswers, now: number): Attempt => {
  if (attempt.state === "graded") throw refuse("conflict", "This attempt is graded already.");
  if (isLate(attempt, now)) throw refuse("conflict", "The time for this attempt is up.");
  return { ...attempt, answers: mergeAnswers(paperIn(attempt), answersIn(attempt), sent) };
};

/**
 * Hands an attempt in. One that is graded stays as it is; of one whose time is up counts what was
 * saved in time.
 * @returns the attempt with its grade
 * @throws {ConvexError} `invalid_request` for answers that do not fit
 */
export const submit = async (
  ctx: MutationCtx,
  attempt: Attempt,
  place: ItemPlace | null,
  sent: SentAnswers,
  now: number,
): Promise<Attempt> => {
  if (attempt.state === "graded") return attempt;
  const last = isLate(attempt, now) ? attempt : withAnswers(attempt, sent, now);
  return settle(ctx, last, place, now);
};
