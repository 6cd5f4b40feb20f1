// A new job: its video's row, its place at the gate, its first task.
import type { CreateJobAnswer, CreateJobRequest } from "#shared/contract/ledger.ts";
import { uploadTitle } from "#shared/contract/uploads.ts";
import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { placeFor } from "./admission.ts";
import { openDeliveries } from "./deliveries.ts";
import { policy } from "./env.ts";
import { timeSortedId } from "./id.ts";
import { keepUploads } from "./assets/uploads.ts";
import { findVideo } from "./library/create.ts";
import { insertVideo } from "./library/status.ts";
import { create } from "./machine/lifecycle.ts";
import { startRollups } from "./rollup.ts";
import { insertTask, jobFields, loadTask, messagesOf, takeVideo, writeEvents } from "./store.ts";
import { viewOf } from "./view.ts";

export const createJob = async (
  ctx: MutationCtx,
  request: CreateJobRequest,
): Promise<CreateJobAnswer> => {
  const now = Date.now();
  const { ownerId, idempotencyKey } = request;
  const earlier = await findByKey(ctx, ownerId, idempotencyKey);
  if (earlier) {
    return earlier.requestHash === request.requestHash
      ? { kind: "existing", job: viewOf(earlier), ...(await stillDue(ctx, earlier)) }
      : { kind: "idempotency_mismatch" };
  }
  const place = await placeFor(ctx, ownerId);
  if (place === "refused") return { kind: "too_many_jobs" };

  const jobId = timeSortedId(now);
  const videoId = await findOrCreateVideo(ctx, request, now);
  const change = create(jobId, place, now, policy());
  const { url, provider, options, callbackUrl, requestHash } = request;
  const row = {
    jobId,
    ownerId,
    videoId,
    url,
    provider,
    options,
    callbackUrl,
    idempotencyKey,
    requestHash,
    createdAt: now,
    queuedAt: now,
    ...jobFields(change.job),
  };
  const id = await ctx.db.insert("jobs", row);
  const job: Doc<"jobs"> = { _id: id, _creationTime: now, ...row };
  await takeVideo(ctx, job, now);
  await keepUploads(ctx, job, now);
  await writeEvents(ctx, jobId, change.events);
  for (const task of change.added) await insertTask(ctx, jobId, task);
  if (place === "running") await startRollups(ctx, job, now);
  return {
    kind: "created",
    job: viewOf(job),
    messages: messagesOf(jobId, change.due),
    deliveryIds: [],
  };
};

const findByKey = async (
  ctx: QueryCtx,
  ownerId: string,
  idempotencyKey: string | undefined,
): Promise<Doc<"jobs"> | null> =>
  idempotencyKey === undefined
    ? null
    : ctx.db
        .query("jobs")
        .withIndex("by_owner_and_idempotency_key", (q) =>
          q.eq("ownerId", ownerId).eq("idempotencyKey", idempotencyKey),
        )
        .unique();

/** What whoever created the job may have died before publishing. */
const stillDue = async (ctx: QueryCtx, job: Doc<"jobs">) => {
  const ingest = await loadTask(ctx, job.jobId, "ingest", 0);
  const due = job.admission === "running" && ingest?.state === "due";
  return {
    messages: due ? messagesOf(job.jobId, [{ stage: "ingest", first: 0, count: 1 }]) : [],
    deliveryIds: await openDeliveries(ctx, job.jobId),
  };
};

const findOrCreateVideo = async (
  ctx: MutationCtx,
  request: CreateJobRequest,
  now: number,
): Promise<Id<"videos">> => {
  const known = await findVideo(ctx, request.ownerId, request);
  if (known) return known._id;
  const { ownerId, provider, twitchId, youtubeVideoId, url } = request;
  return insertVideo(ctx, {
    ownerId,
    provider,
    twitchId,
    youtubeVideoId,
    url,
    // Until ingest has found the title.
    title: uploadTitle(url) ?? url,
    createdAt: now,
  });
};
