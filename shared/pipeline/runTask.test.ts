import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { memoryStore } from "../../tests/memoryStore.ts";
import { StageError } from "../contract/errors.ts";
import type { ClaimAnswer, ClaimRequest, FailAnswer, TaskInput } from "../contract/ledger.ts";
import type { TaskMessage } from "../contract/messages.ts";
import { AnalysisOptions } from "../contract/options.ts";
import { stageKey } from "./key.ts";
import type { TaskLedger } from "./ledger.ts";
import { createLog } from "./log.ts";
import { type TaskDeps, runHandedOver, runTask } from "./runTask.ts";
import type { StageContext, StageDefinition, StageResult } from "./stage.ts";

const MESSAGE: TaskMessage = { v: 1, jobId: "j1", stage: "media", index: 2 };
const NEXT: TaskMessage = { v: 1, jobId: "j1", stage: "transcribe", index: 2 };
const INPUT: TaskInput = {
  jobId: "j1",
  videoId: "v1",
  ownerId: "o1",
  url: "https://example.com/a.mp4",
  options: AnalysisOptions.parse({}),
  stage: "media",
  index: 2,
  retryCount: 0,
  startedAt: 0,
  upstream: {},
  warnings: [],
};
const RUN: ClaimAnswer = { kind: "run", attempt: 3, leaseMs: 60_000, input: INPUT };
const RESULT: StageResult = {
  objects: [{ name: "a.json", contentType: "application/json", body: "[1]" }],
  summary: { n: 1 },
};
/** As the stage would have left it, without objects. */
const DONE = JSON.stringify({ v: 1, objects: [], summary: {}, warnings: [] });

let scratchRoot: string;
beforeEach(async () => {
  scratchRoot = await mkdtemp(join(tmpdir(), "run-task-"));
});
afterEach(() => rm(scratchRoot, { recursive: true }));

const setUp = (
  answers: {
    claim?: ClaimAnswer;
    fail?: FailAnswer;
    heartbeat?: "canceled";
    release?: "fenced";
  } = {},
) => {
  const calls: string[] = [];
  const claims: ClaimRequest[] = [];
  const published: TaskMessage[] = [];
  const shutdown = new AbortController();
  const ledger: TaskLedger = {
    claim: async (request) => {
      claims.push(request);
      return answers.claim ?? RUN;
    },
    heartbeat: async () => {
      calls.push("heartbeat");
      return { kind: answers.heartbeat ?? "ok" };
    },
    commit: async ({ output, attempt }) => {
      calls.push(`commit ${attempt} ${JSON.stringify(output.summary)}`);
      return { kind: "committed", messages: [NEXT], deliveryIds: [] };
    },
    fail: async ({ code }) => {
      calls.push(`fail ${code}`);
      return answers.fail ?? { kind: "retry", delayMs: 1000 };
    },
    release: async ({ unlessTaken }) => {
      calls.push(unlessTaken ? "release unless taken" : "release");
      return { kind: answers.release ?? "released" };
    },
  };
  const deps: TaskDeps = {
    ledger,
    store: memoryStore("bucket"),
    publish: async (messages) => void published.push(...messages),
    log: createLog({}, () => undefined),
    scratchRoot,
    scratchBytes: 1024 ** 2,
    taskTimeoutMs: 60_000,
    shutdown: shutdown.signal,
  };
  let runs = 0;
  const run = (
    work: (context: StageContext) => Promise<StageResult> = async () => RESULT,
    message = MESSAGE,
    record?: StageDefinition["record"],
    attempt?: number,
  ) => {
    const definition: StageDefinition = {
      stage: "media",
      version: 1,
      inputs: async () => "same",
      run: (_input, context) => {
        runs += 1;
        return work(context);
      },
      record,
    };
    return attempt === undefined
      ? runTask(message, definition, deps)
      : runHandedOver({ ...message, attempt }, definition, deps);
  };
  return { claims, calls, published, shutdown, deps, run, runs: () => runs };
};

it("due + delivery -> committed, and what became due is published before the acknowledgement", async () => {
  const { run, calls, published } = setUp();
  expect(await run()).toBe("ack");
  expect(calls).toEqual(['commit 3 {"n":1}']);
  expect(published).toEqual([NEXT]);
});

