// Answers to a quiz as a learner sends them: only to questions there are, and of the question's shape.
import { type Problem, refuseProblems } from "./checked.ts";
import type { Question, Quiz } from "./quiz.ts";

/** A choice's id or a short text, a number, true or false, or ids of choices. */
export type Answer = string | number | boolean | string[];
export type Answers = Record<string, Answer>;
/** Answers as sent: null takes one back. */
export type SentAnswers = Record<string, Answer | null>;

const MAX_SHORT_CHARS = 300;

/** What is wrong with an answer; undefined for a good one. */
const problemWith = (question: Question, answer: Answer): string | undefined => {
  switch (question.type) {
    case "single":
      return question.choices.some(({ id }) => id === answer)
        ? undefined
        : "must be the id of one of its choices";
    case "multiple": {
      const ids = question.choices.map(({ id }) => id);
      return Array.isArray(answer) &&
        answer.every((id) => ids.includes(id)) &&
        new Set(answer).size === answer.length
        ? undefined
        : "must be a list of ids of its choices, each once";
    }
    case "true_false":
      return typeof answer === "boolean" ? undefined : "must be true or false";
    case "short":
      return typeof answer === "string" && answer.length <= MAX_SHORT_CHARS
        ? undefined
        : `must be a text of at most ${MAX_SHORT_CHARS} characters`;
    case "numeric":
      return Number.isFinite(answer) ? undefined : "must be a number";
  }
};

/**
 * What was saved with what is sent now; a question that is not sent keeps its answer.
 * @throws {ConvexError} `invalid_request` with every problem; then nothing is taken
 */
export const mergeAnswers = (quiz: Quiz, saved: Answers, sent: SentAnswers): Answers => {
  const questions = new Map(quiz.questions.map((question) => [question.id, question]));
  const merged = new Map(Object.entries(saved));
  const problems: Problem[] = [];
  for (const [id, answer] of Object.entries(sent)) {
    const question = questions.get(id);
    if (!question) problems.push({ path: id, message: "is no question of this quiz" });
    else if (answer === null) merged.delete(id);
    else {
      const message = problemWith(question, answer);
      if (message === undefined) merged.set(id, answer);
      else problems.push({ path: id, message });
    }
  }
  if (problems.length > 0) throw refuseProblems("What was answered", problems);
  return Object.fromEntries(merged);
};
