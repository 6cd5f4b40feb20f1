// The closed list of what can go wrong. Each code has exactly one of the error types that
// `convex-schema-updates` names, says whether trying again can help, and has a sentence for the person.

export const ERROR_TYPES = [
  "network_error",
  "invalid_video_url",
  "video_too_large",
  "processing_timeout",
  "insufficient_resources",
  "external_service_error",
  "unknown_error",
] as const;
export type ErrorType = (typeof ERROR_TYPES)[number];

interface ErrorSpec {
  errorType: ErrorType;
  retryable: boolean;
  /** HTTP status where the code answers a request. */
  httpStatus: number;
  /** Said when whoever raises the error has nothing more exact to say. */
  message: string;
}

const spec = (
  errorType: ErrorType,
  retryable: boolean,
  httpStatus: number,
  message: string,
): ErrorSpec => ({ errorType, retryable, httpStatus, message });

export const ERRORS = {
  // The address or what it names
  invalid_url: spec("invalid_video_url", false, 422, "This is not an address of a video."),
  private_address: spec(
    "invalid_video_url",
    false,
    422,
    "The address leads into a private network, which is not read.",
  ),
  unsupported_source: spec(
    "invalid_video_url",
    false,
    422,
    "Videos of this site cannot be read yet.",
  ),
  video_not_found: spec("invalid_video_url", false, 404, "There is no video at this address."),
  video_restricted: spec(
    "invalid_video_url",
    false,
    403,
    "The video is for subscribers or signed-in viewers only.",
  ),
  live_stream: spec(
    "invalid_video_url",
    false,
    422,
    "The stream is live; hand it over when it has ended.",
  ),
  not_media: spec("invalid_video_url", false, 422, "The file is neither video nor sound."),
  empty_file: spec("invalid_video_url", false, 422, "The file is empty."),
  invalid_media: spec("invalid_video_url", false, 422, "Nothing in the file can be decoded."),
  invalid_playlist: spec("invalid_video_url", false, 422, "The playlist cannot be read."),
  nothing_to_analyze: spec(
    "invalid_video_url",
    false,
    422,
    "The video has neither sound nor chat, so there is nothing to analyse.",
  ),
  invalid_chat_file: spec("invalid_video_url", false, 422, "The chat file cannot be read."),
  invalid_captions: spec("invalid_video_url", false, 422, "The subtitle file cannot be read."),
  // Limits
  video_too_long: spec("video_too_large", false, 422, "The video is longer than the limit."),
  video_too_large: spec("video_too_large", false, 413, "The video has more bytes than the limit."),
  too_many_segments: spec("video_too_large", false, 422, "The playlist has too many segments."),
  // The way there
  source_unreachable: spec("network_error", true, 502, "The video's server cannot be reached."),
  source_failed: spec("network_error", true, 502, "The video's server answered with an error."),
  source_changed: spec("network_error", true, 502, "The video changed while it was read."),
  // Services we lean on
  source_rate_limited: spec(
    "external_service_error",
    true,
    503,
    "The video's server asks for fewer requests.",
  ),
  twitch_failed: spec("external_service_error", true, 502, "Twitch answered with an error."),
  chat_unavailable: spec("external_service_error", true, 502, "The chat replay cannot be read."),
  speech_unavailable: spec(
    "external_service_error",
    true,
    502,
    "The transcription service cannot be reached.",
  ),
  speech_rejected: spec(
    "external_service_error",
    false,
    502,
    "The transcription service refused the request.",
  ),
  study_unavailable: spec(
    "external_service_error",
    true,
    502,
    "The service that writes notes and quizzes cannot be reached.",
  ),
  study_rejected: spec(
    "external_service_error",
    false,
    502,
    "The service that writes notes and quizzes refused the request, or its answer is of no use.",
  ),
  study_not_configured: spec(
    "external_service_error",
    false,
    503,
    "Nothing that writes notes and quizzes is set up here.",
  ),
  storage_unavailable: spec("external_service_error", true, 503, "Storage cannot be reached."),
  ledger_unavailable: spec("external_service_error", true, 503, "The database cannot be reached."),
  // Time and room
  stage_timeout: spec("processing_timeout", true, 504, "A step took longer than its limit."),
  lease_expired: spec("processing_timeout", true, 504, "A step stopped answering."),
  resources_exhausted: spec(
    "insufficient_resources",
    true,
    503,
    "A step ran out of memory or disk.",
  ),
  too_many_jobs: spec("insufficient_resources", true, 429, "Too many videos are waiting."),
  rate_limited: spec("insufficient_resources", true, 429, "Too many requests."),
  // Requests
  invalid_request: spec("unknown_error", false, 422, "The request is not valid."),
  malformed_json: spec("unknown_error", false, 400, "The request's body is not JSON."),
  body_too_large: spec("unknown_error", false, 413, "The request's body is too large."),
  unauthorized: spec("unknown_error", false, 401, "An API key or a bearer token is needed."),
  forbidden: spec("unknown_error", false, 403, "This is not yours."),
  not_found: spec("unknown_error", false, 404, "There is no such thing."),
  method_not_allowed: spec("unknown_error", false, 405, "This method is not allowed here."),
  conflict: spec("unknown_error", false, 409, "The job's state does not allow this."),
  idempotency_mismatch: spec(
    "unknown_error",
    false,
    422,
    "The idempotency key was used with another request.",
  ),
  internal: spec("unknown_error", true, 500, "Something went wrong on our side."),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** What ends so in a function may get through where there is more time and room. */
export const OUTGROWN_CODES = [
  "stage_timeout",
  "resources_exhausted",
] as const satisfies ErrorCode[];

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** What is recorded of a failure, and shown. `details` is for the log, never for the person. */
export interface ErrorRecord {
  code: ErrorCode;
  errorType: ErrorType;
  message: string;
  retryable: boolean;
  details?: string;
}

/**
 * A failure with a code of the closed list and a sentence for the person.
 * Whether it is tried again follows from the code.
 */
export class StageError extends Error {
  override readonly name = "StageError";
  readonly code: ErrorCode;
  /** Wait at least this long before the next try, where the other side said so. */
  readonly retryAfterSec: number | undefined;

  constructor(
    code: ErrorCode,
    message: string = ERRORS[code].message,
    options: { cause?: unknown; retryAfterSec?: number } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryAfterSec = options.retryAfterSec;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

const MAX_DETAILS = 4000;

/** What an error says; of one that stands for several tries at connecting, which has no words, its code. */
const sentenceOf = (error: Error): string =>
  error.message || ((error as NodeJS.ErrnoException).code ?? "");

/** An error and its causes, one a line, for the log; no stack, at most 4,000 characters. */
export const describeError = (error: unknown): string => {
  const lines: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 6; depth += 1) {
    lines.push(at instanceof Error ? `${at.name}: ${sentenceOf(at)}` : JSON.stringify(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines.join("\n").slice(0, MAX_DETAILS);
};

const isOutOfRoom = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT"].includes((error as { code?: unknown } | null)?.code as string);

/** Any thrown value as a record; what is not a `StageError`, and no full disk, is `internal`. */
export const toErrorRecord = (error: unknown): ErrorRecord => {
  const other = isOutOfRoom(error) ? "resources_exhausted" : "internal";
  const code = error instanceof StageError ? error.code : other;
  const { errorType, retryable, message } = ERRORS[code];
  return {
    code,
    errorType,
    retryable,
    message: error instanceof StageError ? error.message : message,
    details: describeError(error),
  };
};