it("done + duplicate delivery -> published again, nothing run", async () => {
  const { run, runs, published } = setUp({
    claim: { kind: "done", messages: [NEXT], deliveryIds: [] },
  });
  expect(await run()).toBe("ack");
  expect(runs()).toBe(0);
  expect(published).toEqual([NEXT]);
});

it.each(["busy", "stale", "canceled"] as const)("%s + delivery -> acknowledged", async (kind) => {
  const { run, runs, calls } = setUp({ claim: { kind } });
  expect(await run()).toBe("ack");
  expect([runs(), calls]).toEqual([0, []]);
});

it("a result that is there already is committed without running the stage again", async () => {
  const { run, runs, calls } = setUp();
  await run();
  await run();
  expect(runs()).toBe(1);
  expect(calls).toHaveLength(2);
});

it("a result that lacks one of its objects is made again", async () => {
  const { run, runs, deps } = setUp();
  await run();
  const [object] = (await deps.store.list("stages/media/")).filter(({ name }) =>
    name.endsWith("a.json"),
  );
  await deps.store.delete(object?.name ?? "");
  await run();
  expect(runs()).toBe(2);
});

it.each([
  ["retry", { kind: "retry", delayMs: 5 }, "nack", []],
  ["degraded", { kind: "degraded", messages: [NEXT], deliveryIds: [] }, "ack", [NEXT]],
  ["failed", { kind: "failed", messages: [NEXT], deliveryIds: [] }, "ack", [NEXT]],
  ["fenced", { kind: "fenced" }, "ack", []],
] as const)("failure + ledger says %s", async (_name, fail, outcome, due) => {
  const { run, calls, published } = setUp({ fail: structuredClone(fail) as FailAnswer });
  const work = async () => {
    throw new StageError("source_failed");
  };
  expect(await run(work)).toBe(outcome);
  expect(calls).toEqual(["fail source_failed"]);
  expect(published).toEqual(due);
});

it("an error that is none of ours is recorded as internal", async () => {
  const { run, calls } = setUp();
  await run(async () => {
    throw new TypeError("x is not a function");
  });
  expect(calls).toEqual(["fail internal"]);
});

it("shutdown -> lease given back, message not acknowledged, scratch folder gone", async () => {
  const { run, calls, shutdown } = setUp();
  let scratchDir = "";
  const outcome = run(async (context) => {
    ({ scratchDir } = context);
    await writeFile(join(scratchDir, "half"), "x");
    shutdown.abort();
    context.signal.throwIfAborted();
    return RESULT;
  });
  expect(await outcome).toBe("nack");
  expect(calls).toEqual(["release"]);
  expect(existsSync(scratchDir)).toBe(false);
  expect(await readdir(scratchRoot)).toEqual([]);
});

it("canceled while running -> stopped and acknowledged", async () => {
  const { run, calls } = setUp({
    claim: { ...RUN, leaseMs: 3 } as ClaimAnswer,
    heartbeat: "canceled",
  });
  const outcome = run(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  );
  expect(await outcome).toBe("ack");
  expect(new Set(calls)).toEqual(new Set(["heartbeat"]));
});

it("canceled while a result is found -> nothing is recorded of it", async () => {
  const { deps, calls, run } = setUp({
    claim: { ...RUN, leaseMs: 3 } as ClaimAnswer,
    heartbeat: "canceled",
  });
  const { put, stat } = deps.store;
  await put(`stages/media/${stageKey("media", 1, "same")}/done.json`, DONE, {
    contentType: "application/json",
  });
  let found = false;
  deps.store = {
    ...deps.store,
    stat: async (name) => {
      found = true;
      await vi.waitFor(() => expect(calls).toContain("heartbeat"));
      return stat(name);
    },
  };
  const record = async () => void calls.push("record");
  expect(await run(undefined, undefined, record)).toBe("ack");
  expect(found).toBe(true);
  expect(new Set(calls)).toEqual(new Set(["heartbeat"]));
});

