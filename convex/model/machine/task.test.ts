// A task's transitions, a line each: what is, what comes, what becomes of it. Those of a task that outgrows
// its function are in outgrown.test.ts.
import { describe, expect, it } from "vitest";
import { STAGE_SPECS, type Stage } from "#shared/contract/stages.ts";
import { PLAN, type Plan, World, policy } from "./world.setup.ts";

const world = (over: Partial<Plan> = {}) => new World({ ...PLAN, ...over });
/** A world in which this task is due, and all before it done. */
const at = (name: string, over: Partial<Plan> = {}) => world(over).runUntil(name);

describe("claim", () => {
  it("due -> running, first attempt", () => {
    const w = world();
    expect(w.claim("ingest 0")).toMatchObject({ kind: "run", attempt: 1 });
    expect(w.task("ingest 0")).toMatchObject({ state: "running", tries: 1 });
    expect(w.task("ingest 0").leaseUntil).toBe(w.now + policy.leaseMs);
  });
  it("running + duplicate delivery -> unchanged (busy)", () => {
    const w = world();
    w.start("ingest 0");
    const before = { job: w.job, task: w.task("ingest 0") };
    expect(w.claim("ingest 0")).toEqual({ kind: "busy" });
    expect({ job: w.job, task: w.task("ingest 0") }).toEqual(before);
  });
  it("running + lease run out -> running, next attempt", () => {
    const w = world();
    w.start("ingest 0");
    w.now += policy.leaseMs;
    expect(w.claim("ingest 0")).toMatchObject({ kind: "run", attempt: 2 });
  });
  it("running + last lease run out -> job failed (lease_expired)", () => {
    const w = world();
    for (let i = 0; i < STAGE_SPECS.ingest.maxAttempts; i += 1) {
      w.start("ingest 0");
      w.now += policy.leaseMs;
    }
    expect(w.claim("ingest 0")).toMatchObject({ kind: "done", released: [] });
    expect(w.job.status).toBe("Failed");
    expect(w.error()).toMatchObject({ code: "lease_expired", stage: "ingest" });
  });
  it("done -> unchanged (done, with the same messages)", () => {
    const w = world();
    const due = w.run("ingest 0");
    const again = w.claim("ingest 0");
    expect(again).toMatchObject({ kind: "done" });
    expect(due).toEqual(["media 0", "media 1", "chat 0"]);
    w.published.length = 0;
    w.publish(again.kind === "done" ? again.released : []);
    expect(w.published).toEqual(due);
  });
  it("no such task -> stale", () => {
    expect(world().claim("media 0")).toEqual({ kind: "stale" });
  });
  it("job waiting -> stale", () => {
    expect(new World(PLAN, "waiting").claim("ingest 0")).toEqual({ kind: "stale" });
  });
  it("job failed -> stale", () => {
    const w = world();
    w.fail("ingest 0", w.start("ingest 0"), "live_stream");
    expect(w.claim("ingest 0")).toEqual({ kind: "stale" });
  });
  it("job canceled -> canceled", () => {
    const w = world();
    w.cancel();
    expect(w.claim("ingest 0")).toEqual({ kind: "canceled" });
  });
  it("retry in a few seconds + early delivery -> running", () => {
    const w = world();
    w.fail("ingest 0", w.start("ingest 0"));
    expect(w.claim("ingest 0")).toMatchObject({ kind: "run", attempt: 2 });
  });
  it("retry asked for in ten minutes + early delivery -> busy, then swept when due", () => {
    const w = world();
    w.fail("ingest 0", w.start("ingest 0"), "source_rate_limited", 600);
    expect(w.claim("ingest 0")).toEqual({ kind: "busy" });
    w.now += 599_000;
    expect(w.sweep()).toEqual([]);
    w.now += 1000;
    expect(w.sweep()).toEqual(["ingest 0"]);
    expect(w.claim("ingest 0")).toMatchObject({ kind: "run" });
  });
});

describe("heartbeat and release", () => {
  it("running + heartbeat -> lease extended, progress kept", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.now += 50_000;
    expect(w.heartbeat("ingest 0", attempt, 0.4)).toBe("ok");
    expect(w.heartbeat("ingest 0", attempt, 0.2)).toBe("ok");
    expect(w.task("ingest 0")).toMatchObject({
      progress: 0.4,
      leaseUntil: w.now + policy.leaseMs,
    });
  });
  it("taken over + heartbeat of the old attempt -> fenced", () => {
    const w = world();
    const old = w.start("ingest 0");
    w.now += policy.leaseMs;
    w.start("ingest 0");
    expect(w.heartbeat("ingest 0", old)).toBe("fenced");
  });
  it("lease run out, not taken over + heartbeat -> ok", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.now += 10 * policy.leaseMs;
    expect(w.heartbeat("ingest 0", attempt)).toBe("ok");
    expect(w.claim("ingest 0")).toEqual({ kind: "busy" });
  });
  it("job canceled + heartbeat -> canceled", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.cancel();
    expect(w.heartbeat("ingest 0", attempt)).toBe("canceled");
  });
  it("job failed elsewhere + heartbeat -> fenced", () => {
    const w = at("media 0");
    const chat = w.start("media 1");
    w.fail("media 0", w.start("media 0"), "not_media");
    expect(w.heartbeat("media 1", chat)).toBe("fenced");
  });
  it("running + release -> due, attempt not counted", () => {
    const w = world();
    expect(w.release("ingest 0", w.start("ingest 0"))).toBe("released");
    expect(w.task("ingest 0")).toMatchObject({ state: "due", tries: 0, attempt: 1 });
    expect(w.start("ingest 0")).toBe(2);
  });
  it("released + commit of the old attempt -> fenced", () => {
    const w = world();
    const old = w.start("ingest 0");
    w.release("ingest 0", old);
    expect(w.commit("ingest 0", old)).toEqual({ kind: "fenced" });
  });
});

