// Takes a video: checks what can be checked without leaving the machine, writes the job, and lets
// the first task go. Nothing here waits for the video's server, so the answer is quick.
import { createHash, randomUUID } from "node:crypto";
import type { AnalysisRequest } from "../contract/api.ts";
import { StageError } from "../contract/errors.ts";
import type { CreateJobRequest, JobView } from "../contract/ledger.ts";
import type { TaskMessage } from "../contract/messages.ts";
import type { AnalysisOptions } from "../contract/options.ts";
import { checkUrl } from "../source/address.ts";
import { type SourceRef, parseSourceUrl } from "../source/parseUrl.ts";
import type { JobLedger } from "./ledger.ts";
import { ownsUpload } from "./uploads.ts";

export interface SubmitDeps {
  ledger: Pick<JobLedger, "createJob">;
  bucket: string;
  publish(messages: TaskMessage[], deliveryIds: string[]): Promise<void>;
}

export interface Submission {
  ownerId: string;
  request: AnalysisRequest;
  idempotencyKey: string | undefined;
}

type Named = Pick<CreateJobRequest, "url" | "provider" | "twitchId">;

/** The video under its one canonical address. @throws {StageError} for what cannot be read */
const canonical = (ref: SourceRef): Named => {
  switch (ref.kind) {
    case "twitch_vod":
      return {
        url: `https://www.twitch.tv/videos/${ref.id}`,
        provider: "twitch",
        twitchId: ref.id,
      };
    case "twitch_clip":
      throw new StageError("unsupported_source", "Twitch clips cannot be read yet; VODs can.");
    case "youtube":
      throw new StageError("unsupported_source", "YouTube videos cannot be read yet.");
    case "upload":
      return { url: `gs://${ref.bucket}/${ref.object}`, provider: "upload" };
    case "media":
      return { url: ref.url, provider: "url" };
  }
};

/** @param url the canonical address: as it was pasted, it may have blanks around it */
const requireOwnUploads = ({ ownerId, request }: Submission, url: string, bucket: string) => {
  const { chat, captions } = request.options;
  const handles = [url, captions, chat].filter(
    (value): value is string => typeof value === "string" && value.startsWith("gs://"),
  );
  if (!handles.every((handle) => ownsUpload(ownerId, bucket, handle)))
    throw new StageError("not_found", "There is no such upload of yours.");
};

/** A link to a moment means "from here on", unless the request says otherwise. */
const optionsFrom = ({ options }: AnalysisRequest, ref: SourceRef): AnalysisOptions => {
  if (options.start_sec !== undefined || !("startSec" in ref)) return options;
  const { startSec = 0 } = ref;
  if (options.end_sec !== undefined && startSec >= options.end_sec)
    throw new StageError("invalid_request", `The link leads to ${startSec} s, behind end_sec.`);
  return { ...options, start_sec: startSec };
};

/**
 * @returns the job, new or the one that the same idempotency key made before
 * @throws {StageError} with the code that tells what is wrong with the request
 */
export const submitJob = async (submission: Submission, deps: SubmitDeps): Promise<JobView> => {
  const { ownerId, request, idempotencyKey } = submission;
  const ref = parseSourceUrl(request.url);
  const named = canonical(ref);
  requireOwnUploads(submission, named.url, deps.bucket);
  if (request.callback_url) checkUrl(request.callback_url);

  const answer = await deps.ledger.createJob({
    ownerId,
    ...named,
    options: optionsFrom(request, ref),
    ...(request.callback_url ? { callbackUrl: request.callback_url } : {}),
    // Also without a key of the caller's: a lost answer makes us ask again, and never twice the job.
    idempotencyKey: idempotencyKey ?? `request:${randomUUID()}`,
    requestHash: createHash("sha256").update(JSON.stringify(request)).digest("hex"),
  });
  switch (answer.kind) {
    case "idempotency_mismatch":
      throw new StageError("idempotency_mismatch");
    case "too_many_jobs":
      throw new StageError("too_many_jobs", undefined, { retryAfterSec: 60 });
    case "created":
    case "existing":
      await deps.publish(answer.messages, answer.deliveryIds);
      return answer.job;
  }
};
