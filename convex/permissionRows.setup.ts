// What a row of the permission table says, and the kinds of rows there are.
import type { Backend } from "./testing.setup.ts";
import type { World } from "./world.setup.ts";

/** `ok`, or the code of the refusal. Codes beside `unauthorized` and `forbidden` are of the call. */
export type Outcome = string;

/** Who calls: Lea takes part in Ada's published course, Ivo teaches somewhere else. */
export const CALLERS = ["nobody", "owner", "learner", "other", "pipeline", "admin"] as const;
export type CallerName = (typeof CALLERS)[number];

export const callerIn = (backend: Backend, name: CallerName) =>
  ({
    nobody: () => backend.nobody,
    learner: () => backend.user("lea"),
    other: () => backend.user("ivo", "instructor"),
    pipeline: () => backend.service,
    admin: () => backend.user("root", "admin"),
    owner: () => backend.user("ada", "instructor"),
  })[name]();

export interface Row {
  /** Said of a second row for one function. */
  about?: string;
  args: (world: World) => Record<string, unknown>;
  /** The rows of a function name every caller. */
  expected: Partial<Record<CallerName, Outcome>>;
}

type Args = Row["args"] | Record<string, unknown>;
const argsOf = (args: Args): Row["args"] => (typeof args === "function" ? args : () => args);
const PEOPLE = { nobody: "unauthorized", pipeline: "forbidden" } as const;

/** Only the pipeline; that the call makes sense is asked elsewhere. */
export const PIPELINE = "pipeline";
/** Not called from outside. */
export const BACKEND = "backend";

/** For everybody who is signed in, about themselves. */
export const anybody = (args: Args, outcome = "ok"): Row => ({
  args: argsOf(args),
  expected: { ...PEOPLE, learner: outcome, other: outcome, admin: outcome, owner: outcome },
});
/** About something of Ada's, which is not there for others. */
export const ownersOnly = (args: Args, outcome = "ok"): Row => ({
  args: argsOf(args),
  expected: {
    ...PEOPLE,
    learner: "not_found",
    other: "not_found",
    admin: outcome,
    owner: outcome,
  },
});
/** For whoever makes courses, about themselves. */
export const instructors = (args: Args, outcome = "ok"): Row => ({
  args: argsOf(args),
  expected: { ...PEOPLE, learner: "forbidden", other: outcome, admin: outcome, owner: outcome },
});
/** Changes Ada's published course. */
export const editors = (args: Args, outcome = "ok"): Row => ({
  args: argsOf(args),
  expected: { ...PEOPLE, learner: "forbidden", other: "forbidden", admin: outcome, owner: outcome },
});
/** Changes Ada's draft, of which others know nothing. */
export const draftEditors = (args: Args, outcome = "ok"): Row => ({
  about: "a draft",
  args: argsOf(args),
  expected: { ...PEOPLE, learner: "forbidden", other: "not_found", admin: outcome, owner: outcome },
});
/** For whoever runs the deployment. */
export const operators = (args: Args, outcome = "ok"): Row => ({
  args: argsOf(args),
  expected: {
    nobody: "unauthorized",
    learner: "forbidden",
    other: "forbidden",
    pipeline: outcome,
    admin: outcome,
    owner: "forbidden",
  },
});
/** For its owner and the pipeline. */
export const known = (args: Args): Row => ({
  args: argsOf(args),
  expected: {
    nobody: "unauthorized",
    learner: "not_found",
    other: "not_found",
    pipeline: "ok",
    admin: "ok",
    owner: "ok",
  },
});
export const everybody = (args: Args, outcome: string): Row => ({
  args: argsOf(args),
  expected: {
    nobody: outcome,
    learner: outcome,
    other: outcome,
    pipeline: outcome,
    admin: outcome,
    owner: outcome,
  },
});
export const but = (row: Row, expected: Partial<Row["expected"]>): Row => ({
  ...row,
  expected: { ...row.expected, ...expected },
});

/** What can be done once: the owner does it in a world where the admin did not. */
export const once = (row: Row): Row[] => {
  const { owner, ...others } = row.expected;
  return [
    { ...row, expected: others },
    { ...row, expected: owner === undefined ? {} : { owner } },
  ];
};
