// Holds a client's log against the state after the restart: whatever it was told must still be so. Each
// check returns what it found wrong, in sentences.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConvexHttpClient } from "convex/browser";
import { api } from "#convex/_generated/api.js";
import type { StatusResponse } from "#shared/contract/api.ts";
import { STATUSES, type Status } from "#shared/contract/stages.ts";
import { createApiClient } from "#local/cli/api.ts";
import { parseEvent } from "#local/cli/progressView.ts";
import type { ServerEvent } from "#local/cli/serverEvents.ts";
import { accountsOf } from "../e2e/assets.ts";
import { hashesOf } from "../e2e/runJob.ts";
import type { Up } from "./cloud.ts";
import { type Line, only } from "./told.ts";

/** Sentences for what is not `expected`. */
const differences = (what: string, actual: unknown, expected: unknown): string[] => {
  const [is, was] = [JSON.stringify(actual), JSON.stringify(expected)];
  return is === was ? [] : [`${what}: ${is} instead of ${was}`];
};

const falls = (what: string, numbers: readonly number[]): string[] =>
  numbers.flatMap((number, at) => {
    const before = numbers[at - 1] ?? -Infinity;
    return number < before ? [`${what} fell from ${before} to ${number}`] : [];
  });

const order = (status: string): number => STATUSES.indexOf(status as Status);

/** Numbered without a gap, never changed or repeated; status and progress only go forward. */
const checkEvents = async (lines: readonly Line[], cloud: Up, jobId: string): Promise<string[]> => {
  const told = only(lines, "event").map(({ id, event, data }) => ({ id, event, data }));
  const now: ServerEvent[] = [];
  const client = createApiClient(cloud.origin, cloud.apiKey);
  for await (const event of client.follow(jobId, AbortSignal.timeout(60_000))) {
    now.push(event);
    const data = parseEvent(event);
    if (data.type === "status" && data.status === "Completed") break;
  }
  const parsed = told.map(parseEvent);
  const live = only(lines, "job");
  return [
    ...differences(
      "numbers of events",
      told.map(({ id }) => id),
      told.map((_, at) => String(at + 1)),
    ),
    ...told.flatMap((event, at) => differences(`event ${event.id}`, now[at], event)),
    ...differences("events in all", now.length, told.length),
    ...falls(
      "The progress of the events",
      parsed.flatMap((data) => (data.type === "progress" ? [data.progress_percentage] : [])),
    ),
    ...falls(
      "The status of the events",
      parsed.flatMap((data) => (data.type === "status" ? [order(data.status)] : [])),
    ),
    ...falls(
      "The progress of the live query",
      live.map(({ progress }) => progress),
    ),
    ...falls(
      "The status of the live query",
      live.map(({ status }) => order(status)),
    ),
  ];
};

/** Answered ones are there, by the id that was told; sent ones once at most, by WebSocket exactly once. */
const checkMutations = async (lines: readonly Line[], cloud: Up): Promise<string[]> => {
  const convex = new ConvexHttpClient(cloud.convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: cloud.personToken,
  });
  const courses: { _id: string; name: string; description?: string | undefined }[] = [];
  for (let cursor: string | null = null; ;) {
    const paginationOpts = { numItems: 100, cursor };
    const page: (typeof api.courses.listCourses)["_returnType"] = await convex.query(
      api.courses.listCourses,
      { paginationOpts },
    );
    courses.push(...page.page);
    if (page.isDone) break;
    cursor = page.continueCursor;
  }
  const idsOf = (name: string) => courses.filter((course) => course.name === name);
  const counts = only(lines, "counting").map(({ count }) => count);
  const counted = only(lines, "counted");
  const counter = courses.find(({ _id }) => _id === counted[0]?.id);
  const isFixed = new Set<string>();
  return [
    ...only(lines, "making").flatMap(({ way, name }) => {
      const times = idsOf(name).length;
      const isWrong = way === "sync" ? times !== 1 : times > 1;
      return isWrong ? [`${name} was sent once and is there ${times} times`] : [];
    }),
    ...only(lines, "made").flatMap(({ name, id }) =>
      idsOf(name).some((course) => course._id === id)
        ? []
        : [`${name} was acknowledged and is gone`],
    ),
    ...differences("the counter", counter?.description, String(counts.at(-1))),
    ...differences("the counter as told", counted.at(-1)?.count, counts.at(-1)),
    ...only(lines, "courses").flatMap(({ names }) => {
      const lost = [...isFixed].filter((name) => names.length < 100 && !names.includes(name));
      for (const name of names) isFixed.add(name);
      return lost.map((name) => `${name} was listed, and then not`);
    }),
    ...[...isFixed].flatMap((name) =>
      idsOf(name).length === 1 ? [] : [`${name} was listed and is gone`],
    ),
  ];
};

