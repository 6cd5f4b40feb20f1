// What a quiz may be, how one attempt shows it, what may be answered, and what that is worth.
import { describe, expect, it } from "vitest";
import { type SentAnswers, mergeAnswers } from "./answers.ts";
import { checkAssignment } from "./assignment.ts";
import { foldedText, gradeAttempt } from "./grading.ts";
import { type Question, type Quiz, checkQuiz, quizForLearner } from "./quiz.ts";
import { paperOf } from "./shuffle.ts";

const choices = ["a", "b", "c", "d"].map((id) => ({ id, text: `Choice ${id}` }));
const single = { id: "s", type: "single", prompt: "One?", choices, answer: "b" };
const multiple = { id: "m", type: "multiple", prompt: "Which?", choices, answer: ["a", "c"] };
const trueFalse = { id: "t", type: "true_false", prompt: "True?", answer: true };
const short = { id: "w", type: "short", prompt: "Who?", answer: ["Straße", "the  Road"] };
const numeric = { id: "n", type: "numeric", prompt: "How many?", answer: 0.3, tolerance: 0.01 };
const quizOf = (...questions: unknown[]): Quiz => checkQuiz({ questions });

const problemsOf = (run: () => unknown): string[] => {
  try {
    run();
  } catch (error) {
    const { data } = error as {
      data: { code: string; details: { problems: { path: string; message: string }[] } };
    };
    expect(data.code).toBe("invalid_request");
    return data.details.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  throw new Error("It was taken.");
};

describe("checkQuiz", () => {
  it("fills in defaults", () => {
    expect(quizOf(trueFalse)).toEqual({
      passPercentage: 70,
      shuffleQuestions: false,
      shuffleChoices: false,
      questions: [{ ...trueFalse, points: 1 }],
    });
  });
  it("tells all that is wrong, and where", () => {
    const problems = problemsOf(() =>
      checkQuiz({
        passPercentage: 101,
        timeLimitSec: Number.POSITIVE_INFINITY,
        questions: [
          { ...single, answer: "z", prompt: " " },
          { ...multiple, choices: [choices[0], choices[0]], answer: ["a", "a"] },
          { ...numeric, answer: Number.NaN, tolerance: -1 },
          { ...short, answer: [] },
          { ...trueFalse, id: "__proto__", points: 0 },
        ],
      }),
    );
    for (const path of [
      "passPercentage",
      "timeLimitSec",
      "questions[0].prompt",
      "questions[0].answer",
      "questions[1].choices[1].id",
      "questions[1].answer",
      "questions[2].answer",
      "questions[2].tolerance",
      "questions[3].answer",
      "questions[4].id",
      "questions[4].points",
    ]) {
      expect(problems.map((problem) => problem.split(":")[0])).toContain(path);
    }
  });
  it.each([
    ["nothing", undefined],
    ["no questions", { questions: [] }],
    ["too many questions", { questions: Array.from({ length: 101 }, () => trueFalse) }],
    ["the same id twice", { questions: [trueFalse, trueFalse] }],
    [
      "too many choices",
      { questions: [{ ...single, choices: Array.from({ length: 13 }, () => choices[1]) }] },
    ],
    ["a misspelt field", { questions: [trueFalse], passPercent: 3 }],
    ["a long prompt", { questions: [{ ...trueFalse, prompt: "x".repeat(2001) }] }],
  ])("refuses %s", (_, quiz) => {
    expect(problemsOf(() => checkQuiz(quiz))).not.toEqual([]);
  });
});

it("checkAssignment fills in defaults, and refuses what cannot be handed in", () => {
  expect(checkAssignment({ instructions: "Write." })).toEqual({
    instructions: "Write.",
    maxPoints: 100,
    passPercentage: 70,
    accepts: ["text", "url"],
  });
  expect(problemsOf(() => checkAssignment({ maxPoints: 0, accepts: [] }))).toHaveLength(3);
});

describe("quizForLearner", () => {
  it("is the cover alone", () => {
    const cover = quizForLearner(checkQuiz({ title: "T", timeLimitSec: 60, questions: [single] }));
    expect(cover).toEqual({
      title: "T",
      passPercentage: 70,
      timeLimitSec: 60,
      questionCount: 1,
      maxPoints: 1,
    });
  });
  it("is nothing of what is no quiz", () => {
    expect(quizForLearner({ questions: [{ answer: "the key" }] })).toBeNull();
  });
});

describe("an attempt's paper", () => {
  const quiz = checkQuiz({
    shuffleQuestions: true,
    shuffleChoices: true,
    questions: [single, multiple, trueFalse, short, numeric],
  });
  const chosen = (question: Question | undefined): string[] =>
    question && "choices" in question
      ? question.choices.filter(({ id }) => question.answer.includes(id)).map(({ text }) => text)
      : [];

  it("is the same for a seed, and another for another", () => {
    expect(paperOf(quiz, 7)).toEqual(paperOf(quiz, 7));
    const orders = Array.from({ length: 20 }, (_, seed) =>
      paperOf(quiz, seed).questions.map(({ id }) => id),
    );
    expect(new Set(orders.map(String)).size).toBeGreaterThan(10);
    for (const order of orders) expect(order.toSorted()).toEqual(["m", "n", "s", "t", "w"]);
  });
  it("keeps which choices are right, under ids that tell nothing of the author's order", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { questions } = paperOf(quiz, seed);
      const of = (id: string) => questions.find((question) => question.id === id);
      expect(chosen(of("s"))).toEqual(["Choice b"]);
      expect(chosen(of("m")).toSorted()).toEqual(["Choice a", "Choice c"]);
      const shown = of("s");
      const ids = shown && "choices" in shown ? shown.choices.map(({ id }) => id) : [];
      expect(ids.map((id) => id.slice(-2))).toEqual(["-1", "-2", "-3", "-4"]);
      expect(() => checkQuiz(paperOf(quiz, seed))).not.toThrow();
    }
  });
  it("puts the right choice in every place equally often", () => {
    const counts = [0, 0, 0, 0];
    for (let seed = 0; seed < 400; seed += 1) {
      const [question] = paperOf(
        checkQuiz({ shuffleChoices: true, questions: [single] }),
        seed,
      ).questions;
      if (question?.type !== "single") throw new Error("no single");
      const at = question.choices.findIndex(({ id }) => id === question.answer);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(60);
  });
  it("is the quiz as it is, where nothing is to be shuffled", () => {
    const plain = quizOf(single, multiple);
    expect(paperOf(plain, 3)).toEqual(plain);
  });
});