it("shutdown before the work begins -> not begun, lease given back", async () => {
  const { run, runs, calls, shutdown } = setUp();
  shutdown.abort();
  expect(await run()).toBe("nack");
  expect([runs(), calls]).toEqual([0, ["release"]]);
});

it("a task that takes too long fails as such", async () => {
  const { run, calls, deps } = setUp();
  deps.taskTimeoutMs = 5;
  await run(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  );
  expect(calls).toEqual(["fail stage_timeout"]);
});

it("work whose beginning is not heard of goes on", async () => {
  const { deps, calls } = setUp();
  const definition: StageDefinition = {
    stage: "media",
    version: 1,
    inputs: async () => "same",
    run: async () => RESULT,
    begin: () => Promise.reject(new StageError("ledger_unavailable")),
  };
  expect(await runTask(MESSAGE, definition, deps)).toBe("ack");
  expect(calls).toEqual(['commit 3 {"n":1}']);
});

it("a result is recorded by its attempt before the commit, a found one too", async () => {
  const { run, calls, runs } = setUp();
  const record: StageDefinition["record"] = async ({ jobId }, { summary }, attempt) =>
    void calls.push(`record ${jobId} ${attempt} ${JSON.stringify(summary)}`);
  await run(undefined, undefined, record);
  await run(undefined, undefined, record);
  const both = ['record j1 3 {"n":1}', 'commit 3 {"n":1}'];
  expect(calls).toEqual([...both, ...both]);
  expect(runs()).toBe(1);
});

it("database away while recording -> nothing is settled, and the message is not acknowledged", async () => {
  const { run, calls } = setUp();
  const away = new StageError("ledger_unavailable");
  const outcome = run(undefined, undefined, () => Promise.reject(away));
  await expect(outcome).rejects.toBe(away);
  expect(calls).toEqual([]);
});

describe("a task that has outgrown functions", () => {
  const HAND_OVER: ClaimAnswer = { kind: "hand_over", attempt: 4, leaseMs: 60_000 };
  const task = { jobId: "j1", stage: "media", index: 2 } as const;

  it("is handed to the Cloud Run job with its attempt alone, and acknowledged", async () => {
    const { run, runs, deps, calls, claims } = setUp({ claim: HAND_OVER });
    const started: unknown[] = [];
    deps.startJob = async (handed) => void started.push(handed);
    expect(await run()).toBe("ack");
    expect(claims).toEqual([{ ...task, mayHandOver: true }]);
    expect(started).toEqual([{ ...MESSAGE, attempt: 4 }]);
    expect([runs(), calls]).toEqual([0, []]);
  });

  it("is given back where the job cannot be started, and the message comes again", async () => {
    const { run, deps, calls } = setUp({ claim: HAND_OVER });
    deps.startJob = () => Promise.reject(new Error("Cloud Run answered 429"));
    expect(await run()).toBe("nack");
    expect(calls).toEqual(["release unless taken"]);
  });

  it("is left to an execution that began although nothing was heard of its start", async () => {
    const { run, deps, calls } = setUp({ claim: HAND_OVER, release: "fenced" });
    deps.startJob = () => Promise.reject(new Error("The operation was aborted due to timeout"));
    expect(await run()).toBe("ack");
    expect(calls).toEqual(["release unless taken"]);
  });

  it("is run where there is no such job", async () => {
    const { run, claims } = setUp();
    expect(await run()).toBe("ack");
    expect(claims).toEqual([{ ...task, mayHandOver: false }]);
  });

  it("is run by the job's process under the attempt that it was handed", async () => {
    const { run, calls, claims } = setUp();
    expect(await run(undefined, undefined, undefined, 3)).toBe("ack");
    expect(claims).toEqual([{ ...task, attempt: 3 }]);
    expect(calls).toEqual(['commit 3 {"n":1}']);
  });

  it.each(["busy", "stale", "canceled"] as const)(
    "%s + execution -> settled without effect",
    async (kind) => {
      const { run, runs, calls } = setUp({ claim: { kind } });
      expect(await run(undefined, undefined, undefined, 3)).toBe("ack");
      expect([runs(), calls]).toEqual([0, []]);
    },
  );
});
