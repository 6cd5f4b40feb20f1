// Errors as RFC 9457 problem documents. What a person reads comes from the closed list of codes;
// causes and stacks stay in the log.
import type { Problem } from "#shared/contract/api.ts";
import { ERRORS, type ErrorCode, StageError } from "#shared/contract/errors.ts";
import type { z } from "zod";

export interface FieldProblem {
  path: string;
  message: string;
}

/** A request that is not as the API says; carries every problem at once. */
export class RequestError extends StageError {
  readonly errors: FieldProblem[];

  constructor(code: ErrorCode, errors: FieldProblem[], message?: string) {
    super(code, message);
    this.errors = errors;
  }
}

/** @throws {RequestError} `invalid_request` with one entry for each problem */
export const parseOr422 = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> => {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const errors = read.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  throw new RequestError("invalid_request", errors);
};

export const toProblem = (error: unknown, requestId: string): Problem => {
  const known = error instanceof StageError ? error : new StageError("internal");
  const { errorType, httpStatus, message } = ERRORS[known.code];
  return {
    type: "about:blank",
    title: message,
    status: httpStatus,
    detail: known.message,
    code: known.code,
    error_type: errorType,
    request_id: requestId,
    ...(error instanceof RequestError && error.errors.length > 0 ? { errors: error.errors } : {}),
  };
};
