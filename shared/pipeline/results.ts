// A stage's result in storage: its objects, and `done.json`, written last, that names them all.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { z } from "zod";
import type { ObjectStore } from "../cloud/objectStore.ts";
import type { Stage } from "../contract/stages.ts";
import { Warning } from "../contract/warnings.ts";
import { stagePrefix } from "./key.ts";
import type { StageObject, StageResult } from "./stage.ts";

const count = z.int().min(0).optional();

const Done = z.object({
  v: z.literal(1),
  objects: z.array(
    z.object({
      name: z.string(),
      contentType: z.string(),
      sizeBytes: z.int(),
      sha256: z.string().optional(),
    }),
  ),
  summary: z.record(z.string(), z.unknown()),
  warnings: z.array(Warning),
  fanOut: z.object({ media: count, chat: count, transcribe: count, clips: count }).optional(),
  video: z
    .object({
      title: z.string().optional(),
      channelTitle: z.string().optional(),
      thumbnailUrl: z.string().optional(),
      durationSec: z.number(),
      twitchId: z.string().optional(),
      publishedAt: z.number().optional(),
    })
    .optional(),
});
/** What a finished stage left: everything its commit needs, so that a hit commits the same. */
export type Done = z.infer<typeof Done>;

const DONE = "done.json";

const bodyOf = ({ body }: StageObject): Uint8Array | string | Readable => {
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  return "path" in body ? createReadStream(body.path) : Readable.from(body, { objectMode: false });
};

/** Reads the names of a stage's objects. @throws {StageError} `not_found` before it is done */
export const readDone = async (store: ObjectStore, stage: Stage, key: string): Promise<Done> =>
  Done.parse(
    JSON.parse(Buffer.from(await store.read(stagePrefix(stage, key) + DONE)).toString("utf8")),
  );

/** The stored result under `key`, or null where it, or any object it names, is not there. */
export const findDone = async (
  store: ObjectStore,
  stage: Stage,
  key: string,
): Promise<Done | null> => {
  const prefix = stagePrefix(stage, key);
  if (!(await store.stat(prefix + DONE))) return null;
  const done = await readDone(store, stage, key);
  const infos = await Promise.all(done.objects.map(({ name }) => store.stat(prefix + name)));
  const whole = infos.every((info, i) => info?.sizeBytes === done.objects[i]?.sizeBytes);
  return whole ? done : null;
};

/** Stores a result: objects first, `done.json` last. An object that is there already stays. */
export const storeResult = async (
  store: ObjectStore,
  stage: Stage,
  key: string,
  result: StageResult,
  signal: AbortSignal,
): Promise<Done> => {
  const prefix = stagePrefix(stage, key);
  const objects: Done["objects"] = [];
  for (const object of result.objects) {
    const { contentType } = object;
    const info = await store.put(prefix + object.name, bodyOf(object), { contentType, signal });
    const { sizeBytes, sha256 } = info;
    objects.push({ name: object.name, contentType, sizeBytes, sha256 });
  }
  const done: Done = {
    v: 1,
    objects,
    summary: result.summary,
    warnings: result.warnings ?? [],
    fanOut: result.fanOut,
    video: result.video,
  };
  await store.put(prefix + DONE, JSON.stringify(done), {
    contentType: "application/json",
    // An earlier done.json may name objects that have expired since.
    onlyIfAbsent: false,
    signal,
  });
  return done;
};