describe("commit", () => {
  it("running + commit -> done", () => {
    const w = world();
    w.run("ingest 0");
    expect(w.task("ingest 0")).toMatchObject({ state: "done", output: { key: "ingest 0" } });
    expect(w.task("ingest 0").sweepAt).toBeUndefined();
  });
  it("done + the same commit -> unchanged (committed, same messages)", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.commit("ingest 0", attempt);
    const { job } = w;
    expect(w.commit("ingest 0", attempt)).toMatchObject({ kind: "repeated" });
    expect(w.job).toBe(job);
  });
  it("taken over + commit of the old attempt -> fenced, unchanged", () => {
    const w = world();
    const old = w.start("ingest 0");
    w.now += policy.leaseMs;
    w.start("ingest 0");
    const before = w.task("ingest 0");
    expect(w.commit("ingest 0", old)).toEqual({ kind: "fenced" });
    expect(w.task("ingest 0")).toBe(before);
  });
  it("done by the new attempt + commit of the old one -> fenced", () => {
    const w = world();
    const old = w.start("ingest 0");
    w.now += policy.leaseMs;
    w.commit("ingest 0", w.start("ingest 0"));
    expect(w.commit("ingest 0", old)).toEqual({ kind: "fenced" });
  });
  it("lease run out, not taken over + commit -> done", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.now += 10 * policy.leaseMs;
    expect(w.commit("ingest 0", attempt)).toMatchObject({ kind: "committed" });
  });
  it("job canceled + commit -> canceled", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.cancel();
    expect(w.commit("ingest 0", attempt)).toEqual({ kind: "canceled" });
  });
  it("job failed elsewhere + commit -> fenced", () => {
    const w = at("media 0");
    const attempt = w.start("media 1");
    w.fail("media 0", w.start("media 0"), "not_media");
    expect(w.commit("media 1", attempt)).toEqual({ kind: "fenced" });
  });
});

describe("fail", () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 8000],
  ])("attempt %i failed -> due again after %i ms", (tries, delayMs) => {
    const w = world();
    for (let i = 1; i < tries; i += 1) w.fail("ingest 0", w.start("ingest 0"));
    expect(w.fail("ingest 0", w.start("ingest 0"))).toMatchObject({ kind: "retry", delayMs });
    expect(w.task("ingest 0")).toMatchObject({ state: "due", dueAt: w.now + delayMs });
  });
  it("the other side asks for 30 s -> due again after 30 s", () => {
    const w = world();
    const result = w.fail("ingest 0", w.start("ingest 0"), "source_rate_limited", 30);
    expect(result).toMatchObject({ kind: "retry", delayMs: 30_000 });
  });
  it("the other side asks for a year -> an hour at most", () => {
    const w = world();
    const result = w.fail("ingest 0", w.start("ingest 0"), "source_rate_limited", 31_536_000);
    expect(result).toMatchObject({ kind: "retry", delayMs: 3_600_000 });
  });
  it("due again + the same failure -> unchanged (retry)", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.fail("ingest 0", attempt);
    w.now += 400;
    expect(w.fail("ingest 0", attempt)).toEqual({
      kind: "repeated",
      answer: "retry",
      delayMs: 600,
    });
    expect(w.task("ingest 0").tries).toBe(1);
  });
  it("permanent -> job failed at once", () => {
    const w = world();
    expect(w.fail("ingest 0", w.start("ingest 0"), "live_stream")).toMatchObject({
      kind: "failed",
    });
    expect(w.job).toMatchObject({ status: "Failed", admission: "ended" });
    expect(w.error()).toMatchObject({ code: "live_stream", errorType: "invalid_video_url" });
    expect(w.events.at(-1)).toMatchObject({ type: "status", status: "Failed" });
  });
  it("last attempt failed -> job failed", () => {
    const w = at("analyze 0");
    for (let i = 1; i < STAGE_SPECS.analyze.maxAttempts; i += 1) {
      expect(w.fail("analyze 0", w.start("analyze 0")).kind).toBe("retry");
    }
    expect(w.fail("analyze 0", w.start("analyze 0")).kind).toBe("failed");
  });
  it.each<[Stage, string, string]>([
    ["chat", "chat_unavailable", "invalid_chat_file"],
    ["transcribe", "speech_unavailable", "speech_rejected"],
    ["clips", "clips_incomplete", "invalid_media"],
  ])("%s fails for good -> degraded with %s, the job goes on", (stage, code, failure) => {
    const w = at(`${stage} 0`);
    const result = w.fail(`${stage} 0`, w.start(`${stage} 0`), failure as "internal");
    expect(result.kind).toBe("degraded");
    expect(w.job.warnings).toEqual([{ code, message: `${failure} happened` }]);
    expect(w.task(`${stage} 0`)).toMatchObject({ state: "degraded" });
    expect(w.task(`${stage} 0`).output).toBeUndefined();
    w.runUntil();
    expect(w.job.status).toBe("Completed");
  });
  it("the last of the join is degraded -> analyze", () => {
    const w = world({ media: 1, transcribe: 1, chat: 0 });
    w.run("ingest 0");
    w.run("media 0");
    const from = w.published.length;
    w.fail("transcribe 0", w.start("transcribe 0"), "speech_rejected");
    expect(w.published.slice(from)).toEqual(["analyze 0"]);
  });
  it("two tasks degraded for the same reason -> one warning", () => {
    const w = world({ media: 2, transcribe: 2 });
    for (const name of ["ingest 0", "media 0", "media 1"]) w.run(name);
    for (const name of ["transcribe 0", "transcribe 1"]) {
      w.fail(name, w.start(name), "speech_rejected");
    }
    expect(w.job.warnings).toHaveLength(1);
  });
  it("no sound, and the last chat is lost too -> job failed with chat's reason", () => {
    const w = world({ media: 0, transcribe: 0, chat: 1 });
    w.run("ingest 0");
    expect(w.fail("chat 0", w.start("chat 0"), "invalid_chat_file").kind).toBe("failed");
    expect(w.error()).toMatchObject({ code: "invalid_chat_file", stage: "chat" });
  });
  it("taken over + failure of the old attempt -> fenced", () => {
    const w = world();
    const old = w.start("ingest 0");
    w.now += policy.leaseMs;
    w.start("ingest 0");
    expect(w.fail("ingest 0", old)).toEqual({ kind: "fenced" });
  });
  it("done + failure of the same attempt -> fenced", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.commit("ingest 0", attempt);
    expect(w.fail("ingest 0", attempt)).toEqual({ kind: "fenced" });
  });
});

