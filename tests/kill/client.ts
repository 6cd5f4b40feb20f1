// Somebody who uses the cloud while it is killed and started again, as a process of its own that lives
// on: `node client.ts TASK`. It uploads a video in chunks and submits it, follows the job by the event
// stream and by live queries, makes courses over the WebSocket and by HTTP, and uploads files, until
// the job has ended. It reconnects by itself, and writes down everything it is told (told.ts).
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { api } from "#convex/_generated/api.js";
import { AnalysisResponse, UploadResponse } from "#shared/contract/api.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import { describeError } from "#local/cli/describeError.ts";
import { parseEvent } from "#local/cli/progressView.ts";
import { decodeEvents } from "#local/cli/serverEvents.ts";
import type { Up } from "./cloud.ts";
import { openLog } from "./told.ts";

export interface ClientTask {
  cloud: Up;
  /** What it is told is written here. */
  log: string;
  /** The recording and what comes with it. */
  files: { video: string; chat: string; captions: string };
  options: object;
  /** Between one change of its own and the next. */
  pauseMs: number;
}

/** Chunks of a resumable upload are multiples of this. */
const CHUNK_BYTES = 256 * 1024;
const RETRY_MS = 100;
/** Longer than anything takes but a stream; what hangs so long would hang for good. */
const ANSWER_MS = 30_000;

const { cloud, log, files, options, pauseMs } = JSON.parse(process.argv[2] ?? "") as ClientTask;
// Nobody waits for its log any more.
process.once("disconnect", () => process.exit(1));
const tell = openLog(log);
const authorization = { authorization: `Bearer ${cloud.apiKey}` };

/** @returns null where no answer came, or only that the service is not up */
const tryFetch = async (url: string, init: RequestInit): Promise<Response | null> => {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
    if (response.status < 500 && response.status !== 429) return response;
    await response.arrayBuffer();
  } catch (error) {
    // What broke off; anything else is a defect of this program.
    if (!(error instanceof TypeError) && (error as Error).name !== "TimeoutError") throw error;
  }
  await delay(RETRY_MS);
  return null;
};

