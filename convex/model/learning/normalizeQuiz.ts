// Makes a quiz of what endpoints that generate quizzes commonly answer. They agree on little: fields
// have several names, the right answer is an index, a letter, the text itself or a mark on the choice.
// What cannot be told for certain is left out and said, never guessed.
import { isRecord } from "../plainValue.ts";
import { problemsOf } from "./checked.ts";
import { MAX_CHOICES, MAX_QUESTIONS, Question, Quiz } from "./quiz.ts";

export interface NormalizedQuiz {
  /** Undefined where not one question can be used. */
  quiz: Quiz | undefined;
  /** What is left out, and why: a sentence each. */
  problems: string[];
}

type Fields = Record<string, unknown>;
interface Choice {
  text: string;
  isMarked: boolean;
  /** What else it may be called by: its id, or its key in a record. */
  name: string | undefined;
}

const MAX_TOLD = 20;
/** Answers in answers ("quiz" in "data") are looked into so deep. */
const MAX_DEPTH = 4;

/** The first of these fields that says something. */
const pick = (from: Fields, names: readonly string[]): unknown =>
  names.map((name) => from[name]).find((value) => value !== undefined && value !== null);

const text = (value: unknown): string | undefined => {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
};
const firstText = (from: Fields, names: readonly string[]): string | undefined =>
  text(pick(from, names));

/** Never between the two halves of one character, which nothing could keep. */
const cut = (given: string, maxChars: number): string =>
  given.length > maxChars ? given.slice(0, maxChars).replace(/[\uD800-\uDBFF]$/, "") : given;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const QUESTIONS = ["questions", "items", "quiz_questions"];
const PROMPT = ["prompt", "question", "questionText", "question_text", "text", "title"];
const CHOICES = ["choices", "options", "alternatives", "answers"];
const ANSWER = [
  "answer",
  "correctAnswer",
  "correct_answer",
  "correctAnswers",
  "correct_answers",
  "correctOption",
  "correct_option",
  "correct",
];
/** Numbers in these are indexes, whatever the choices say. */
const INDEX = ["correctIndex", "correct_index", "answerIndex", "answer_index"];
const EXPLANATION = ["explanation", "rationale", "reason", "feedback"];

