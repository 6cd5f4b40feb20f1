// What a function is built with, made once in an instance and only as far as it is used: Google's
// and Convex's clients, and what reads strangers' addresses, are slow to load, so each is loaded by
// whoever first needs it.
import { tmpdir } from "node:os";
import { createAssetRecorder } from "#shared/cloud/assets.ts";
import type { CollectedBucket, ReferenceBook } from "#shared/assets/ports.ts";
import type { AssetRecorder } from "#shared/assets/recorder.ts";
import { createCollectedBucket } from "#shared/cloud/collectedBucket.ts";
import type { Config } from "#shared/cloud/config.ts";
import { createConvexCalls } from "#shared/cloud/convexCalls.ts";
import { type Ledger, createLedger } from "#shared/cloud/ledger.ts";
import { createLibrary } from "#shared/cloud/library.ts";
import type { ObjectStore } from "#shared/cloud/objectStore.ts";
import { type Publisher, createPublisher } from "#shared/cloud/publisher.ts";
import { createReferenceBook } from "#shared/cloud/references.ts";
import { createServiceToken } from "#shared/cloud/serviceToken.ts";
import { createObjectStore } from "#shared/cloud/storage.ts";
import { createLog, type Log } from "#shared/pipeline/log.ts";
import type { Library } from "#shared/pipeline/library.ts";
import type { HandedOverTask, TaskMessage } from "#shared/contract/messages.ts";
import type { GuardedFetch, Net } from "#shared/source/fetch.ts";
import type { Ffmpeg } from "#shared/media/ffmpeg.ts";
import { type FunctionSpec, sizedFor } from "./catalog.ts";
import { type Room, roomOf } from "./room.ts";

export interface Overrides {
  env?: NodeJS.ProcessEnv;
  net?: Net;
  /** True in the process of the stage's Cloud Run job. */
  isJob?: boolean;
}

export interface Runtime {
  spec: FunctionSpec;
  config: Config;
  log: Log;
  /** Aborted on SIGTERM. */
  shutdown: AbortSignal;
  scratchRoot: string;
  /** Time and room of a task. */
  room: Room;
  /** Starts the stage's Cloud Run job; absent where there is none, and in such a job. */
  startJob?: (task: HandedOverTask) => Promise<void>;
  store: ObjectStore;
  ledger: Ledger;
  assets: AssetRecorder;
  library: Library;
  /** What is stored and what is known of it, for the collector. */
  collected: CollectedBucket;
  references: ReferenceBook;
  fetch: GuardedFetch;
  /** Found on first use. */
  ffmpeg(): Promise<Ffmpeg>;
  publisher: Publisher;
  /** Publishes tasks to the topics of their stages, and deliveries to `notify`. */
  publishDue(messages: TaskMessage[], deliveryIds: string[]): Promise<void>;
}

const loadFetch = async (net: Net | undefined): Promise<GuardedFetch> => {
  const { createGuardedFetch } = await import("#shared/source/fetch.ts");
  const { publicNet } = await import("#shared/source/publicNet.ts");
  return createGuardedFetch(net ?? publicNet).fetch;
};

const loadFfmpeg = async (env: NodeJS.ProcessEnv, limits: Room["child"]): Promise<Ffmpeg> => {
  const { findFfmpeg } = await import("#shared/media/ffmpeg.ts");
  return { ...(await findFfmpeg(env)), ...(limits ? { limits } : {}) };
};

const loadJobs = async (config: Config, region: string) => {
  const { createTaskJobs } = await import("#shared/cloud/taskJobs.ts");
  const { createAccessToken } = await import("#shared/cloud/metadata.ts");
  return createTaskJobs({
    projectId: config.projectId,
    region,
    endpoint: config.jobs.endpoint,
    accessToken: createAccessToken(config.metadataHost),
  });
};

/** @param given as the catalog has it; the runtime's `spec` has the size of this deployment */
export const createRuntime = (
  given: FunctionSpec,
  config: Config,
  shutdown: AbortSignal,
  { env = process.env, net, isJob = false }: Overrides,
): Runtime => {
  const spec = sizedFor(given, { hasWhisper: config.speech.whisper.model !== undefined });
  const room = roomOf(spec, config, isJob);
  const publisher = createPublisher({ projectId: config.projectId });
  const token = createServiceToken({
    apiKey: config.convex.apiKey,
    audience: config.convex.audience,
    metadataHost: config.metadataHost,
  });
  const convex = createConvexCalls({ url: config.convex.url, token });
  const log = createLog({ function: spec.name });
  let fetch: Promise<GuardedFetch> | undefined;
  let ffmpeg: Promise<Ffmpeg> | undefined;
  let jobs: ReturnType<typeof loadJobs> | undefined;
  const { region } = config.jobs;
  const hasJob = spec.job !== undefined && !isJob;
  return {
    spec,
    config,
    log,
    shutdown,
    scratchRoot: tmpdir(),
    room,
    ...(hasJob && region !== undefined
      ? { startJob: async (task) => (await (jobs ??= loadJobs(config, region)))(task) }
      : {}),
    store: createObjectStore({
      bucket: config.bucket,
      signingOrigin: config.storageSigningOrigin,
    }),
    ledger: createLedger(convex),
    collected: createCollectedBucket({ bucket: config.bucket }),
    references: createReferenceBook(convex),
    assets: createAssetRecorder(convex, { testMode: config.convex.testMode, log }),
    library: createLibrary(convex, { testMode: config.convex.testMode, log }),
    fetch: async (url, request) => (await (fetch ??= loadFetch(net)))(url, request),
    ffmpeg: () =>
      (ffmpeg ??= loadFfmpeg({ PATH: env["PATH"], FFMPEG_PATH: config.ffmpegPath }, room.child)),
    publisher,
    publishDue: async (messages, deliveryIds) => {
      await Promise.all([
        ...messages.map((message) => publisher.publish(message.stage, message)),
        ...deliveryIds.map((deliveryId) => publisher.publish("notify", { v: 1, deliveryId })),
      ]);
    },
  };
};
