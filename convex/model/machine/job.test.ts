// A job's transitions, a line each: what is, what comes, what becomes of it.
import { describe, expect, it } from "vitest";
import type { Stage } from "#shared/contract/stages.ts";
import { PLAN, type Plan, World } from "./world.setup.ts";

const world = (over: Partial<Plan> = {}) => new World({ ...PLAN, ...over });
/** A world in which this task is due, and all before it done. */
const at = (name: string, over: Partial<Plan> = {}) => world(over).runUntil(name);

describe("joins", () => {
  it("media i done -> transcribe i", () => {
    const w = at("media 0");
    expect(w.run("media 1")).toEqual(["transcribe 1"]);
    expect(w.run("media 0")).toEqual(["transcribe 0"]);
  });
  it("all but one of media, transcribe, chat done -> nothing; the last -> analyze", () => {
    const w = world();
    w.run("ingest 0");
    for (const name of ["media 0", "transcribe 0", "chat 0", "media 1"]) {
      expect(w.run(name)).not.toContain("analyze 0");
    }
    expect(w.run("transcribe 1")).toEqual(["analyze 0"]);
  });
  it("no chat -> the join waits for media alone", () => {
    const w = world({ chat: 0, transcribe: 0, media: 1 });
    w.run("ingest 0");
    expect(w.run("media 0")).toEqual(["analyze 0"]);
  });
  it("no media -> the join waits for chat alone", () => {
    const w = world({ media: 0, transcribe: 0, chat: 2 });
    w.run("ingest 0");
    expect(w.run("chat 1")).toEqual([]);
    expect(w.run("chat 0")).toEqual(["analyze 0"]);
  });
  it("neither media nor chat -> job failed (nothing_to_analyze)", () => {
    const w = world({ media: 0, transcribe: 0, chat: 0 });
    expect(w.run("ingest 0")).toEqual([]);
    expect(w.job.status).toBe("Failed");
    expect(w.error()).toMatchObject({ code: "nothing_to_analyze" });
  });
  it("highlights with K = 0 -> finish", () => {
    expect(at("highlights 0", { clips: 0 }).run("highlights 0")).toEqual(["finish 0"]);
  });
  it("highlights with K = 2 -> clips; the last of them -> finish", () => {
    const w = at("highlights 0");
    expect(w.run("highlights 0")).toEqual(["clips 0", "clips 1"]);
    expect(w.run("clips 1")).toEqual([]);
    expect(w.run("clips 0")).toEqual(["finish 0"]);
  });
  it("finish -> job completed, its last event says so", () => {
    const w = at("finish 0");
    w.run("finish 0", { urls: { chatUrl: "gs://b/chat.json" } });
    expect(w.job).toMatchObject({
      status: "Completed",
      admission: "ended",
      progress: 1,
      output: { key: "finish 0" },
      urls: { chatUrl: "gs://b/chat.json" },
    });
    expect(w.events.at(-1)).toMatchObject({ type: "status", status: "Completed" });
  });
});

describe("cancel", () => {
  it("running -> canceled, the last event", () => {
    const w = at("media 0");
    expect(w.cancel()).toBe(true);
    expect(w.job).toMatchObject({ status: "Canceled", admission: "ended" });
    expect(w.events.at(-1)).toMatchObject({ type: "status", status: "Canceled" });
  });
  it("completed -> unchanged", () => {
    const w = world().runUntil();
    expect(w.cancel()).toBe(false);
    expect(w.job.status).toBe("Completed");
  });
});

describe("admission", () => {
  it("created waiting -> Queued, nothing due; admitted -> ingest due", () => {
    const w = new World(PLAN, "waiting");
    expect(w.published).toEqual([]);
    w.admit();
    expect(w.published).toEqual(["ingest 0"]);
    expect(w.runUntil().job.status).toBe("Completed");
  });
});

