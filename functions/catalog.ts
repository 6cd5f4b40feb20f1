// The one table of deployed functions. The local cloud starts from it, and everything that
// Google Cloud is told is generated from it; a function that is not here does not exist.
import type { Stage } from "#shared/contract/stages.ts";

export interface Route {
  method: "GET" | "POST";
  /** `:name` stands for one path segment, `*name` for all that follows. */
  path: string;
}

export type Trigger =
  | { kind: "http"; routes: readonly Route[] }
  | { kind: "topic"; topic: string }
  /** Called by Cloud Scheduler; `cron` and `everySec` say the same. */
  | { kind: "schedule"; cron: string; everySec: number };

export interface FunctionSpec {
  name: string;
  trigger: Trigger;
  /** True where anyone may call: the function itself asks for an API key or a token. */
  public: boolean;
  memoryMiB: number;
  cpu: number;
  /** Request timeout; below the push subscriptions' ack deadline of 600 s. */
  timeoutSec: number;
  /** Requests one instance works on at once. */
  concurrency: number;
  maxInstances: number;
  /** Service account it runs as: `api` answers callers, `worker` runs stages. */
  account: "api" | "worker";
  /** Environment variables that come from Secret Manager. */
  secrets: readonly string[];
  /** Of a stage: the Cloud Run job that runs what outgrows the function. */
  job?: JobSize;
  /** What it has instead where a whisper.cpp model is set up (`sizedFor`). */
  withWhisper?: WhisperSize;
}

export interface JobSize {
  memoryMiB: number;
  cpu: number;
  /** After which Cloud Run ends it; the task gives up a little before. */
  timeoutSec: number;
}

interface WhisperSize {
  memoryMiB: number;
  cpu: number;
  job: JobSize;
}

/** The same paths answer with and without the version. */
const versioned = (method: Route["method"], path: string): Route[] => [
  { method, path: `/v1${path}` },
  { method, path },
];

const API = {
  public: true,
  cpu: 1,
  memoryMiB: 512,
  concurrency: 80,
  account: "api",
  secrets: [],
} as const;

const HOUR_SEC = 3600;

/** One message at a time in an instance: the memory is a task's own. */
const stage = (
  name: Stage,
  size: {
    memoryMiB: number;
    cpu: number;
    maxInstances: number;
    secrets?: readonly string[];
    job: JobSize;
    withWhisper?: WhisperSize;
  },
): FunctionSpec => ({
  name,
  trigger: { kind: "topic", topic: name },
  public: false,
  timeoutSec: 570,
  concurrency: 1,
  account: "worker",
  secrets: [],
  ...size,
});

