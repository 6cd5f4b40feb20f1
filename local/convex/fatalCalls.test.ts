// Which calls are not run any more, as threads are lost in them.
import { beforeEach, expect, it } from "vitest";
import { type CallMark, createCallMark, createEnterCall, createLosses } from "./fatalCalls.ts";

const call = (path: string, args = {}, subject?: string) => ({
  target: { component: "", path },
  args,
  identity:
    subject === undefined ? null : { subject, issuer: "i", tokenIdentifier: `i|${subject}` },
});

let mark: CallMark;
let losses: ReturnType<typeof createLosses>;
beforeEach(() => {
  mark = createCallMark();
  losses = createLosses();
});
/** A thread that is lost in this call. */
const loseIn = (one: ReturnType<typeof call>): void => {
  const enter = createEnterCall(mark, losses.fatal());
  enter(one);
  enter(call("m:nested"));
  losses.note(mark);
};

it("is the outermost call in which two threads were lost, with the same arguments and caller", () => {
  const one = call("m:one", { a: 1 }, "kim");
  loseIn(one);
  createEnterCall(mark, losses.fatal())(one)();
  loseIn(one);
  const enter = createEnterCall(mark, losses.fatal());
  expect(() => enter(one)).toThrow("m:one was ended 2 times");
  for (const other of ["m:nested", "m:two"]) enter(call(other))();
  enter(call("m:one", { a: 2 }, "kim"))();
  enter(call("m:one", { a: 1 }))();
  losses.forget();
  expect(losses.fatal()).toEqual([]);
});

it("is none that was over when the thread was lost", () => {
  for (let i = 0; i < 3; i++) {
    const enter = createEnterCall(mark, losses.fatal());
    const leave = enter(call("m:one"));
    enter(call("m:nested"))();
    leave();
    losses.note(mark);
  }
  expect(losses.fatal()).toEqual([]);
});
