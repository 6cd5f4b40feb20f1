// One request to a transcription service: tried again where that can help, bounded in time and
// bytes, and never telling its key in an error.
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { StageError } from "../contract/errors.ts";

export interface SpeechRequest {
  url: string;
  /** Made anew for each try, since a body is used up by sending it. */
  body: () => Promise<FormData | Blob | string>;
  headers: Record<string, string>;
  /** What must not appear in an error. */
  secret: string | undefined;
  signal: AbortSignal;
  /** Of one try, default 5 min. */
  timeoutMs?: number;
  /** Pauses between tries, default 1, 4 and 10 s; a `Retry-After` may lengthen one. */
  retryDelaysMs?: readonly number[];
}

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_RETRY_AFTER_SEC = 60;
const DEFAULT_RETRY_DELAYS_MS = [1000, 4000, 10_000];

const readBounded = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES)
      throw new StageError("speech_rejected", "The transcription service's answer is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

const retryAfterSec = (response: Response): number | undefined => {
  const value = response.headers.get("retry-after");
  if (value === null) return undefined;
  const sec = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(sec) && sec > 0 ? Math.ceil(sec) : undefined;
};

const worthAnotherTry = (status: number): boolean =>
  status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;

/** One try: the answer's text, or the error that says whether another try can help. */
const once = async (request: SpeechRequest): Promise<string> => {
  const { url, headers, secret, signal, timeoutMs = 300_000 } = request;
  const body = await request.body();
  const hide = (text: string): string => (secret ? text.replaceAll(secret, "***") : text);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers,
      body,
      // A redirect would carry the key along.
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    text = await readBounded(response);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StageError) throw error;
    const reasons = [error, (error as Error).cause].filter((reason) => reason instanceof Error);
    const cause = new Error(hide(reasons.map(({ message }) => message).join(": ")));
    throw new StageError("speech_unavailable", undefined, { cause });
  }
  if (response.ok) return text;
  const cause = new Error(`status ${response.status}: ${hide(text.slice(0, 500))}`);
  if (!worthAnotherTry(response.status))
    throw new StageError("speech_rejected", undefined, { cause });
  const after = retryAfterSec(response);
  throw new StageError("speech_unavailable", undefined, {
    cause,
    ...(after === undefined ? {} : { retryAfterSec: after }),
  });
};

const parsed = <T>(schema: z.ZodType<T>, text: string): T => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const sentence = "The transcription service's answer is not JSON.";
    throw new StageError("speech_unavailable", sentence, { cause });
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  throw new StageError("speech_rejected", "The transcription service answers in another shape.", {
    cause: read.error,
  });
};

/**
 * @returns the answer, as `schema` reads it
 * @throws {StageError} `speech_unavailable` after the last try, `speech_rejected`
 */
export const askSpeechService = async <T>(
  schema: z.ZodType<T>,
  request: SpeechRequest,
): Promise<T> => {
  const { signal, retryDelaysMs = DEFAULT_RETRY_DELAYS_MS } = request;
  for (let tries = 0; ; tries += 1) {
    try {
      return parsed(schema, await once(request));
    } catch (error) {
      const delayMs = retryDelaysMs[tries];
      if (!(error instanceof StageError) || !error.retryable || delayMs === undefined) throw error;
      const afterSec = error.retryAfterSec ?? 0;
      // A longer wait is better spent with the task given back.
      if (afterSec > MAX_RETRY_AFTER_SEC) throw error;
      await delay(Math.max(delayMs, afterSec * 1000), undefined, { signal });
    }
  }
};