export const CATALOG: readonly FunctionSpec[] = [
  // Two services of Cloud Run have two addresses: what links in answers lead to is all of `status`.
  {
    ...API,
    name: "submit",
    trigger: {
      kind: "http",
      routes: [
        ...versioned("POST", "/analysis"),
        ...versioned("POST", "/uploads"),
        ...versioned("POST", "/run_pipeline"),
      ],
    },
    timeoutSec: 570,
    maxInstances: 20,
  },
  {
    ...API,
    name: "status",
    trigger: {
      kind: "http",
      routes: [
        ...versioned("GET", "/analysis"),
        ...versioned("GET", "/analysis/:job_id/status"),
        ...versioned("GET", "/analysis/:job_id/stream"),
        ...versioned("GET", "/analysis/:job_id/outputs/*name"),
        ...versioned("POST", "/analysis/:job_id/cancel"),
        ...versioned("POST", "/analysis/:job_id/retry"),
        ...versioned("GET", "/webhook_secret"),
        ...versioned("GET", "/list_files"),
        ...versioned("GET", "/list_output_files"),
        { method: "GET", path: "/health" },
        { method: "GET", path: "/openapi.json" },
      ],
    },
    timeoutSec: 570,
    maxInstances: 20,
  },
  // As much as chat: both read a chat file that came with the job.
  stage("ingest", {
    memoryMiB: 1024,
    cpu: 1,
    maxInstances: 20,
    // The largest file that is taken, at 2 MB/s from a server that gives it only as a whole.
    job: { memoryMiB: 4096, cpu: 2, timeoutSec: 6 * HOUR_SEC },
  }),
  stage("media", {
    memoryMiB: 1024,
    cpu: 2,
    maxInstances: 100,
    job: { memoryMiB: 4096, cpu: 4, timeoutSec: 2 * HOUR_SEC },
  }),
  stage("chat", {
    memoryMiB: 1024,
    cpu: 1,
    maxInstances: 50,
    job: { memoryMiB: 8192, cpu: 2, timeoutSec: 2 * HOUR_SEC },
  }),
  // Waits for a service, and was measured to need 217 MiB for that; whisper.cpp works here itself.
  stage("transcribe", {
    memoryMiB: 1024,
    cpu: 1,
    maxInstances: 100,
    secrets: ["OPENAI_API_KEY", "DEEPGRAM_API_KEY"],
    job: { memoryMiB: 4096, cpu: 1, timeoutSec: 2 * HOUR_SEC },
    withWhisper: {
      memoryMiB: 4096,
      cpu: 4,
      job: { memoryMiB: 16_384, cpu: 8, timeoutSec: 2 * HOUR_SEC },
    },
  }),
  // Six hours of the fullest chat, 1,200,000 messages, were measured to need 1.6 GiB here and 1.1 GiB in
  // highlights (bench/README.md).
  stage("analyze", {
    memoryMiB: 2048,
    cpu: 1,
    maxInstances: 20,
    job: { memoryMiB: 8192, cpu: 2, timeoutSec: HOUR_SEC },
  }),
  stage("highlights", {
    memoryMiB: 2048,
    cpu: 1,
    maxInstances: 20,
    job: { memoryMiB: 8192, cpu: 2, timeoutSec: HOUR_SEC },
  }),
  stage("clips", {
    memoryMiB: 2048,
    cpu: 2,
    maxInstances: 50,
    job: { memoryMiB: 8192, cpu: 4, timeoutSec: 2 * HOUR_SEC },
  }),
  stage("finish", {
    memoryMiB: 1024,
    cpu: 1,
    maxInstances: 20,
    // Holds all clips and the reel.
    job: { memoryMiB: 16_384, cpu: 4, timeoutSec: 2 * HOUR_SEC },
  }),
  {
    name: "notify",
    trigger: { kind: "topic", topic: "notify" },
    public: false,
    memoryMiB: 256,
    cpu: 1,
    timeoutSec: 60,
    concurrency: 20,
    maxInstances: 10,
    account: "worker",
    secrets: [],
  },
  {
    name: "dead-letter",
    trigger: { kind: "topic", topic: "dead-letter" },
    public: false,
    memoryMiB: 256,
    cpu: 1,
    timeoutSec: 60,
    concurrency: 20,
    maxInstances: 5,
    account: "worker",
    secrets: [],
  },
  {
    name: "sweep",
    trigger: { kind: "schedule", cron: "* * * * *", everySec: 60 },
    public: false,
    memoryMiB: 256,
    cpu: 1,
    timeoutSec: 55,
    concurrency: 1,
    maxInstances: 1,
    account: "worker",
    secrets: [],
  },
  {
    name: "collect",
    trigger: { kind: "schedule", cron: "17 3 * * *", everySec: 24 * 3600 },
    public: false,
    memoryMiB: 512,
    cpu: 1,
    timeoutSec: 570,
    concurrency: 1,
    maxInstances: 1,
    account: "worker",
    secrets: [],
  },
];

/**
 * What a function has in a deployment. A job may ask for whisper where another provider is the default,
 * so what counts is whether there is a model (WHISPER_MODEL), without which whisper refuses.
 */
export const sizedFor = (
  spec: FunctionSpec,
  { hasWhisper }: { hasWhisper: boolean },
): FunctionSpec => (hasWhisper && spec.withWhisper ? { ...spec, ...spec.withWhisper } : spec);

/** @throws {Error} for a name that is not in the catalog */
export const functionSpec = (name: string): FunctionSpec => {
  const found = CATALOG.find((spec) => spec.name === name);
  if (!found) {
    const names = CATALOG.map((spec) => spec.name).join(", ");
    throw new Error(`There is no function "${name}"; there are ${names}.`);
  }
  return found;
};
