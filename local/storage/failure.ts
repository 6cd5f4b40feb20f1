// An answer that is not a success, in the two forms that Cloud Storage gives it.
import { fullDisk } from "../fullDisk.ts";

export interface Failure {
  status: number;
  /** Code of the XML API, such as `NoSuchKey`. */
  code: string;
  /** Reason of the JSON API, such as `notFound`. */
  reason: string;
}

const FAILURES = {
  badRequest: { status: 400, code: "InvalidArgument", reason: "invalid" },
  malformedHeader: { status: 400, code: "MalformedSecurityHeader", reason: "invalid" },
  expiredToken: { status: 400, code: "ExpiredToken", reason: "invalid" },
  accessDenied: { status: 403, code: "AccessDenied", reason: "forbidden" },
  badSignature: { status: 403, code: "SignatureDoesNotMatch", reason: "forbidden" },
  noSuchKey: { status: 404, code: "NoSuchKey", reason: "notFound" },
  noSuchBucket: { status: 404, code: "NoSuchBucket", reason: "notFound" },
  noSuchUpload: { status: 404, code: "NoSuchUpload", reason: "notFound" },
  methodNotAllowed: { status: 405, code: "MethodNotAllowed", reason: "methodNotAllowed" },
  conflict: { status: 409, code: "Conflict", reason: "conflict" },
  precondition: { status: 412, code: "PreconditionFailed", reason: "conditionNotMet" },
  notModified: { status: 304, code: "NotModified", reason: "notModified" },
  badRange: { status: 416, code: "InvalidRange", reason: "requestedRangeNotSatisfiable" },
  canceled: { status: 499, code: "ClientClosedRequest", reason: "clientClosedRequest" },
  notImplemented: { status: 501, code: "NotImplemented", reason: "notImplemented" },
  // No answer of Cloud Storage's, whose disks are never full; its client gives up on it at once.
  noRoom: { status: 507, code: "InsufficientStorage", reason: "insufficientStorage" },
  internal: { status: 500, code: "InternalError", reason: "internalError" },
} as const satisfies Record<string, Failure>;

export type FailureKind = keyof typeof FAILURES;

export class StorageFailure extends Error {
  override readonly name = "StorageFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }

  get failure(): Failure {
    return FAILURES[this.kind];
  }
}

/**
 * Whatever was thrown; what nobody expected is a 500 that keeps its cause.
 * @param dataDir  for a full disk's sentence
 */
export const toFailure = (error: unknown, dataDir: string): StorageFailure => {
  if (error instanceof StorageFailure) return error;
  const full = fullDisk(error, dataDir);
  if (full) return new StorageFailure("noRoom", full.message, { cause: error });
  return new StorageFailure("internal", "We encountered an internal error. Please try again.", {
    cause: error,
  });
};

export const failureJson = ({ failure, message }: StorageFailure): string =>
  JSON.stringify({
    error: {
      code: failure.status,
      message,
      errors: [{ message, domain: "global", reason: failure.reason }],
    },
  });

const escapeXml = (text: string): string =>
  text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`);

export const failureXml = ({ failure, message }: StorageFailure): string =>
  `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${failure.code}</Code><Message>${escapeXml(message)}</Message></Error>`;
