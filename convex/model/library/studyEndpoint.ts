// Asks an endpoint for notes or a quiz. The endpoint is the operator's, its answer is a stranger's:
// it gets a time and a size, and only what Convex can keep comes in.
import { type Value, getConvexSize } from "convex/values";
import { StageError } from "#shared/contract/errors.ts";
import type { StudyKind } from "../../tables/library.ts";
import { isRecord } from "../plainValue.ts";
import { MAX_STUDY_BYTES } from "./fields.ts";
import { unkeepable } from "./keepable.ts";
import { readBody } from "./responseBody.ts";
import type { StudyRequest } from "./study.ts";

const TIMEOUT_MS = 120_000;
/** Of an answer as it is sent. */
const MAX_ANSWER_BYTES = 512 * 1024;
/** Statuses below 500 that say "later". */
const LATER = [408, 425, 429];

/** The answer's value as it is kept. @throws {StageError} `study_rejected` */
const parseAnswer = (kind: StudyKind, text: string): Value => {
  const reject = (problem: string) =>
    new StageError("study_rejected", `The answer of the ${kind} endpoint ${problem}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw reject("is not JSON");
  }
  const fits =
    kind === "quiz"
      ? isRecord(value)
      : isRecord(value) || Array.isArray(value) || typeof value === "string";
  if (!fits) {
    throw reject(`is not ${kind === "quiz" ? "an object" : "an object, a list or a text"}`);
  }
  const problem = unkeepable(value);
  if (problem) throw reject(problem);
  if (getConvexSize(value as Value) > MAX_STUDY_BYTES) {
    throw reject(`has more than ${MAX_STUDY_BYTES / 1024} KiB`);
  }
  return value as Value;
};

const readAnswer = async (
  kind: StudyKind,
  response: Response,
  signal: AbortSignal,
): Promise<string> => {
  const text = await readBody(response, MAX_ANSWER_BYTES, signal);
  if (text !== null) return text;
  const limit = `${MAX_ANSWER_BYTES / 1024} KiB`;
  const message = `The answer of the ${kind} endpoint has more than ${limit}.`;
  throw new StageError("study_rejected", message);
};

const exchange = async (
  kind: StudyKind,
  { url, apiKey, body }: { url: string; apiKey: string | undefined; body: string },
  signal: AbortSignal,
): Promise<string> => {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
      },
      body,
      // The key is for this address alone.
      redirect: "manual",
      signal,
    });
    const { status } = response;
    if (status >= 200 && status < 300) return await readAnswer(kind, response, signal);
    await response.body?.cancel();
    const later = status >= 500 || LATER.includes(status);
    throw new StageError(
      later ? "study_unavailable" : "study_rejected",
      `The ${kind} endpoint answered with status ${status}.`,
    );
  } catch (error) {
    if (error instanceof StageError) throw error;
    const message = `The ${kind} endpoint cannot be reached, or broke off.`;
    throw new StageError("study_unavailable", message, { cause: error });
  }
};

/**
 * Posts the request and gives what was answered: for notes an object, a list or a text, kept as it
 * is; for a quiz an object. Waits two minutes; reads 512 KiB at most, and keeps what Convex stores in
 * 128 KiB. Redirects are not followed.
 * @throws {StageError} `study_unavailable` (retryable: no connection, no answer in time, status 408,
 *   425, 429 or 5xx) or `study_rejected` (any other status, and answers that cannot be used)
 */
export const askEndpoint = async (
  kind: StudyKind,
  endpoint: { url: string; apiKey: string | undefined },
  request: StudyRequest,
): Promise<Value> => {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The ${kind} endpoint took longer than ${TIMEOUT_MS / 1000} s.`;
      reject(new StageError("study_unavailable", message));
      // Convex's own fetch does not hear of this; the race does not wait for it.
      stop.abort();
    }, TIMEOUT_MS);
  });
  try {
    const body = JSON.stringify(request);
    const answer = exchange(kind, { ...endpoint, body }, stop.signal);
    return parseAnswer(kind, await Promise.race([answer, late]));
  } finally {
    clearTimeout(timer);
  }
};
