// Takes new work: videos and uploads. What one may ask of a job that is there, `status` answers.
import { setTimeout as delay } from "node:timers/promises";
import { AnalysisRequest, UploadRequest } from "#shared/contract/api.ts";
import type { JobView } from "#shared/contract/ledger.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { submitJob } from "#shared/jobs/submit.ts";
import { createUpload } from "#shared/jobs/uploads.ts";
import { toAnalysisResponse, toStatusResponse } from "#shared/jobs/view.ts";
import { RequestError, parseOr422 } from "./http/problem.ts";
import { type Call, createRouter } from "./http/router.ts";
import { createService } from "./http/service.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

const MAX_KEY_LENGTH = 255;
/** How long `run_pipeline` waits for the end before it answers as things stand. */
const RUN_WAIT_MS = 540_000;
const RUN_POLL_MS = 1000;

const idempotencyKeyOf = ({ req }: Call): string | undefined => {
  const key = req.get("idempotency-key");
  if (key !== undefined && (key === "" || key.length > MAX_KEY_LENGTH))
    throw new RequestError("invalid_request", [
      { path: "Idempotency-Key", message: `must have 1 to ${MAX_KEY_LENGTH} characters` },
    ]);
  return key;
};

export const create = (runtime: Runtime): Handler => {
  const { spec, config, log, ledger, store, publishDue, shutdown } = runtime;
  const service = createService(runtime);

  const submit = async (call: Call): Promise<JobView> => {
    const ownerId = await service.ownerOf(call);
    const request = parseOr422(AnalysisRequest, await call.json());
    const idempotencyKey = idempotencyKeyOf(call);
    const deps = { ledger, bucket: store.bucket, publish: publishDue };
    return submitJob({ ownerId, request, idempotencyKey }, deps);
  };

  const analysis = async (call: Call) => {
    const job = await submit(call);
    call.res.status(202).json(toAnalysisResponse(job, service.addresses(call).status));
  };

  const runPipeline = async (call: Call) => {
    const ownerId = await service.ownerOf(call);
    let job = await submit(call);
    const untilMs = performance.now() + RUN_WAIT_MS;
    const waits = () => performance.now() < untilMs && !shutdown.aborted && !call.res.closed;
    while (!isTerminal(job.status) && waits()) {
      await delay(RUN_POLL_MS);
      job = (await ledger.job({ jobId: job.jobId, ownerId })) ?? job;
    }
    const outputs = await service.outputsOf(job);
    call.res.status(isTerminal(job.status) ? 200 : 202).json(toStatusResponse(job, outputs));
  };

  const uploads = async (call: Call) => {
    const ownerId = await service.ownerOf(call);
    const request = parseOr422(UploadRequest, await call.json());
    const deps = { store, limits: config.limits };
    const upload = await createUpload(ownerId, request, deps, call.req.get("origin"));
    call.res.status(201).json(upload);
  };

  const routes = spec.trigger.kind === "http" ? spec.trigger.routes : [];
  const handlers = {
    "POST /analysis": analysis,
    "POST /uploads": uploads,
    "POST /run_pipeline": runPipeline,
  };
  return createRouter(routes, handlers, log);
};