describe("answers", () => {
  const quiz = quizOf(single, multiple, trueFalse, short, numeric);
  it("are added to what was saved, and taken back by null", () => {
    expect(mergeAnswers(quiz, { s: "a", t: true }, { s: "b", t: null, n: 3 })).toEqual({
      s: "b",
      n: 3,
    });
  });
  it.each<[string, SentAnswers]>([
    ["an unknown question", { x: "a" }],
    ["a field of every object", { constructor: "a" }],
    ["an unknown choice", { s: "z" }],
    ["several for one", { s: ["a"] }],
    ["a choice twice", { m: ["a", "a"] }],
    ["one for several", { m: "a" }],
    ["a word for true", { t: "true" }],
    ["a long text", { w: "x".repeat(301) }],
    ["no number", { n: Number.NaN }],
    ["no end", { n: Number.POSITIVE_INFINITY }],
    ["digits in a text", { n: "3" }],
  ])("are refused with %s", (_, sent) => {
    expect(problemsOf(() => mergeAnswers(quiz, {}, { ...sent, t: true, ...sent }))).toHaveLength(1);
  });
});

describe("gradeAttempt", () => {
  it.each<[string, unknown, unknown, boolean]>([
    ["the right choice", single, "b", true],
    ["another choice", single, "a", false],
    ["all right choices, in any order", multiple, ["c", "a"], true],
    ["some of the right choices", multiple, ["a"], false],
    ["every choice", multiple, ["a", "b", "c", "d"], false],
    ["a right choice twice", multiple, ["a", "a"], false],
    ["true", trueFalse, true, true],
    ["false", trueFalse, false, false],
    ["false, where that is right", { ...trueFalse, answer: false }, false, true],
    ["the word in capitals", short, "  STRASSE ", true],
    ["more spaces and a decomposed letter", short, "the\u00a0 r\u006fad", true],
    ["another word", short, "the roads", false],
    ["no word", short, "", false],
    ["the number", numeric, 0.1 + 0.2, true],
    ["the end of the tolerance", numeric, 0.31, true],
    ["beyond the tolerance", numeric, 0.3101, false],
    ["nothing", single, undefined, false],
  ])("%s", (_, question, answer, correct) => {
    const quiz = quizOf(question);
    const [{ id }] = quiz.questions as [Question];
    const grade = gradeAttempt(quiz, answer === undefined ? {} : { [id]: answer as string });
    expect(grade).toMatchObject({ passed: correct, percentage: correct ? 100 : 0, maxPoints: 1 });
    expect(grade.questions).toEqual([{ id, correct, points: correct ? 1 : 0, maxPoints: 1 }]);
  });
  it("counts nothing that an object has of itself", () => {
    expect(gradeAttempt(quizOf({ ...trueFalse, id: "constructor" }), {}).points).toBe(0);
  });
  it.each([
    [1, 199, 1, false],
    [29, 171, 15, false],
    [139, 61, 70, true],
    [138, 62, 69, false],
    [199, 1, 99, true],
  ])("rounds %i of %i more half up to %i %%", (right, wrong, percentage, passed) => {
    const quiz = quizOf({ ...trueFalse, points: right }, { ...trueFalse, id: "u", points: wrong });
    expect(gradeAttempt(quiz, { t: true })).toMatchObject({ percentage, passed });
  });
});

it("folds texts to what they say", () => {
  expect(["Ａ  b\tC", "ﬁn", "É", "ΟΔΟΣ"].map(foldedText)).toEqual(["a b c", "fin", "é", "οδος"]);
  expect(foldedText("E\u0301")).toBe(foldedText("é"));
});