/** What was stored of an upload never becomes less; what was uploaded is there, byte for byte. */
const checkUploads = async (lines: readonly Line[], cloud: Up): Promise<string[]> => {
  const wrong: string[] = [];
  for (const { handle } of only(lines, "begun")) {
    const stored = only(lines, "stored").filter((line) => line.handle === handle);
    wrong.push(
      ...falls(
        `What is stored of ${handle}`,
        stored.map(({ bytes }) => bytes),
      ),
    );
  }
  for (const { handle, ...told } of only(lines, "uploaded")) {
    const [, bucket = "", name = ""] = /^gs:\/\/([^/]+)\/(.+)$/.exec(handle) ?? [];
    const url = `${cloud.storageOrigin}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
    const [about, bytes] = await Promise.all([fetch(url), fetch(`${url}?alt=media`)]);
    const object = (await about.json()) as { generation: string; crc32c: string; size: string };
    const sha256 = createHash("sha256")
      .update(new Uint8Array(await bytes.arrayBuffer()))
      .digest("hex");
    const { generation, crc32c, sizeBytes } = told;
    wrong.push(
      ...differences(
        handle,
        [object.generation, object.crc32c, Number(object.size), sha256],
        [generation, crc32c, sizeBytes, told.sha256],
      ),
    );
  }
  return wrong;
};

/** Names the upload that the job was made of, whose address has a random part. */
const NAMES_SOURCE = "highlights.otio";

const hashesWithoutSource = async (
  job: StatusResponse,
  source: string,
): Promise<Record<string, string>> => {
  const hashes = hashesOf(job);
  const named = job.outputs.find(({ name }) => name === NAMES_SOURCE);
  if (!named) return hashes;
  const text = await (await fetch(named.url)).text();
  const without = text.replaceAll(source, "gs://the/upload");
  return { ...hashes, [NAMES_SOURCE]: createHash("sha256").update(without).digest("hex") };
};

/** Completed, with the outputs of a job that nobody disturbed; each object has its one reference. */
const checkJob = async (
  lines: readonly Line[],
  cloud: Up,
  jobId: string,
  hashes: Record<string, string> | undefined,
): Promise<{ wrong: string[]; hashes: Record<string, string> }> => {
  const [submitted] = only(lines, "submitted");
  const job = await createApiClient(cloud.origin, cloud.apiKey).status(jobId);
  const again = await fetch(`${cloud.origin}/v1/analysis`, {
    method: "POST",
    headers: { authorization: `Bearer ${cloud.apiKey}`, "idempotency-key": "the job" },
    body: JSON.stringify(submitted?.request),
  });
  const answer = (await again.json()) as { job_id?: string };
  const accounts = await accountsOf(
    { ...cloud, serviceToken: () => Promise.resolve(cloud.serviceToken) },
    jobId,
  );
  const made = await hashesWithoutSource(job, job.url);
  const names = new Set([...Object.keys(made), ...Object.keys(hashes ?? {})]);
  return {
    hashes: made,
    wrong: [
      ...differences("the job", [job.status, job.error, job.warnings], ["Completed", null, []]),
      ...[...names].flatMap((name) => differences(name, made[name], (hashes ?? made)[name])),
      ...differences("the same submission again", answer.job_id, jobId),
      ...differences("references of objects", accounts.known, accounts.stored),
    ],
  };
};

/** All that a client's log says, beside the cloud as it is now. */
export const checkTold = async (
  lines: readonly Line[],
  cloud: Up,
  expected: Record<string, string> | undefined,
): Promise<{ wrong: string[]; hashes: Record<string, string> }> => {
  const jobId = only(lines, "submitted")[0]?.jobId;
  if (jobId === undefined) return { wrong: ["The job was not submitted."], hashes: {} };
  const { wrong, hashes } = await checkJob(lines, cloud, jobId, expected);
  const others = await Promise.all([
    checkEvents(lines, cloud, jobId),
    checkMutations(lines, cloud),
    checkUploads(lines, cloud),
  ]);
  return { wrong: [...wrong, ...others.flat()], hashes };
};

/** When nothing runs any more: storage has a file for each object and upload under way, and no other. */
export const checkFiles = (dataDir: string): string[] => {
  const folder = join(dataDir, "storage");
  const db = new DatabaseSync(join(folder, "storage.sqlite"));
  try {
    const named = db
      .prepare("SELECT content FROM objects")
      .all()
      .map(({ content }) => String(content));
    const open = db
      .prepare('SELECT id FROM uploads WHERE row LIKE \'%"state":"open"%\'')
      .all()
      .map(({ id }) => String(id));
    const files = readdirSync(join(folder, "objects")).flatMap((shard) =>
      readdirSync(join(folder, "objects", shard)),
    );
    const unnamed = readdirSync(join(folder, "incoming")).filter((id) => !open.includes(id));
    return [
      ...differences("files of objects", files.toSorted(), named.toSorted()),
      ...differences("files of no upload", unnamed, []),
    ];
  } finally {
    db.close();
  }
};
