// Grades a quiz: the one place that compares answers with the key.
//
// A question gives all of its points or none. For several right choices too: credit for a part would
// have to take points off for wrong ticks, or ticking everything would earn it, and neither is what a
// learner expects of "choose all that apply".
import { percentageOf } from "./completion.ts";
import type { Answer, Answers } from "./answers.ts";
import type { Question, Quiz } from "./quiz.ts";

export interface QuestionGrade {
  id: string;
  correct: boolean;
  points: number;
  maxPoints: number;
}
export interface Grade {
  points: number;
  maxPoints: number;
  /** A whole number, rounded half up; 100 for all points alone. */
  percentage: number;
  /** By the rounded percentage, which is the one that is shown. */
  passed: boolean;
  /** In the quiz's order. */
  questions: QuestionGrade[];
}

/** Differences of decimal fractions miss by about so much of them. */
const ROUNDING_ERROR = 1e-9;

/** A text as it is compared: trimmed, single spaces, one Unicode form, without upper and lower case. */
export const foldedText = (text: string): string =>
  text
    .normalize("NFKC")
    // Upper case first: it tells more letters apart from their variants ("ß" and "ss", "ς" and "σ").
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKC")
    .replace(/\s+/g, " ")
    .trim();

const isCorrect = (question: Question, answer: Answer): boolean => {
  switch (question.type) {
    case "single":
    case "true_false":
      return answer === question.answer;
    case "multiple": {
      const chosen = Array.isArray(answer) ? new Set(answer) : new Set();
      return (
        chosen.size === question.answer.length && question.answer.every((id) => chosen.has(id))
      );
    }
    case "short":
      return (
        typeof answer === "string" &&
        question.answer.some((accepted) => foldedText(accepted) === foldedText(answer))
      );
    case "numeric": {
      if (typeof answer !== "number") return false;
      const slack = ROUNDING_ERROR * Math.max(Math.abs(question.answer), question.tolerance);
      return Math.abs(answer - question.answer) <= question.tolerance + slack;
    }
  }
};

/**
 * The grade of answers to a quiz. Pure; what is not answered is wrong.
 * @param answers  by the question's id; those to no question of the quiz do not count
 */
export const gradeAttempt = (quiz: Quiz, answers: Answers): Grade => {
  const questions = quiz.questions.map((question): QuestionGrade => {
    const { id, points: maxPoints } = question;
    // Own fields only: "constructor" is an id that every object has something under.
    const answer = Object.hasOwn(answers, id) ? answers[id] : undefined;
    const correct = answer !== undefined && isCorrect(question, answer);
    return { id, correct, points: correct ? maxPoints : 0, maxPoints };
  });
  const points = questions.reduce((sum, question) => sum + question.points, 0);
  const maxPoints = questions.reduce((sum, question) => sum + question.maxPoints, 0);
  const percentage = percentageOf(points, maxPoints);
  return { points, maxPoints, percentage, passed: percentage >= quiz.passPercentage, questions };
};
