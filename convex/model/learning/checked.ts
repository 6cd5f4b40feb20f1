// Content that an author hands in, checked at once and with everything that is wrong with it.
import { z } from "zod";
import { refuse } from "../access.ts";

/** More problems than this are counted, not told. */
const MAX_PROBLEMS = 50;

/** Plain text that says something. */
export const plainText = (maxChars: number) =>
  z
    .string()
    .max(maxChars, `must have at most ${maxChars} characters`)
    .refine((given) => given.trim() !== "", "must not be empty");

export interface Problem {
  /** Where it is: `questions[2].choices[0].text`; "" for the whole. */
  path: string;
  message: string;
}

const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");

/** A Zod error as problems. */
export const problemsOf = (error: z.ZodError): Problem[] =>
  error.issues.map(({ path, message }) => ({ path: pathOf(path), message }));

/** @param what  that they are of, for the sentence: "The quiz" */
export const refuseProblems = (what: string, problems: readonly Problem[]) => {
  const told = problems.slice(0, MAX_PROBLEMS);
  const list = told.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
  const rest = problems.length - told.length;
  return refuse(
    "invalid_request",
    `${what} cannot be used: ${list}${rest > 0 ? `; and ${rest} more` : ""}.`,
    { problems: told.map(({ path, message }) => ({ path, message })) },
  );
};

/**
 * A value that a schema takes, with its defaults.
 * @param what  for the sentence: "The quiz"
 * @throws {ConvexError} `invalid_request`; `details.problems` has each one with its path
 */
export const checked = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw refuseProblems(what, problemsOf(parsed.error));
  return parsed.data;
};