/** Asks until there is an answer. @throws {Error} where that is a refusal */
const ask = async (url: string, init: RequestInit): Promise<unknown> => {
  for (;;) {
    const response = await tryFetch(url, init);
    if (!response) continue;
    if (response.ok) return await response.json();
    throw new Error(`${url} was refused: ${response.status} ${await response.text()}`);
  }
};

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  ask(cloud.origin + path, {
    method: "POST",
    headers: { ...authorization, ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const storedBytes = (response: Response): number =>
  Number(/^bytes=0-(\d+)$/.exec(response.headers.get("range") ?? "")?.[1] ?? -1) + 1;

/** Chunk by chunk; where one is not answered, it asks how far it is and goes on there. */
const upload = async (
  filename: string,
  bytes: Uint8Array<ArrayBuffer>,
  betweenChunksMs = 0,
): Promise<string> => {
  const sizeBytes = bytes.length;
  const { handle, upload_url: url } = UploadResponse.parse(
    await post("/v1/uploads", { filename, content_type: "application/octet-stream" }),
  );
  tell({ kind: "begun", handle, sizeBytes });
  for (let start = 0, asked = false; ;) {
    const end = Math.min(sizeBytes, start + CHUNK_BYTES);
    const response = await tryFetch(url, {
      method: "PUT",
      headers: {
        "content-range": asked ? `bytes */${sizeBytes}` : `bytes ${start}-${end - 1}/${sizeBytes}`,
      },
      ...(asked ? {} : { body: bytes.subarray(start, end) }),
    });
    if (response?.ok) {
      const object = (await response.json()) as { generation: string; crc32c: string };
      const { generation, crc32c } = object;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      tell({ kind: "uploaded", handle, sizeBytes, generation, crc32c, sha256 });
      return handle;
    }
    if (response && response.status !== 308)
      throw new Error(`The upload was refused: ${response.status} ${await response.text()}`);
    if (response) {
      start = storedBytes(response);
      tell({ kind: "stored", handle, bytes: start, asked });
    }
    asked = response === null;
    await delay(betweenChunksMs);
  }
};

/** The job's events up to its last, resumed where the connection is lost. */
const follow = async (jobId: string): Promise<void> => {
  const url = `${cloud.origin}/v1/analysis/${jobId}/stream`;
  for (let lastId = ""; ; await delay(RETRY_MS)) {
    try {
      const response = await fetch(url, {
        headers: { ...authorization, ...(lastId ? { "last-event-id": lastId } : {}) },
      });
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        continue;
      }
      for await (const event of decodeEvents(response.body.pipeThrough(new TextDecoderStream()))) {
        tell({ kind: "event", ...event });
        lastId = event.id;
        const data = parseEvent(event);
        if (data.type === "status" && isTerminal(data.status)) return;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
};

/** Aborted when the job has ended. */
const over = new AbortController();
const convex = new ConvexClient(cloud.convexUrl, {
  logger: false,
  skipConvexDeploymentUrlCheck: true,
});
convex.setAuth(() => Promise.resolve(cloud.personToken));

/** By the WebSocket's client, which sends again what was not answered: each happens once. */
const changeLive = async (): Promise<void> => {
  let id: Awaited<ReturnType<typeof makeLive>> | undefined;
  const makeLive = async (name: string) => {
    tell({ kind: "making", way: "sync", name });
    const made = await convex.mutation(api.courses.createCourse, { name });
    tell({ kind: "made", way: "sync", name, id: made });
    return made;
  };
  for (let count = 1; !over.signal.aborted; count += 1) {
    const made = await makeLive(`sync ${count}`);
    id ??= made;
    tell({ kind: "counting", count });
    await convex.mutation(api.courses.updateCourse, { id, description: String(count) });
    tell({ kind: "counted", count, id });
    await delay(pauseMs);
  }
};

/** By HTTP, where nobody sends it again: what was not answered happened once or not at all. */
const changeByHttp = async (): Promise<void> => {
  const http = new ConvexHttpClient(cloud.convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: cloud.personToken,
  });
  for (let count = 1; !over.signal.aborted; count += 1) {
    const name = `http ${count}`;
    tell({ kind: "making", way: "http", name });
    try {
      const id = await http.mutation(api.courses.createCourse, { name });
      tell({ kind: "made", way: "http", name, id });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      tell({ kind: "unanswered", name, error: describeError(error) });
    }
    await delay(pauseMs);
  }
};

const uploadFiles = async (): Promise<void> => {
  for (let count = 1; !over.signal.aborted; count += 1) {
    await upload(`file-${count}.bin`, randomBytes(2.5 * CHUNK_BYTES), pauseMs / 4);
    await delay(pauseMs);
  }
};

const analyze = async (): Promise<void> => {
  const uploaded = async (path: string) =>
    upload(basename(path), new Uint8Array(await readFile(path)));
  const url = await uploaded(files.video);
  const [chat, captions] = [await uploaded(files.chat), await uploaded(files.captions)];
  const request = { url, options: { ...options, chat, captions } };
  const answer = await post("/v1/analysis", request, { "idempotency-key": "the job" });
  const { job_id: jobId } = AnalysisResponse.parse(answer);
  tell({ kind: "submitted", jobId, request });
  convex.onUpdate(api.videos.getJobById, { jobId }, (job) => {
    if (job) tell({ kind: "job", status: job.status ?? "", progress: job.progressPercentage ?? 0 });
  });
  await follow(jobId);
};

convex.onUpdate(api.courses.getCoursesByUser, {}, (courses) => {
  tell({ kind: "courses", names: courses.map(({ name }) => name) });
});
await Promise.all([
  analyze().finally(() => over.abort()),
  changeLive(),
  changeByHttp(),
  uploadFiles(),
]);
await convex.close();
process.exit();
