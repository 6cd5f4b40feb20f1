// What generators answer, as a quiz of ours.
import { describe, expect, it } from "vitest";
import { normalizeQuiz } from "./normalizeQuiz.ts";
import { checkQuiz } from "./quiz.ts";

const one = (question: unknown) => {
  const { quiz, problems } = normalizeQuiz({ questions: [question] });
  return { question: quiz?.questions[0], problems };
};
const asked = { question: "Which?", options: ["Red", "Green", "Blue"] };
const chosen = { type: "single", prompt: "Which?", answer: "c2" };

describe("the right choice", () => {
  it.each<[string, object]>([
    ["an index from 0", { correctAnswer: 1 }],
    ["an index in a field of its own", { options: ["3", "1", "2"], correct_index: 1 }],
    ["its text", { correct_answer: " green " }],
    ["a letter", { answer: "B" }],
    ["a letter in brackets", { correct: "(b)" }],
    ["a list of one", { correctAnswers: ["Green"] }],
    ["a number that a choice says", { options: ["40", "42", "44"], answer: 42 }],
    ["a mark", { options: [{ text: "Red" }, { label: "Green", isCorrect: true }] }],
    ["a key of a record", { options: { A: "Red", B: "Green" }, answer: "b" }],
    [
      "the id of a choice",
      {
        choices: [
          { id: "x", text: "R" },
          { id: "y", text: "G" },
        ],
        answer: "y",
      },
    ],
  ])("is told by %s", (_, fields) => {
    expect(
      one({ ...asked, ...("choices" in fields ? { options: undefined } : {}), ...fields }),
    ).toMatchObject({
      question: chosen,
      problems: [],
    });
  });
  it.each<[string, object, RegExp]>([
    ["not told", {}, /which choice is right/],
    ["no choice", { answer: "Black" }, /not one of its choices/],
    ["beyond the last", { answer: 3 }, /not one of its choices/],
    ["a number that may be either", { options: ["1", "2", "3"], answer: 2 }, /not one/],
    ["one of two alike", { options: ["Red", "red"], answer: 0 }, /say the same/],
    ["one without a text", { options: ["Red", ""], answer: 0 }, /no text/],
    ["one alone", { options: ["Red"], answer: 0 }, /at least 2/],
    ["among too many", { options: Array.from({ length: 13 }, (__, i) => `n${i}`) }, /more than 12/],
  ])("is left out when it is %s", (_, fields, problem) => {
    const { question, problems } = one({ ...asked, ...fields });
    expect(question).toBeUndefined();
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });
});

describe("other questions", () => {
  it.each<[string, object, object]>([
    ["several right choices", { ...asked, answer: [0, "Blue"] }, { answer: ["c1", "c3"] }],
    [
      "True and False",
      { question: "So?", options: ["True", "False"], answer: "False" },
      { answer: false },
    ],
    ["a boolean", { question: "So?", answer: true }, { type: "true_false", answer: true }],
    [
      "a boolean in words",
      { type: "true/false", question: "So?", answer: "TRUE" },
      { answer: true },
    ],
    [
      "a number",
      { question: "How many?", answer: 7, tolerance: 1 },
      { type: "numeric", tolerance: 1 },
    ],
    ["a word", { question: "Who?", answer: "Ada" }, { type: "short", answer: ["Ada"] }],
    ["words", { question: "Who?", answers: [], answer: ["Ada", "Lovelace"] }, { type: "short" }],
  ])("has %s", (_, given, question) => {
    expect(one(given)).toMatchObject({ question, problems: [] });
  });
  it.each([null, "what?", 3, [], { options: ["a", "b"] }, { question: "Who?" }])(
    "leaves out %j",
    (given) => {
      expect(one(given)).toMatchObject({
        question: undefined,
        problems: [expect.any(String)],
      });
    },
  );
});

describe("a quiz", () => {
  const question = { ...asked, correctAnswer: 1, explanation: "Grass.", points: 2 };
  it.each<[string, unknown]>([
    ["an object", { questions: [question] }],
    ["a list", [question]],
    ["within another", { data: { quiz: { items: [question] } } }],
    ["JSON", JSON.stringify([question])],
    ["fenced JSON", `\`\`\`json\n${JSON.stringify({ questions: [question] })}\n\`\`\``],
  ])("is found as %s", (_, given) => {
    const { quiz, problems } = normalizeQuiz(given);
    expect(problems).toEqual([]);
    expect(quiz?.questions).toMatchObject([{ ...chosen, explanation: "Grass.", points: 2 }]);
    expect(checkQuiz(quiz)).toEqual(quiz);
  });
  it("of ours stays as it is", () => {
    const own = checkQuiz({
      passPercentage: 50,
      questions: [{ id: "t", type: "true_false", prompt: "So?", answer: true }],
    });
    expect(normalizeQuiz(own)).toEqual({ quiz: own, problems: [] });
  });
  it("keeps the questions that can be used, and says which cannot", () => {
    const { quiz, problems } = normalizeQuiz({
      title: "T",
      passPercentage: 400,
      questions: [{}, question, asked],
    });
    expect(quiz).toMatchObject({ title: "T", passPercentage: 70 });
    expect(quiz?.questions.map(({ id }) => id)).toEqual(["q2"]);
    expect(problems).toEqual([
      "Question 1: it asks nothing.",
      "Question 3: it does not say which choice is right.",
    ]);
  });
  it("cuts a long explanation between two characters", () => {
    const explanation = `${"x".repeat(1999)}\u{1F600}`;
    const { question: cut } = one({ ...asked, answer: 1, explanation });
    expect(cut?.explanation).toBe("x".repeat(1999));
  });
  it("reads what is nothing but long in a moment", () => {
    const long = `a${" ".repeat(130_000)}b`;
    expect(normalizeQuiz(long).quiz).toBeUndefined();
    expect(normalizeQuiz(`\`\`\`json\n${JSON.stringify([question])}\n\`\`\``).problems).toEqual([]);
  });
  it("ends at the limit", () => {
    const { quiz, problems } = normalizeQuiz(Array.from({ length: 103 }, () => question));
    expect(quiz?.questions).toHaveLength(100);
    expect(problems).toEqual([expect.stringMatching(/last 3 questions/)]);
  });
  it.each([undefined, null, {}, "", "no JSON", [], { questions: "many" }, 7])(
    "is not to be had of %j",
    (given) => {
      expect(normalizeQuiz(given)).toMatchObject({
        quiz: undefined,
        problems: [expect.any(String)],
      });
    },
  );
});
