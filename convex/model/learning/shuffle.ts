// A quiz as one attempt shows it: questions and choices in an order that follows from the attempt's
// seed, so that every look at it is the same.
import type { Question, Quiz } from "./quiz.ts";

type ChoiceQuestion = Extract<Question, { type: "single" | "multiple" }>;

/** Numbers from 0 to 1 that follow from a seed: mulberry32 (Tommy Ettinger, public domain). */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A shuffled copy (Fisher and Yates). */
export const shuffled = <T>(values: readonly T[], random: () => number): T[] => {
  const rest = [...values];
  const out: T[] = [];
  while (rest.length > 0) out.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return out;
};

/** The choices in another order, and with other ids: "a" would tell which was written first. */
const withShuffledChoices = (question: ChoiceQuestion, random: () => number): ChoiceQuestion => {
  const order = shuffled(question.choices, random);
  const prefix = Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, "0");
  const newIds = new Map(order.map(({ id }, index) => [id, `${prefix}-${index + 1}`]));
  const renamed = (id: string) => newIds.get(id) ?? id;
  const choices = order.map(({ id, text }) => ({ id: renamed(id), text }));
  return question.type === "single"
    ? { ...question, choices, answer: renamed(question.answer) }
    : { ...question, choices, answer: question.answer.map(renamed) };
};

/** The quiz as the attempt with this seed keeps, shows and grades it, key included. */
export const paperOf = (quiz: Quiz, seed: number): Quiz => {
  const random = randomFrom(seed);
  const questions = quiz.shuffleQuestions ? shuffled(quiz.questions, random) : quiz.questions;
  return {
    ...quiz,
    questions: questions.map((question) =>
      quiz.shuffleChoices && (question.type === "single" || question.type === "multiple")
        ? withShuffledChoices(question, random)
        : question,
    ),
  };
};