describe("retry", () => {
  const failedAt = (name: string) => {
    const w = at(name);
    w.fail(name, w.start(name), "invalid_media");
    return w;
  };
  it("failed -> the failed task is due again, earlier results stay", () => {
    const w = failedAt("media 1");
    const done = [...w.tasks.values()].filter((task) => task.state === "done").length;
    w.published.length = 0;
    expect(w.retry()).toBe(true);
    expect(w.published).toContain("media 1");
    expect([...w.tasks.values()].filter((task) => task.state === "done")).toHaveLength(done);
    expect(w.job).toMatchObject({ status: "Downloading", retryCount: 1 });
    expect(w.job.failure).toBeUndefined();
    expect(w.runUntil().job.status).toBe("Completed");
  });
  it("failed with nothing left undone -> the failed stage again", () => {
    const w = world({ media: 0, transcribe: 0, chat: 0 });
    w.run("ingest 0");
    w.published.length = 0;
    w.retry();
    expect(w.published).toEqual(["ingest 0"]);
    expect(w.job.status).toBe("Queued");
  });
  it("canceled -> goes on where it was", () => {
    const w = at("analyze 0");
    w.cancel();
    w.published.length = 0;
    w.retry();
    expect(w.published).toEqual(["analyze 0"]);
    expect(w.job.status).toBe("Analyzing");
  });
  it.each<[Stage, string[]]>([
    ["ingest", ["ingest 0"]],
    ["media", ["media 0", "media 1"]],
    ["chat", ["chat 0"]],
    ["transcribe", ["transcribe 0", "transcribe 1"]],
    ["analyze", ["analyze 0"]],
    ["highlights", ["highlights 0"]],
    ["clips", ["clips 0", "clips 1"]],
    ["finish", ["finish 0"]],
  ])("completed, from %s -> that stage again and what follows", (stage, due) => {
    const w = world().runUntil();
    w.published.length = 0;
    expect(w.retry(stage)).toBe(true);
    expect(w.published.toSorted()).toEqual(due);
    expect(w.runUntil().job.status).toBe("Completed");
  });
  it("completed with chat degraded, no stage named -> from chat, without its warning", () => {
    const w = at("chat 0");
    w.fail("chat 0", w.start("chat 0"), "invalid_chat_file");
    w.runUntil();
    w.published.length = 0;
    w.retry();
    expect(w.published).toEqual(["chat 0"]);
    expect(w.job.warnings).toEqual([]);
    expect(w.task("transcribe 0").state).toBe("done");
  });
  it("a stage never reached -> refused", () => {
    expect(failedAt("media 0").retry("highlights")).toBe(false);
  });
  it("removed and started again + commit of the old attempt -> fenced", () => {
    const w = at("analyze 0");
    const zombie = w.start("analyze 0");
    w.cancel();
    w.retry("ingest");
    w.runUntil("analyze 0");
    w.start("analyze 0");
    expect(w.commit("analyze 0", zombie)).toEqual({ kind: "fenced" });
  });
  it("retried while all places are taken -> Queued until admitted", () => {
    const w = failedAt("analyze 0");
    w.published.length = 0;
    w.retry(undefined, "waiting");
    expect(w.job.status).toBe("Queued");
    expect(w.published).toEqual([]);
    w.admit();
    expect(w.published).toEqual(["analyze 0"]);
    expect(w.job.status).toBe("Analyzing");
  });
});

describe("status", () => {
  it("moves through the documents' values in their order", () => {
    const w = world().runUntil();
    expect(w.statuses()).toEqual([
      "Queued",
      "Downloading",
      "Fetching chat",
      "Transcribing",
      "Analyzing",
      "Finding highlights",
      "Completed",
    ]);
  });
  it("parallel stages may skip one", () => {
    const w = world();
    for (const name of ["ingest 0", "chat 0", "media 0", "media 1"]) w.run(name);
    expect(w.statuses()).toEqual(["Queued", "Downloading", "Transcribing"]);
  });
});