describe("sweep and dead letter", () => {
  it("due, unclaimed for less than two minutes -> nothing", () => {
    const w = world();
    w.now += policy.unclaimedMs - 1;
    expect(w.sweep()).toEqual([]);
  });
  it("due, unclaimed for two minutes -> published, and again a minute later", () => {
    const w = world();
    w.now += policy.unclaimedMs;
    expect(w.sweep()).toEqual(["ingest 0"]);
    expect(w.sweep()).toEqual([]);
    w.now += policy.sweepAgainMs;
    expect(w.sweep()).toEqual(["ingest 0"]);
  });
  it("running, lease run out -> published", () => {
    const w = world();
    w.start("ingest 0");
    w.now += policy.leaseMs;
    expect(w.sweep()).toEqual(["ingest 0"]);
    expect(w.claim("ingest 0")).toMatchObject({ kind: "run", attempt: 2 });
  });
  it("running, renewed -> nothing", () => {
    const w = world();
    const attempt = w.start("ingest 0");
    w.now += policy.leaseMs - 1;
    w.heartbeat("ingest 0", attempt);
    w.now += policy.leaseMs - 1;
    expect(w.sweep()).toEqual([]);
  });
  it("running, last lease run out, degradable -> degraded, the job goes on", () => {
    const w = at("chat 0");
    for (let i = 0; i < STAGE_SPECS.chat.maxAttempts; i += 1) {
      w.start("chat 0");
      w.now += policy.leaseMs;
    }
    w.sweep();
    expect(w.task("chat 0").state).toBe("degraded");
    expect(w.job.warnings).toMatchObject([{ code: "chat_unavailable" }]);
  });
  it("job ended -> nothing, and never looked at again", () => {
    const w = at("media 0");
    w.cancel();
    w.now += policy.unclaimedMs;
    expect(w.sweep()).toEqual([]);
    expect([...w.tasks.values()].every((task) => task.sweepAt === undefined)).toBe(true);
  });
  it("job waiting -> nothing", () => {
    const w = new World(PLAN, "waiting");
    w.now += 10 * policy.unclaimedMs;
    expect(w.sweep()).toEqual([]);
  });
  it("running under a lease + dead letter -> unchanged", () => {
    const w = world();
    w.start("ingest 0");
    expect(w.deadLetter("ingest 0")).toBe(false);
    expect(w.job.status).toBe("Downloading");
  });
  it("done + dead letter -> unchanged", () => {
    const w = world();
    w.run("ingest 0");
    expect(w.deadLetter("ingest 0")).toBe(false);
  });
  it("due + dead letter -> job failed with the last failure", () => {
    const w = world();
    w.fail("ingest 0", w.start("ingest 0"), "source_unreachable");
    expect(w.deadLetter("ingest 0")).toBe(true);
    expect(w.error()).toMatchObject({ code: "source_unreachable" });
  });
});
