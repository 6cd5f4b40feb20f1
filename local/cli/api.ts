// The HTTP API as a command line uses it: the same requests anyone else would send.
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import {
  AnalysisResponse,
  Problem,
  StatusResponse,
  type UploadRequest,
  UploadResponse,
} from "#shared/contract/api.ts";
import { type ServerEvent, readEvents } from "./serverEvents.ts";

/** What the service answered instead of what was asked for. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    const lines = (problem.errors ?? []).map(({ path, message }) => `\n  ${path}: ${message}`);
    super(problem.detail + lines.join(""));
    this.problem = problem;
  }
}

export interface ApiClient {
  /** Uploads a file through a resumable session. @returns its handle */
  upload(path: string, contentType: string): Promise<string>;
  submit(request: { url: string; options: unknown }): Promise<AnalysisResponse>;
  status(jobId: string): Promise<StatusResponse>;
  cancel(jobId: string): Promise<void>;
  /**
   * The job's events from the first one, resumed where a connection is lost.
   * @param onLost  called where nothing answers, and it is tried again
   */
  follow(jobId: string, signal: AbortSignal, onLost?: () => void): AsyncIterable<ServerEvent>;
  /** Fetches a file whole or not at all. */
  download(url: string, path: string): Promise<void>;
}

/** Cloud Storage says in JSON what went wrong with an upload. */
const StorageProblem = z.object({ error: z.object({ message: z.string() }) });

const notUploaded = async (response: Response): Promise<Error> => {
  const problem = StorageProblem.safeParse(await response.json().catch(() => undefined));
  const why = problem.success ? `: ${problem.data.error.message}` : ".";
  return new Error(`The upload was answered with ${response.status}${why}`);
};

/** @param interrupted breaks off uploads and downloads, which may take long */
export const createApiClient = (
  origin: string,
  apiKey: string,
  interrupted?: AbortSignal,
): ApiClient => {
  const breakable = interrupted ? { signal: interrupted } : {};
  const headers = { authorization: `Bearer ${apiKey}` };

  const ask = async (
    path: string,
    init: Pick<RequestInit, "method" | "body"> = {},
  ): Promise<unknown> => {
    const response = await fetch(origin + path, {
      ...init,
      headers: { ...headers, "content-type": "application/json" },
    });
    if (response.ok) return response.json();
    // What stands before the service may answer in its own way.
    const problem = Problem.safeParse(await response.json().catch(() => undefined));
    throw problem.success
      ? new ApiError(problem.data)
      : new Error(`The service answered with ${response.status}.`);
  };
  const post = (path: string, body?: unknown) =>
    ask(path, { method: "POST", ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

  return {
    upload: async (path, contentType) => {
      const { size } = await stat(path);
      const request: UploadRequest = {
        filename: basename(path),
        content_type: contentType,
        ...(size > 0 ? { size_bytes: size } : {}),
      };
      const { handle, upload_url } = UploadResponse.parse(await post("/v1/uploads", request));
      const response = await fetch(upload_url, {
        method: "PUT",
        headers: { "content-length": String(size) },
        body: Readable.toWeb(createReadStream(path)),
        duplex: "half",
        ...breakable,
      });
      if (!response.ok) throw await notUploaded(response);
      return handle;
    },
    submit: async (request) => AnalysisResponse.parse(await post("/v1/analysis", request)),
    status: async (jobId) => StatusResponse.parse(await ask(`/v1/analysis/${jobId}/status`)),
    cancel: async (jobId) => {
      await post(`/v1/analysis/${jobId}/cancel`);
    },
    follow: (jobId, signal, onLost) =>
      readEvents(
        `${origin}/v1/analysis/${jobId}/stream`,
        headers,
        signal,
        onLost ? { onLost } : {},
      ),
    download: async (url, path) => {
      const response = await fetch(url, breakable);
      if (!response.ok || !response.body)
        throw new Error(`A download was answered with ${response.status}.`);
      const partial = `${path}.part`;
      try {
        await pipeline(Readable.fromWeb(response.body), createWriteStream(partial), breakable);
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
    },
  };
};
