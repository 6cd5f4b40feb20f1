// Shows and steers jobs that are there: state, list, event stream, signed outputs, cancel, retry.
import { ListFilesQuery, ListQuery } from "#shared/contract/api.ts";
import { StageError } from "#shared/contract/errors.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { outputUrl } from "#shared/jobs/outputs.ts";
import type { OwnedJob } from "#shared/jobs/ledger.ts";
import { streamJob } from "#shared/jobs/stream.ts";
import { toListResponse, toStatusResponse } from "#shared/jobs/view.ts";
import { describeApi } from "./http/description.ts";
import { parseOr422 } from "./http/problem.ts";
import { type Call, createRouter } from "./http/router.ts";
import { createService } from "./http/service.ts";
import { createSteering } from "./http/steering.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

/** A redirect is followed at once; its address need not live long. */
const REDIRECT_SEC = 300;
/** Jobs that `list_files` goes through. */
const LISTED_JOBS = 20;

export const create = (runtime: Runtime): Handler => {
  const { spec, log, ledger, store, shutdown } = runtime;
  const service = createService(runtime);
  const { cancel, retry } = createSteering(runtime, service);

  const status = async (call: Call) => {
    const { job } = await service.jobOf(call);
    call.res.json(toStatusResponse(job, await service.outputsOf(job)));
  };

  const list = async (call: Call) => {
    const ownerId = await service.ownerOf(call);
    const query = parseOr422(ListQuery, call.query);
    call.res.json(toListResponse(await ledger.jobs({ ownerId, ...query })));
  };

  const output = async (call: Call) => {
    const { job } = await service.jobOf(call);
    const url = await outputUrl(job, call.params["name"] ?? "", store, REDIRECT_SEC);
    if (url === null) throw new StageError("not_found", "The job has no such output.");
    call.res.redirect(302, url);
  };

  /** The number `afterSeq` where there is such an event, and that of the one behind it. */
  const firstEvents = async (owned: OwnedJob, afterSeq: number) => {
    if (Number.isNaN(afterSeq)) return [];
    const from = Math.max(0, afterSeq - 1);
    const events = (await ledger.events({ ...owned, afterSeq: from, limit: 2 })) ?? [];
    const numbers = events.map(({ seq }) => seq);
    return afterSeq === 0 ? [0, ...numbers] : numbers;
  };

  const stream = async (call: Call) => {
    const { req, res } = call;
    const { job, owned } = await service.jobOf(call);
    const lastId = (req.get("last-event-id") ?? "").trim();
    const afterSeq = /^\d{0,15}$/.test(lastId) ? Number(lastId) : NaN;
    // Behind an event that never was, the stream would wait for the last one for ever.
    const [seen, next] = await firstEvents(owned, afterSeq);
    if (seen !== afterSeq)
      throw new StageError("invalid_request", "Last-Event-ID is not an event's number.");
    if (isTerminal(job.status) && next === undefined) {
      // Tells an EventSource not to come back.
      res.status(204).end();
      return;
    }
    const left = new AbortController();
    res.once("close", () => left.abort());
    res.status(200).set({
      "Content-Type": "text/event-stream; charset=utf-8",
      "X-Accel-Buffering": "no",
    });
    res.flushHeaders();
    const signal = AbortSignal.any([left.signal, shutdown]);
    for await (const text of streamJob(owned, afterSeq, ledger, signal)) res.write(text);
    res.end();
  };

  const webhookSecret = async (call: Call) => {
    const secret = await ledger.webhookSecret(await service.ownerOf(call));
    call.res.json({ secret });
  };

  const listFiles = async (call: Call) => {
    const ownerId = await service.ownerOf(call);
    const { job_id: jobId, video_id: videoId } = parseOr422(ListFilesQuery, call.query);
    const { jobs } =
      jobId === undefined
        ? await ledger.jobs({ ownerId, status: "Completed", limit: LISTED_JOBS })
        : { jobs: [await ledger.job({ jobId, ownerId })].filter((job) => job !== null) };
    const wanted = jobs.filter((job) => videoId === undefined || job.videoId === videoId);
    const files = (await Promise.all(wanted.map((job) => service.outputsOf(job)))).flat();
    call.res.json({ files });
  };

  const routes = spec.trigger.kind === "http" ? spec.trigger.routes : [];
  const handlers = {
    "GET /analysis": list,
    "GET /analysis/:job_id/status": status,
    "GET /analysis/:job_id/stream": stream,
    "GET /analysis/:job_id/outputs/*name": output,
    "POST /analysis/:job_id/cancel": cancel,
    "POST /analysis/:job_id/retry": retry,
    "GET /webhook_secret": webhookSecret,
    "GET /list_files": listFiles,
    "GET /list_output_files": listFiles,
    "GET /health": async ({ res }: Call) => void res.json({ status: "ok" }),
    "GET /openapi.json": async (call: Call) =>
      void call.res.json(describeApi(service.addresses(call))),
  };
  return createRouter(routes, handlers, log);
};
