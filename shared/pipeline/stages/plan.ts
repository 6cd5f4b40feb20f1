// What `ingest` decided: the source, and how its time is cut into tasks. Stored as `plan.json`, and
// read by every later stage, so that no task needs to ask the source again what it is.
import { z } from "zod";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { StageError } from "../../contract/errors.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import { SPEECH_PROVIDERS } from "../../contract/options.ts";
import { SourceDescription } from "../../source/description.ts";
import { stagePrefix } from "../key.ts";

const Window = z.object({ startSec: z.number(), endSec: z.number(), openEnded: z.boolean() });

export const Plan = z.object({
  source: SourceDescription,
  /** What the source is: its own identity, or the job's where it has none. */
  identity: z.string(),
  /** The stretch that is analysed. */
  startSec: z.number(),
  endSec: z.number(),
  samplesPerPixel: z.int(),
  /** Media ranges in pixels of the waveform, end exclusive, without gaps. */
  ranges: z.array(z.object({ startPixel: z.int(), endPixel: z.int() })),
  chat: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("none") }),
    z.object({ kind: z.literal("file"), object: z.string(), identity: z.string() }),
    z.object({ kind: z.literal("twitch"), videoId: z.string(), windows: z.array(Window) }),
  ]),
  /** `captions`: the words are in ingest's own `captions.json`. */
  speech: z.enum(SPEECH_PROVIDERS),
  /** SHA-256 of `captions.json`, where there is one. */
  captionsSha256: z.string().optional(),
});
export type Plan = z.infer<typeof Plan>;

export const PLAN = "plan.json";
export const CAPTIONS = "captions.json";

/** Key of the one result of a stage that has a single task. @throws {StageError} `internal` */
export const upstreamKey = (input: TaskInput, stage: "ingest" | "analyze" | "highlights") => {
  const output = input.upstream[stage]?.[0];
  if (!output) throw new StageError("internal", `The result of ${stage} is missing.`);
  return output.key;
};

/** An object of an earlier stage, as JSON that `schema` decodes. */
export const readStageJson = async <T extends z.ZodType>(
  store: ObjectStore,
  name: string,
  schema: T,
): Promise<z.output<T>> =>
  schema.parse(JSON.parse(Buffer.from(await store.read(name)).toString("utf8")));

export const readPlan = (store: ObjectStore, input: TaskInput): Promise<Plan> =>
  readStageJson(store, stagePrefix("ingest", upstreamKey(input, "ingest")) + PLAN, Plan);

/** Seconds of one pixel of the waveform. */
export const pixelSec = (plan: Pick<Plan, "samplesPerPixel" | "source">): number =>
  plan.samplesPerPixel / (plan.source.audio?.sampleRateHz ?? 48_000);

/**
 * Cuts a stretch into ranges that begin and end on pixels, all about `rangeSec` long.
 * The last may be shorter; the first pixel is the one that holds `startSec`.
 */
export const planRanges = (
  stretch: { startSec: number; endSec: number },
  secondsPerPixel: number,
  rangeSec: number,
): Plan["ranges"] => {
  const first = Math.floor(stretch.startSec / secondsPerPixel);
  const last = Math.ceil(stretch.endSec / secondsPerPixel);
  const count = Math.max(1, Math.round((last - first) / Math.max(1, rangeSec / secondsPerPixel)));
  return Array.from({ length: count }, (_, i) => ({
    startPixel: first + Math.floor(((last - first) * i) / count),
    endPixel: first + Math.floor(((last - first) * (i + 1)) / count),
  })).filter(({ startPixel, endPixel }) => endPixel > startPixel);
};
