// A task that outgrows its function, transition by transition: it is marked, handed over to a Cloud Run job,
// claimed by one of its executions, and given back or failed.
import { expect, it } from "vitest";
import { STAGE_SPECS } from "#shared/contract/stages.ts";
import { World, policy } from "./world.setup.ts";

/** A task whose function's time was up. */
const outgrown = () => {
  const w = new World();
  w.fail("ingest 0", w.start("ingest 0"), "stage_timeout");
  return w;
};
const job = (attempt: number) => ({ by: "job", attempt }) as const;

it.each(["stage_timeout", "resources_exhausted"] as const)(
  "running + %s -> due, outgrown, attempts counted anew",
  (code) => {
    const w = new World();
    w.fail("ingest 0", w.start("ingest 0"), "source_failed");
    expect(w.fail("ingest 0", w.start("ingest 0"), code)).toMatchObject({
      kind: "retry",
      delayMs: 1000,
    });
    expect(w.task("ingest 0")).toMatchObject({ state: "due", outgrown: true, tries: 0 });
  },
);

it("last attempt + stage_timeout -> due, outgrown", () => {
  const w = new World().runUntil("analyze 0");
  for (let i = 1; i < STAGE_SPECS.analyze.maxAttempts; i += 1) {
    w.fail("analyze 0", w.start("analyze 0"));
  }
  expect(w.fail("analyze 0", w.start("analyze 0"), "stage_timeout").kind).toBe("retry");
});

it("running + lease run out once -> running, in a function", () => {
  const w = new World();
  w.start("ingest 0");
  w.now += policy.leaseMs;
  const again = w.claim("ingest 0", { by: "function", mayHandOver: true });
  expect(again).toMatchObject({ kind: "run", attempt: 2 });
});

it("running + lease run out twice -> handed over, attempts counted anew", () => {
  const w = new World();
  for (let i = 0; i < 2; i += 1) {
    w.start("ingest 0");
    w.now += policy.leaseMs;
  }
  expect(w.handOver("ingest 0")).toBe(3);
  expect(w.task("ingest 0")).toMatchObject({ outgrown: true, tries: 1 });
});

it("outgrown + delivery -> handed over, with the time that a job's start takes", () => {
  const w = outgrown();
  expect(w.handOver("ingest 0")).toBe(2);
  expect(w.task("ingest 0")).toMatchObject({
    state: "running",
    handOver: "open",
    leaseUntil: w.now + policy.handOverMs,
  });
});

it("outgrown + delivery where there is no job -> running", () => {
  const w = outgrown();
  expect(w.claim("ingest 0")).toMatchObject({ kind: "run", attempt: 2 });
  expect(w.task("ingest 0").handOver).toBeUndefined();
});

it("handed over + duplicate delivery -> unchanged (busy)", () => {
  const w = outgrown();
  w.handOver("ingest 0");
  const before = w.task("ingest 0");
  expect(w.claim("ingest 0", { by: "function", mayHandOver: true })).toEqual({ kind: "busy" });
  expect(w.task("ingest 0")).toBe(before);
});

it("handed over + the job's process -> running under the same attempt and a task's lease", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.now += 90_000;
  expect(w.claim("ingest 0", job(attempt))).toMatchObject({ kind: "run", attempt });
  expect(w.task("ingest 0")).toMatchObject({
    handOver: "taken",
    tries: 1,
    leaseUntil: w.now + policy.leaseMs,
  });
  expect(w.commit("ingest 0", attempt).kind).toBe("committed");
  expect(w.task("ingest 0").handOver).toBeUndefined();
});

it("running in a job + a second execution -> unchanged (busy)", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.claim("ingest 0", job(attempt));
  const before = w.task("ingest 0");
  expect(w.claim("ingest 0", job(attempt))).toEqual({ kind: "busy" });
  expect(w.task("ingest 0")).toBe(before);
});

it("running in a function + an execution -> unchanged (busy)", () => {
  const w = new World();
  expect(w.claim("ingest 0", job(w.start("ingest 0")))).toEqual({ kind: "busy" });
});

it("handed over, late, not taken over + the job's process -> running", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.now += 10 * policy.handOverMs;
  expect(w.claim("ingest 0", job(attempt))).toMatchObject({ kind: "run" });
});

it("handed over again + the first execution -> stale", () => {
  const w = outgrown();
  const first = w.handOver("ingest 0");
  w.now += policy.handOverMs;
  expect(w.sweep()).toEqual(["ingest 0"]);
  const second = w.handOver("ingest 0");
  expect(w.claim("ingest 0", job(first))).toEqual({ kind: "stale" });
  expect(w.claim("ingest 0", job(second))).toMatchObject({ kind: "run" });
});

it("handed over + release (the job could not be started) -> due, attempt not counted", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  expect(w.release("ingest 0", attempt)).toBe("released");
  expect(w.task("ingest 0")).toMatchObject({ state: "due", tries: 0 });
  expect(w.task("ingest 0").handOver).toBeUndefined();
  expect(w.claim("ingest 0", job(attempt))).toEqual({ kind: "stale" });
  expect(w.handOver("ingest 0")).toBe(attempt + 1);
});

it("running in a job, lease run out -> published, and handed over", () => {
  const w = outgrown();
  w.claim("ingest 0", job(w.handOver("ingest 0")));
  w.now += policy.leaseMs;
  expect(w.sweep()).toEqual(["ingest 0"]);
  w.handOver("ingest 0");
  expect(w.task("ingest 0")).toMatchObject({ tries: 2 });
});

it("running in a job, last lease run out -> job failed (lease_expired)", () => {
  const w = outgrown();
  for (let i = 0; i < STAGE_SPECS.ingest.maxAttempts; i += 1) {
    w.claim("ingest 0", job(w.handOver("ingest 0")));
    w.now += policy.leaseMs;
  }
  w.sweep();
  expect(w.error()).toMatchObject({ code: "lease_expired" });
});

it.each(["stage_timeout", "resources_exhausted"] as const)(
  "running in a job + %s -> job failed at once: nothing is larger",
  (code) => {
    const w = outgrown();
    const attempt = w.handOver("ingest 0");
    w.claim("ingest 0", job(attempt));
    expect(w.fail("ingest 0", attempt, code)).toMatchObject({ kind: "failed" });
    expect(w.error()).toMatchObject({ code });
  },
);

it("running in a job + another failure -> due, and handed over", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.claim("ingest 0", job(attempt));
  expect(w.fail("ingest 0", attempt, "source_failed").kind).toBe("retry");
  expect(w.handOver("ingest 0")).toBe(attempt + 1);
});

it("job canceled + the job's process -> canceled", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.cancel();
  expect(w.claim("ingest 0", job(attempt))).toEqual({ kind: "canceled" });
});

it("done + the job's process -> unchanged (done, with the same messages)", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.claim("ingest 0", job(attempt));
  w.commit("ingest 0", attempt);
  expect(w.claim("ingest 0", job(attempt))).toMatchObject({ kind: "done" });
});

it("failed in a job + retry -> handed over at once", () => {
  const w = outgrown();
  const attempt = w.handOver("ingest 0");
  w.claim("ingest 0", job(attempt));
  w.fail("ingest 0", attempt, "stage_timeout");
  expect(w.retry()).toBe(true);
  expect(w.handOver("ingest 0")).toBe(attempt + 1);
});
