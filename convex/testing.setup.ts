// The backend, for the tests beside it: on the engine of the local Convex, or on convex-test where
// CONVEX_RUNTIME says so. (Two dots in the name keep Convex from deploying it.)
import { readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { convexTest } from "convex-test";
import { vi } from "vitest";
import type { UserIdentity } from "convex/server";
import { SERVICE_ISSUER, SERVICE_SUBJECT } from "#shared/contract/identity.ts";
import type { ErrorCode } from "#shared/contract/errors.ts";
import type { ClaimAnswer, CommitRequest, CreateJobRequest } from "#shared/contract/ledger.ts";
import type { TaskMessage } from "#shared/contract/messages.ts";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { loadComponents } from "#local/convex/components.ts";
import { createTestBackend } from "#local/convex/engine/testing/testBackend.ts";
import { runtimeNamedIn } from "#local/convex/runtime.ts";
import { api } from "./_generated/api.js";
import type { Role } from "./model/access.ts";
import schema from "./schema.ts";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Every module of the backend, by its path, as both runtimes want them. */
export const modules: Record<string, () => Promise<Record<string, unknown>>> = Object.fromEntries(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /^(?:[\w/]+\.ts|_generated\/\w+\.js)$/.test(name) && name !== "schema.ts")
    .map((name) => [
      `/convex/${name}`,
      () => import(/* @vite-ignore */ pathToFileURL(root + name).href),
    ]),
);

const identity = (issuer: string, subject: string): Partial<UserIdentity> => ({
  issuer,
  subject,
  tokenIdentifier: `${issuer}|${subject}`,
});

/** Issuer of people's tokens in tests; set as `OIDC_ISSUERS`. */
export const USERS_ISSUER = "https://users.example";

/**
 * Fake clock, and an issuer of people's tokens.
 * @returns what puts both back, for `beforeEach` to return
 */
export const standInEnvironment = (): (() => void) => {
  vi.useFakeTimers();
  vi.stubEnv("OIDC_ISSUERS", USERS_ISSUER);
  return () => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  };
};

const components = await loadComponents(`${root}convex.config.ts`);

const onConvexTest = () => {
  // With the limits that a deployment has for one transaction.
  const t = convexTest({ schema, modules, transactionLimits: true });
  for (const component of components) {
    t.registerComponent(component.path, component.schema, component.modules);
  }
  return t;
};

/** The engine behind convex-test's own methods and types. */
const onEngine = () =>
  createTestBackend({ schema, modules, components }) as unknown as ReturnType<typeof onConvexTest>;

export const createBackend = () => {
  const t = runtimeNamedIn(process.env) === "convex-test" ? onConvexTest() : onEngine();
  return {
    nobody: t,
    service: t.withIdentity(identity(SERVICE_ISSUER, SERVICE_SUBJECT)),
    /** A person; without a role, a learner. */
    user: (name: string, role?: Role) =>
      t.withIdentity({
        ...identity(USERS_ISSUER, name),
        ...(role === undefined ? {} : { roles: [role] }),
      }),
    stranger: t.withIdentity(identity("https://accounts.google.com", "4711")),
  };
};
export type Backend = ReturnType<typeof createBackend>;
/** What a refusal with this code rejects with, for `toMatchObject`. */
export const refused = (code: ErrorCode) => ({ data: { code } });
export const ownerIdOf = (name: string): string => `${USERS_ISSUER}|${name}`;

export const jobRequest = (over: Partial<CreateJobRequest> = {}): CreateJobRequest => ({
  ownerId: ownerIdOf("ada"),
  url: "https://media.example/talk.mp4",
  provider: "url",
  options: AnalysisOptions.parse({}),
  requestHash: "hash",
  ...over,
});

/** Creates a job that must not be refused. */
export const createJob = async (backend: Backend, over: Partial<CreateJobRequest> = {}) => {
  const answer = await backend.service.mutation(api.ledger.createJob, jobRequest(over));
  if (answer.kind !== "created" && answer.kind !== "existing") throw new Error(answer.kind);
  return answer;
};

export const KEY = "ab".repeat(32);

export const claim = (backend: Backend, { jobId, stage, index }: TaskMessage) =>
  backend.service.mutation(api.ledger.claim, { jobId, stage, index });

/** Claims a task that must be there to run. */
export const claimRun = async (
  backend: Backend,
  message: TaskMessage,
): Promise<Extract<ClaimAnswer, { kind: "run" }>> => {
  const answer = await claim(backend, message);
  if (answer.kind !== "run") throw new Error(`${message.stage} ${message.index}: ${answer.kind}`);
  return answer;
};

/** Claims and commits a task. */
export const runTask = async (
  backend: Backend,
  message: TaskMessage,
  result: Partial<CommitRequest> = {},
) => {
  const { attempt } = await claimRun(backend, message);
  const { jobId, stage, index } = message;
  const answer = await backend.service.mutation(api.ledger.commit, {
    jobId,
    stage,
    index,
    attempt,
    output: { key: KEY, summary: { stage, index } },
    warnings: [],
    ...result,
  });
  if (answer.kind !== "committed") throw new Error(`${stage} ${index}: ${answer.kind}`);
  return answer;
};

/** How a job of a test fans out. */
export interface Plan {
  media: number;
  chat: number;
  transcribe: number;
  clips: number;
}

/** What each stage of a job with this plan commits. */
export const resultOf = (plan: Plan, stage: TaskMessage["stage"]): Partial<CommitRequest> => {
  const { clips, ...ranges } = plan;
  if (stage === "ingest") return { fanOut: ranges, video: { durationSec: 60, title: "A talk" } };
  if (stage === "highlights") return { fanOut: { clips } };
  if (stage === "finish") return { urls: { transcriptUrl: "https://signed.example/t" } };
  return {};
};

/** Runs everything that is due, first come first served, until nothing is. */
export const runAll = async (backend: Backend, first: TaskMessage[], plan: Plan) => {
  const queue = [...first];
  const ran: string[] = [];
  const deliveryIds: string[] = [];
  for (let message = queue.shift(); message; message = queue.shift()) {
    ran.push(`${message.stage} ${message.index}`);
    const answer = await runTask(backend, message, resultOf(plan, message.stage));
    queue.push(...answer.messages);
    deliveryIds.push(...answer.deliveryIds);
  }
  return { ran, deliveryIds };
};
