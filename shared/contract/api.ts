// What goes in and out of the HTTP API, in snake_case as `async-refactor-plan` has it.
// OpenAPI is generated from these; the functions parse with them.
import { z } from "zod";
import { ERROR_CODES, ERROR_TYPES } from "./errors.ts";
import { AnalysisOptions } from "./options.ts";
import { STAGES, STATUSES } from "./stages.ts";
import { Warning } from "./warnings.ts";

export const AnalysisRequest = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(2048)
    .describe("A Twitch VOD, an address of a media file or HLS playlist, or an upload's handle."),
  callback_url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional()
    .describe("Where to post an event when the job ends."),
  options: AnalysisOptions.prefault({}),
});
export type AnalysisRequest = z.infer<typeof AnalysisRequest>;

const Progress = z.object({
  percentage: z.number().min(0).max(100),
  current_stage: z.enum(STATUSES),
  estimated_completion_seconds: z.int().min(0).nullable(),
});

const Links = z.object({ status: z.url(), stream: z.url(), cancel: z.url() });

export const AnalysisResponse = z.object({
  status: z.enum(STATUSES),
  message: z.string(),
  job_id: z.string(),
  video_id: z.string(),
  progress: Progress,
  links: Links,
});
export type AnalysisResponse = z.infer<typeof AnalysisResponse>;

export const OutputLink = z.object({
  name: z.string(),
  content_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  /** Signed, good for an hour. */
  url: z.url(),
});

export const StatusResponse = z.object({
  job_id: z.string(),
  video_id: z.string(),
  url: z.string(),
  status: z.enum(STATUSES),
  progress: Progress,
  stages: z.partialRecord(
    z.enum(STAGES),
    z.object({ done: z.int(), total: z.int(), fraction: z.number().min(0).max(1) }),
  ),
  warnings: z.array(Warning),
  error: z
    .object({
      code: z.enum(ERROR_CODES as [string, ...string[]]),
      error_type: z.enum(ERROR_TYPES),
      message: z.string(),
      retryable: z.boolean(),
      stage: z.enum(STAGES),
    })
    .nullable(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  completed_at: z.iso.datetime().nullable(),
  retry_count: z.int(),
  outputs: z.array(OutputLink),
});
export type StatusResponse = z.infer<typeof StatusResponse>;

export const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(4096).optional(),
  status: z.enum(STATUSES).optional(),
});

export const ListResponse = z.object({
  data: z.array(StatusResponse.omit({ outputs: true })),
  next_cursor: z.string().nullable(),
  has_more: z.boolean(),
});
export type ListResponse = z.infer<typeof ListResponse>;

export const RetryQuery = z.object({ from_stage: z.enum(STAGES).optional() });

/** What a file may be for: the name's ending tells players and tools what is in it. */
export const UploadRequest = z.strictObject({
  filename: z
    .string()
    .min(1)
    .max(255)
    .describe("Becomes the title of its video, as far as it is letters, digits and `_.-`."),
  content_type: z
    .string()
    .max(255)
    .regex(/^[\w.+-]+\/[\w.+-]+$/, "must be a media type")
    .default("application/octet-stream"),
  size_bytes: z.int().positive().optional(),
});
export type UploadRequest = z.infer<typeof UploadRequest>;

export const UploadResponse = z.object({
  handle: z.string().describe("Good as `url`, `options.chat` or `options.captions`."),
  upload_url: z.url().describe("A resumable upload session of Cloud Storage: PUT the bytes here."),
});
export type UploadResponse = z.infer<typeof UploadResponse>;

export const WebhookSecretResponse = z.object({
  secret: z.string().describe("As the Standard Webhooks libraries take it: `whsec_…`."),
});

export const ListFilesQuery = z.object({
  job_id: z.string().max(64).optional(),
  video_id: z.string().max(64).optional(),
});

export const ListFilesResponse = z.object({ files: z.array(OutputLink) });
export type ListFilesResponse = z.infer<typeof ListFilesResponse>;

/** RFC 9457, with our code beside it. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(ERROR_CODES as [string, ...string[]]),
  error_type: z.enum(ERROR_TYPES),
  request_id: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;
