// What a quiz is, as an item of a course keeps it in `quizData`. The key is part of it, so it goes to
// learners as its cover alone; the questions they get come with an attempt (attempt.ts).
import { z } from "zod";
import { checked, plainText } from "./checked.ts";

export const MAX_QUESTIONS = 100;
export const MAX_CHOICES = 12;
/** Attempts of one learner at one quiz, also where the quiz sets no limit. */
export const MAX_ATTEMPTS = 100;
export const DEFAULT_PASS_PERCENTAGE = 70;

/** Ids are fields of an attempt's answers, which Convex takes in ASCII alone. */
const id = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "must be 1 to 64 letters, digits, `-`, `_` or `.`");
const amount = (max: number) => z.number().positive().max(max);

const common = {
  id,
  prompt: plainText(2000),
  points: amount(1000).default(1),
  explanation: plainText(2000).optional(),
};
const choices = z
  .array(z.strictObject({ id, text: plainText(500) }))
  .min(2, "must have at least 2 choices")
  .max(MAX_CHOICES, `must have at most ${MAX_CHOICES} choices`);

export const Question = z.discriminatedUnion("type", [
  z.strictObject({ ...common, type: z.literal("single"), choices, answer: id }),
  z.strictObject({
    ...common,
    type: z.literal("multiple"),
    choices,
    answer: z.array(id).min(1, "must name at least one choice").max(MAX_CHOICES),
  }),
  z.strictObject({ ...common, type: z.literal("true_false"), answer: z.boolean() }),
  z.strictObject({
    ...common,
    type: z.literal("short"),
    answer: z.array(plainText(200)).min(1, "must accept at least one answer").max(20),
  }),
  z.strictObject({
    ...common,
    type: z.literal("numeric"),
    answer: z.number(),
    tolerance: z.number().min(0).default(0),
  }),
]);
export type Question = z.infer<typeof Question>;
export const QUESTION_TYPES = [
  "single",
  "multiple",
  "true_false",
  "short",
  "numeric",
] as const satisfies Question["type"][];

/** Indexes of values that stood earlier in the list already. */
const repeated = (values: readonly string[]): number[] =>
  values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));

const consistent = (question: Question, ctx: z.RefinementCtx) => {
  if (question.type !== "single" && question.type !== "multiple") return;
  const ids = question.choices.map((choice) => choice.id);
  for (const index of repeated(ids)) {
    ctx.addIssue({
      code: "custom",
      path: ["choices", index, "id"],
      message: "is another's already",
    });
  }
  const answers = question.type === "single" ? [question.answer] : question.answer;
  for (const answer of answers.filter((given) => !ids.includes(given))) {
    ctx.addIssue({
      code: "custom",
      path: ["answer"],
      message: `"${answer}" is no choice's id`,
    });
  }
  if (repeated(answers).length > 0) {
    ctx.addIssue({ code: "custom", path: ["answer"], message: "names a choice twice" });
  }
};

/**
 * A quiz:
 * ```
 * { title?, instructions?,
 *   passPercentage   0–100, default 70
 *   maxAttempts?     1–100; without: 100
 *   timeLimitSec?    10 s to a day; without: no limit
 *   shuffleQuestions, shuffleChoices   default false
 *   questions: 1–100 of { id, prompt, points (default 1), explanation?, and by its type:
 *     type: "single",     choices: 2–12 of { id, text }, answer: the right choice's id
 *     type: "multiple",   choices, answer: the ids of all right ones
 *     type: "true_false", answer: boolean
 *     type: "short",      answer: accepted strings (case, spaces and Unicode forms do not matter)
 *     type: "numeric",    answer: number, tolerance (default 0) } }
 * ```
 * All texts are plain text, not HTML.
 */
export const Quiz = z.strictObject({
  title: plainText(200).optional(),
  instructions: plainText(5000).optional(),
  passPercentage: z.number().min(0).max(100).default(DEFAULT_PASS_PERCENTAGE),
  maxAttempts: z.int().min(1).max(MAX_ATTEMPTS).optional(),
  timeLimitSec: z.int().min(10).max(86_400).optional(),
  shuffleQuestions: z.boolean().default(false),
  shuffleChoices: z.boolean().default(false),
  questions: z
    .array(Question.superRefine(consistent))
    .min(1, "must have at least one question")
    .max(MAX_QUESTIONS, `must have at most ${MAX_QUESTIONS} questions`)
    .superRefine((questions, ctx) => {
      for (const index of repeated(questions.map((question) => question.id))) {
        ctx.addIssue({ code: "custom", path: [index, "id"], message: "is another's already" });
      }
    }),
});
export type Quiz = z.infer<typeof Quiz>;

/**
 * A quiz as an author hands it in, with its defaults.
 * @throws {ConvexError} `invalid_request` with every problem
 */
export const checkQuiz = (quizData: unknown): Quiz => checked(Quiz, quizData, "The quiz");

/** What a learner sees of a quiz before an attempt. */
export interface QuizCover {
  title?: string;
  instructions?: string;
  passPercentage: number;
  maxAttempts?: number;
  timeLimitSec?: number;
  questionCount: number;
  maxPoints: number;
}

export const maxPointsOf = (quiz: Quiz): number =>
  quiz.questions.reduce((sum, { points }) => sum + points, 0);

/**
 * A quiz's cover. No questions: with them before the clock runs a time limit would mean nothing, and
 * the order of choices that are yet to be shuffled may tell the right one.
 * @returns null for data that is no quiz (a legacy row, which nobody checked), so that nothing leaks
 */
export const quizForLearner = (quizData: unknown): QuizCover | null => {
  const parsed = Quiz.safeParse(quizData);
  if (!parsed.success) return null;
  const quiz = parsed.data;
  const { title, instructions, passPercentage, maxAttempts, timeLimitSec } = quiz;
  return {
    ...(title === undefined ? {} : { title }),
    ...(instructions === undefined ? {} : { instructions }),
    passPercentage,
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(timeLimitSec === undefined ? {} : { timeLimitSec }),
    questionCount: quiz.questions.length,
    maxPoints: maxPointsOf(quiz),
  };
};
