// The stand-in for Cloud Run's jobs, asked by the client that functions use.
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CATALOG } from "#functions/catalog.ts";
import { createTaskJobs } from "#shared/cloud/taskJobs.ts";
import type { HandedOverTask } from "#shared/contract/messages.ts";
import { gone, isAlive } from "../front/testing/processes.ts";
import { type RunJobs, type RunJobsOptions, startRunJobs } from "./server.ts";

const TASK: HandedOverTask = { v: 1, jobId: "j1", stage: "media", index: 2, attempt: 3 };

/** Writes what it was told, waits for a file to end, and says that it was asked to. */
const CHILD = `
const { existsSync, renameSync, writeFileSync } = require("node:fs");
const at = process.env.OUT + "/" + process.env.CLOUD_RUN_EXECUTION;
process.on("SIGTERM", () => { writeFileSync(at + ".term", ""); process.exit(1); });
writeFileSync(at + ".new", JSON.stringify(process.env));
renameSync(at + ".new", at + ".json");
setInterval(() => existsSync(process.env.OUT + "/end") && process.exit(0), 5);
`;

let folder: string;
let jobs: RunJobs | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-jobs-"));
});
afterEach(async () => {
  await jobs?.close();
  await rm(folder, { recursive: true, maxRetries: 3 });
});

const start = async (over: Partial<RunJobsOptions> = {}): Promise<RunJobs> => {
  jobs = await startRunJobs({
    catalog: CATALOG,
    projectId: "p1",
    region: "local",
    accountOf: (token) => ({ w: "worker@p1", a: "api@p1" })[token],
    executors: ["worker@p1"],
    environment: ({ name }) => ({ OUT: folder, OF: name }),
    output: () => "ignore",
    scratchRoot: folder,
    command: [process.execPath, "-e", CHILD],
    ...over,
  });
  return jobs;
};
const client = ({ origin }: RunJobs, token = "w", region = "local") =>
  createTaskJobs({
    projectId: "p1",
    region,
    endpoint: origin,
    accessToken: () => Promise.resolve(token),
  });
/** What executions have said that they began with, as soon as there are so many. */
const begun = async (count: number): Promise<Record<string, string>[]> => {
  for (;;) {
    const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    if (files.length >= count) {
      const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
      return texts.map((text) => JSON.parse(text) as Record<string, string>);
    }
    await delay(5);
  }
};

it("runs a process that knows its task, and forgets it at its end", async () => {
  const { executions } = await start();
  await client(jobs!)(TASK);
  const [env] = await begun(1);
  expect(JSON.parse(env?.["HANDED_OVER_TASK"] ?? "")).toEqual(TASK);
  expect(env).toMatchObject({ OF: "media", CLOUD_RUN_JOB: "klipstream-media" });
  expect(env?.["TMPDIR"]).toContain(folder);
  expect(executions()).toMatchObject([{ function: "media", name: env?.["CLOUD_RUN_EXECUTION"] }]);
  writeFileSync(join(folder, "end"), "");
  while (executions().length > 0) await delay(5);
});

it.each([
  ["without a good token", 401, "x", "local", TASK],
  ["as an account that may not", 403, "a", "local", TASK],
  ["a job that is not there", 404, "w", "elsewhere", TASK],
] as const)("refuses to run %s", async (_name, status, token, region, task) => {
  const run = client(await start(), token, region);
  await expect(run(task)).rejects.toThrow(`Cloud Run answered ${status}`);
  expect(jobs?.executions()).toEqual([]);
});

it("refuses what the API does not know", async () => {
  const { origin } = await start();
  const response = await fetch(
    `${origin}/v2/projects/p1/locations/local/jobs/klipstream-media:run`,
    {
      method: "POST",
      headers: { authorization: "Bearer w" },
      body: JSON.stringify({ overrides: { containerOverrides: [{ environment: [] }] } }),
    },
  );
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { status: "INVALID_ARGUMENT" } });
});

it("has executions wait while too many are at work", async () => {
  const { executions } = await start({ maxExecutions: 1 });
  await client(jobs!)(TASK);
  await client(jobs!)({ ...TASK, index: 3 });
  await begun(1);
  expect(executions().map(({ pid }) => pid > 0)).toEqual([true, false]);
  writeFileSync(join(folder, "end"), "");
  expect(await begun(2)).toHaveLength(2);
});

it("tells an execution to end when its time is up, and when it stops itself", async () => {
  const catalog = CATALOG.map((spec) =>
    spec.name === "media" && spec.job ? { ...spec, job: { ...spec.job, timeoutSec: 0.001 } } : spec,
  );
  const { executions } = await start({ catalog, graceMs: 5_000 });
  await client(jobs!)(TASK);
  while (executions().length > 0) await delay(5);
  writeFileSync(join(folder, "none.json"), "{}");
  await client(jobs!)({ ...TASK, stage: "clips" });
  const isClips = ({ OF }: Record<string, string>) => OF === "clips";
  while (!(await begun(1)).some(isClips)) await delay(5);
  const env = (await begun(1)).find(isClips);
  const pid = executions()[0]?.pid ?? 0;
  expect(isAlive(pid)).toBe(true);
  await jobs?.close();
  await gone(pid);
  expect(existsSync(join(folder, `${env?.["CLOUD_RUN_EXECUTION"]}.term`))).toBe(true);
});