/** The text of a generated answer, which may be fenced as Markdown. */
const parseText = (given: string): unknown => {
  const text = given.trim();
  // No expression looks for the end: on a long run of spaces it would begin again at each of them.
  const body = text.endsWith("```") ? text.slice(0, -3) : text;
  try {
    return JSON.parse(body.replace(/^```\w*/, ""));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/** The quiz in an answer: the answer itself, one of its fields, or a bare list of questions. */
const findQuiz = (given: unknown, depth = 0): (Fields & { questions: unknown[] }) | undefined => {
  if (depth > MAX_DEPTH) return undefined;
  if (typeof given === "string") return findQuiz(parseText(given), depth + 1);
  if (Array.isArray(given)) return { questions: given };
  if (!isRecord(given)) return undefined;
  const questions = pick(given, QUESTIONS);
  if (Array.isArray(questions)) return { ...given, questions };
  return findQuiz(pick(given, ["quiz", "data", "result", "output", "content"]), depth + 1);
};

const choiceOf = (given: unknown, name?: string): Choice | undefined => {
  if (!isRecord(given)) {
    const found = text(given);
    return found === undefined ? undefined : { text: found, isMarked: false, name };
  }
  const found = firstText(given, ["text", "label", "option", "value", "content"]);
  if (found === undefined) return undefined;
  const isMarked = pick(given, ["correct", "isCorrect", "is_correct"]) === true;
  return { text: found, isMarked, name: firstText(given, ["id", "key", "letter"]) ?? name };
};

/** A list of choices, or a record of them by letter; undefined where there are none. */
const choicesOf = (given: unknown): (Choice | undefined)[] | undefined => {
  if (Array.isArray(given)) return given.map((choice) => choiceOf(choice));
  if (!isRecord(given)) return undefined;
  return Object.entries(given).map(([name, choice]) => choiceOf(choice, name));
};

const letterOf = (answer: string): number => {
  const [, letter] = /^\(?([A-Za-z])[).:]?$/.exec(answer) ?? [];
  return letter === undefined ? -1 : letter.toUpperCase().charCodeAt(0) - 65;
};

/** Which choice an answer means: by its text, its name, its index from 0, or its letter; or -1. */
const indexOf = (choices: readonly Choice[], answer: unknown): number => {
  if (isRecord(answer)) return indexOf(choices, pick(answer, ["text", "value", "id", "index"]));
  const said = text(answer);
  if (said === undefined) return -1;
  const byText = choices.findIndex((choice) => same(choice.text, said));
  const byIndex = typeof answer === "number" && choices[answer] !== undefined ? answer : -1;
  // "2" among "1", "2", "3" may be the choice that says so or the last one: nobody can tell.
  if (byText >= 0 && byIndex >= 0) return byText === byIndex ? byText : -1;
  if (byText >= 0 || byIndex >= 0) return Math.max(byText, byIndex);
  const byName = choices.findIndex(({ name }) => name !== undefined && same(name, said));
  if (byName >= 0 || typeof answer === "number") return byName;
  const byLetter = letterOf(said);
  return choices[byLetter] === undefined ? -1 : byLetter;
};

type Drafted = { question: unknown } | { problem: string };

const ofChoices = (given: readonly (Choice | undefined)[], answer: unknown): Drafted => {
  const choices = given.filter((choice) => choice !== undefined);
  if (choices.length < given.length) return { problem: "a choice has no text" };
  const texts = choices.map((choice) => choice.text.toLowerCase());
  if (new Set(texts).size < texts.length) return { problem: "two choices say the same" };
  if (choices.length > MAX_CHOICES) return { problem: `it has more than ${MAX_CHOICES} choices` };
  const marked = choices.flatMap(({ isMarked }, index) => (isMarked ? [index] : []));
  const said = Array.isArray(answer) ? answer : answer === undefined ? [] : [answer];
  const right = said.length > 0 ? said.map((one) => indexOf(choices, one)) : marked;
  if (right.length === 0) return { problem: "it does not say which choice is right" };
  if (right.includes(-1))
    return { problem: "its right answer is not one of its choices for certain" };
  const [first = 0] = right;
  if (choices.length === 2 && texts.toSorted().join() === "false,true") {
    return { question: { type: "true_false", answer: texts[first] === "true" } };
  }
  const id = (index: number) => `c${index + 1}`;
  const answers = [...new Set(right)].map(id);
  return {
    question: {
      choices: choices.map((choice, index) => ({ id: id(index), text: choice.text })),
      ...(answers.length > 1
        ? { type: "multiple", answer: answers }
        : { type: "single", answer: id(first) }),
    },
  };
};

const ofWords = (answer: unknown, type: string, tolerance: unknown): Drafted => {
  const said = text(answer)?.toLowerCase();
  if (
    typeof answer === "boolean" ||
    (/true|bool/.test(type) && /^(?:true|false)$/.test(said ?? ""))
  ) {
    return { question: { type: "true_false", answer: said === "true" } };
  }
  if (typeof answer === "number") {
    return {
      question: {
        type: "numeric",
        answer,
        ...(typeof tolerance === "number" ? { tolerance } : {}),
      },
    };
  }
  const accepted = (Array.isArray(answer) ? answer : [answer])
    .map(text)
    .filter((one) => one !== undefined);
  return accepted.length === 0
    ? { problem: "it has neither choices nor an answer" }
    : { question: { type: "short", answer: [...new Set(accepted)] } };
};

const draftOf = (given: Fields): Drafted => {
  const choices = choicesOf(pick(given, CHOICES));
  const index = pick(given, INDEX);
  const indexed = typeof index === "number" ? choices?.[index]?.text : undefined;
  const answer = indexed ?? pick(given, ANSWER);
  if (choices !== undefined && choices.length > 0) return ofChoices(choices, answer);
  return ofWords(answer, (text(given.type) ?? "").toLowerCase(), given.tolerance);
};

/** One question as ours, or why it cannot be. */
const questionOf = (given: unknown, id: string): Question | string => {
  if (!isRecord(given)) return "it is no question";
  const own = Quiz.shape.questions.safeParse([{ ...given, id: given.id ?? id }]);
  if (own.success && own.data[0]) return own.data[0];
  const prompt = firstText(given, PROMPT);
  if (prompt === undefined) return "it asks nothing";
  const drafted = draftOf(given);
  if ("problem" in drafted) return drafted.problem;
  const explanation = firstText(given, EXPLANATION);
  const { points } = given;
  const whole = Question.safeParse({
    ...(drafted.question as object),
    id,
    prompt,
    ...(explanation === undefined ? {} : { explanation: cut(explanation, 2000) }),
    ...(typeof points === "number" && points > 0 && points <= 1000 ? { points } : {}),
  });
  if (whole.success) return whole.data;
  const [problem] = problemsOf(whole.error);
  return problem ? `${problem.path} ${problem.message}` : "it cannot be read";
};

/** A quiz's own settings, each as far as it is good. */
const settingsOf = (given: Fields): Partial<Quiz> => {
  const names = [
    "title",
    "instructions",
    "passPercentage",
    "maxAttempts",
    "timeLimitSec",
    "shuffleQuestions",
    "shuffleChoices",
  ] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const parsed = Quiz.shape[name].safeParse(given[name]);
      return given[name] !== undefined && parsed.success ? [[name, parsed.data]] : [];
    }),
  );
};

/**
 * A quiz of ours from ours, or from what a generator answered: `{questions: [{question, options,
 * correctAnswer, explanation}]}` and its relatives, as an object, a list of questions or JSON text,
 * also inside `quiz` or `data`. An index counts from 0.
 */
export const normalizeQuiz = (given: unknown): NormalizedQuiz => {
  const own = Quiz.safeParse(given);
  if (own.success) return { quiz: own.data, problems: [] };
  const found = findQuiz(given);
  if (!found || found.questions.length === 0) {
    return { quiz: undefined, problems: ["There are no questions in it."] };
  }
  const problems: string[] = [];
  const questions = new Map<string, Question>();
  for (const [index, one] of found.questions.slice(0, MAX_QUESTIONS).entries()) {
    const question = questionOf(one, `q${index + 1}`);
    if (typeof question === "string") problems.push(`Question ${index + 1}: ${question}.`);
    else if (questions.has(question.id)) problems.push(`Question ${index + 1}: its id is taken.`);
    else questions.set(question.id, question);
  }
  const rest = found.questions.length - MAX_QUESTIONS;
  if (rest > 0) problems.push(`The last ${rest} questions are more than a quiz may have.`);
  const told = problems.slice(0, MAX_TOLD);
  if (problems.length > told.length) told.push(`And ${problems.length - told.length} more.`);
  const quiz = Quiz.safeParse({ ...settingsOf(found), questions: [...questions.values()] });
  return { quiz: quiz.success ? quiz.data : undefined, problems: told };
};
