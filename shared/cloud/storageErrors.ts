// What Google's storage client throws, told apart: it comes as numbers, as text and inside answers.
import { StageError } from "../contract/errors.ts";

interface Thrown {
  code?: unknown;
  status?: unknown;
  response?: { status?: unknown; statusCode?: unknown };
}

const statusOf = (error: unknown): number | undefined => {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, status, response } = error as Thrown;
  const found = [code, status, response?.status, response?.statusCode]
    .map(Number)
    .find((number) => number >= 100 && number < 600);
  return found;
};

/** Whether the answer had this HTTP status. */
export const isStatus = (error: unknown, status: number): boolean => statusOf(error) === status;

/**
 * Whether there was no answer, or one of a server in trouble: the same request may do.
 * Bytes that do not match their checksum are neither; they have been handed on already.
 */
export const isTransient = (error: unknown): boolean => {
  if ((error as Thrown | null)?.code === "CONTENT_DOWNLOAD_MISMATCH") return false;
  const status = statusOf(error);
  return status === undefined || status === 408 || status === 429 || status >= 500;
};

/** Storage of one's own may run out of room, and says of what in a sentence. */
const INSUFFICIENT_STORAGE = 507;

/** `storage_unavailable` with its cause; what has a code of ours already keeps it. */
export const toStageError = (error: unknown, sentence: string): StageError => {
  if (error instanceof StageError) return error;
  const isFull = isStatus(error, INSUFFICIENT_STORAGE) && error instanceof Error;
  const message = isFull ? error.message : sentence;
  return new StageError("storage_unavailable", message, { cause: error });
};
