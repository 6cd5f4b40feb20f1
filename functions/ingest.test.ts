import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { loadConfig } from "#shared/cloud/config.ts";
import { StageError } from "#shared/contract/errors.ts";
import type { TaskInput } from "#shared/contract/ledger.ts";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { memoryStore } from "../tests/memoryStore.ts";
import { define } from "./ingest.ts";
import { taskHandler } from "./task.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

const INPUT: TaskInput = {
  jobId: "j1",
  videoId: "v1",
  ownerId: "o1",
  url: "https://www.twitch.tv/videos/1234567890",
  options: AnalysisOptions.parse({}),
  stage: "ingest",
  index: 0,
  retryCount: 0,
  startedAt: 0,
  upstream: {},
  warnings: [],
};

/** Runs ingest against a Twitch that refuses everything. @returns the client ids it was asked with */
const askedWith = async (env: NodeJS.ProcessEnv): Promise<Set<string | undefined>> => {
  const ids = new Set<string | undefined>();
  const runtime: Partial<Runtime> = {
    config: loadConfig({
      GOOGLE_CLOUD_PROJECT: "p",
      BUCKET: "bucket",
      CONVEX_URL: "https://convex.example",
      ...env,
    }),
    log: createLog({}, () => undefined),
    shutdown: new AbortController().signal,
    scratchRoot: tmpdir(),
    room: { taskTimeoutMs: 60_000, scratchBytes: 1024 ** 2 },
    store: memoryStore("bucket"),
    fetch: async (_url, request) => {
      ids.add(request?.headers?.["client-id"]);
      throw new StageError("private_address");
    },
    ledger: {
      claim: async () => ({ kind: "run", attempt: 1, leaseMs: 60_000, input: INPUT }),
      fail: async () => ({ kind: "failed", messages: [], deliveryIds: [] }),
    } as unknown as Runtime["ledger"],
    publishDue: async () => undefined,
  };
  const data = Buffer.from(JSON.stringify({ v: 1, jobId: "j1", stage: "ingest", index: 0 }));
  const message = { data: data.toString("base64") };
  const request = { rawBody: Buffer.from(JSON.stringify({ message })) };
  const response = { status: () => ({ end: () => undefined }) };
  const whole = runtime as Runtime;
  await taskHandler(whole, define(whole))(
    request as Parameters<Handler>[0],
    response as unknown as Parameters<Handler>[1],
  );
  return ids;
};

it("asks Twitch under the client id that the environment names", async () => {
  expect(await askedWith({ TWITCH_CLIENT_ID: "mine" })).toEqual(new Set(["mine"]));
});
