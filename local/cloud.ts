// The whole service on one machine: everything that Google Cloud and Convex would run, started
// from the catalog and wired together, in one process tree over one data folder.
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Role } from "#convex/model/access.ts";
import { convexEnvironmentProblems } from "#convex/model/env.ts";
import { CATALOG } from "#functions/catalog.ts";
import type { FunctionSpec } from "#functions/catalog.ts";
import { BadEnvironment, environmentProblems } from "#shared/cloud/config.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
import { createServiceToken } from "#shared/cloud/serviceToken.ts";
import { findFfmpeg } from "#shared/media/ffmpeg.ts";
import { loadApiKey } from "./cloud/apiKey.ts";
import { REGION, baseEnvironment, instanceEnvironment } from "./cloud/environment.ts";
import type { Addresses, Env } from "./cloud/environment.ts";
import { openDataFolder } from "./cloud/dataFolder.ts";
import { openDeployment } from "./cloud/deployment.ts";
import { openLogs } from "./cloud/logs.ts";
import { keepPorts, choosePorts } from "./cloud/ports.ts";
import { pubSubProblems, startCatalogPubSub } from "./cloud/pubsub.ts";
import type { TopicOptions } from "./cloud/topics.ts";
import type { Census } from "./convex/census.ts";
import type { ConvexThread } from "./convex/thread.ts";
import { fullDisk } from "./fullDisk.ts";
import { startFront } from "./front/server.ts";
import type { InstanceInfo } from "./front/server.ts";
import { startMetadata } from "./metadata/server.ts";
import type { LocalHosts } from "./net.ts";
import { loadPeople } from "./people.ts";
import { announce, withdraw } from "./running.ts";
import { type Execution, startRunJobs } from "./runJobs/server.ts";
import { startScheduler } from "./scheduler/scheduler.ts";
import { startStorage } from "./storage/server.ts";

export interface CloudOptions {
  /** All state; one process at a time. */
  dataDir: string;
  /** Of the front, 127.0.0.1; default that of the last time in this folder, or a free one. */
  port?: number;
  /** Added to this process's environment for the functions and for Convex. */
  env?: Env;
  /** Host names that are answered on this machine, as `{"gql.twitch.tv": "127.0.0.1:1234"}`. */
  hosts?: LocalHosts;
  /** Period of `sweep`; default the catalog's. */
  sweepEveryMs?: number;
  /** Between deliveries of a message that was not acknowledged; default 1 s to 60 s. */
  backoff?: TopicOptions["backoff"];
  maxInstancesPerFunction?: number;
  /** Output of the instances: into `<dataDir>/logs`, or to this process's standard error. */
  logs?: "files" | "stderr";
  catalog?: readonly FunctionSpec[];
  /** What an instance runs; default the sources, under this process's Node. */
  instanceCommand?: readonly string[];
  /** Whether other commands may find and use it; default true. */
  announced?: boolean;
  /** Folder of the Convex functions; default the project's. */
  convexFolder?: string;
  /** The code of Convex is loaded whole at the start, so that what changes later is not mixed in. */
  isReloaded?: boolean;
}

export interface LocalCloud {
  /** Of the HTTP API. */
  origin: string;
  /** What was in the folder; undefined where Convex is not ours, or it is new. */
  found: Census | undefined;
  /** Good for the HTTP API, as the machine's own person. */
  apiKey: string;
  convexUrl: string;
  storageOrigin: string;
  /** `host:port`. */
  pubsubAddress: string;
  bucket: string;
  projectId: string;
  /** A token of the pipeline's identity, with which Convex's clients may read everything. */
  serviceToken: () => Promise<string>;
  /** A token of a person, for Convex and the HTTP API. */
  personToken(person: { name: string; role?: Role }): Promise<string>;
  instances: () => InstanceInfo[];
  /** Of Cloud Run jobs. */
  executions: () => Execution[];
  /**
   * Has the functions' code loaded anew: their instances are told to end, as by a new revision.
   * Executions of Cloud Run jobs end with the code they began with.
   * @returns how many instances
   */
  reloadFunctions: () => number;
  /** As `ConvexThread` has it; undefined where Convex is not ours. */
  reloadConvex: ConvexThread["reload"] | undefined;
  close(): Promise<void>;
}

const PROJECT_ID = "klipstream-local";
const BUCKET = "klipstream-local";

/**
 * Brings up what the environment does not name: `PUBSUB_EMULATOR_HOST` and `CONVEX_URL` (with
 * `CONVEX_API_KEY`) stand for ours. With `PUBSUB_PUSH_PORT` as well, the emulator's topics and
 * subscriptions are taken as they are; they push to that port, at each function's path of the front.
 * What was started is stopped again where a later part fails.
 * @throws {BadEnvironment} with every bad variable
 * @throws {TopicsMissing} where topics or subscriptions that are to be taken are not there
 * @throws {DiskFull}
 * @throws {FolderInUse} where another process works in `dataDir`
 * @throws {WrongFolder} where `dataDir` holds something else, or is of a later version
 */
export const startCloud = async (options: CloudOptions): Promise<LocalCloud> => {
  try {
    return await bringUp(options);
  } catch (error) {
    throw fullDisk(error, options.dataDir) ?? error;
  }
};

const bringUp = async (options: CloudOptions): Promise<LocalCloud> => {
  const { dataDir } = options;
  const catalog = options.catalog ?? CATALOG;
  const given = baseEnvironment({
    ...(options.hosts ? { LOCAL_HOSTS: JSON.stringify(options.hosts) } : {}),
    ...options.env,
  });
  const audience = given["CONVEX_AUDIENCE"] || SERVICE_AUDIENCE;
  await checkEnvironment(given);
  // Google's clients in this process talk to this machine; they would look for Google Cloud first.
  process.env["METADATA_SERVER_DETECTION"] ??= "none";
  await using stack = new AsyncDisposableStack();

  const folder = openDataFolder(dataDir);
  stack.defer(() => folder.release());
  await withdraw(dataDir);
  const ports = await choosePorts(dataDir);

  const people = await loadPeople(dataDir);
  const base: Env = { ...people.environment, ...given };
  const metadata = await startMetadata({
    dataDir,
    projectId: PROJECT_ID,
    accounts: ["api", "worker", "pusher", "scheduler"],
  });
  stack.defer(() => metadata.close());
  const [apiAccount, worker] = [metadata.account("api"), metadata.account("worker")];
  const [pusher, caller] = [metadata.account("pusher"), metadata.account("scheduler")];

  const storage = await startStorage({
    dataDir: join(dataDir, "storage"),
    port: ports.storage,
    verifySigner: (email) => metadata.accountByEmail(email)?.publicKey,
    buckets: [BUCKET],
  });
  stack.defer(() => storage.close());

  // Before any message is pushed, since it gives back leases.
  const deployment = await openDeployment({
    dataDir,
    env: base,
    issuer: metadata.issuer,
    audience,
    services: [apiAccount, worker],
    port: ports.convex,
    folder: options.convexFolder,
    isWhole: options.isReloaded,
  });
  stack.defer(() => deployment.close());
  const { url: convexUrl, own: ownConvex } = deployment;

  const scratchRoot = emptyFolder(join(dataDir, "tmp"));
  const logs = openLogs(dataDir, options.logs ?? "files");
  stack.defer(() => logs.close());
  /** Filled in below; no instance starts before that, though requests and messages come earlier. */
  const addresses: Addresses = {
    projectId: PROJECT_ID,
    bucket: BUCKET,
    audience,
    origin: "",
    convexUrl,
    storageOrigin: storage.origin,
    pubsubAddress: "",
    runOrigin: "",
  };
  const environment = (spec: FunctionSpec): Env =>
    instanceEnvironment(base, spec, catalog, metadata.account(spec.account), addresses);
  const complete = Promise.withResolvers<void>();
  const front = await startFront({
    catalog,
    instancesMayStart: complete.promise,
    verifyIdToken: (token, forUrl) => metadata.verifyIdToken(token, forUrl),
    invokers: [pusher.email, caller.email],
    environment,
    output: (spec) => logs.of(spec.name),
    scratchRoot,
    ...(options.instanceCommand === undefined ? {} : { command: options.instanceCommand }),
    port: options.port ?? ports.front,
    ...(options.maxInstancesPerFunction === undefined
      ? {}
      : { maxInstancesPerFunction: options.maxInstancesPerFunction }),
  });
  stack.defer(() => front.close());
  addresses.origin = front.origin;

  const mintIdToken = (request: { serviceAccountEmail: string; audience: string }) =>
    metadata.mintIdToken(request);
  const pubsub = await startCatalogPubSub({
    dataDir,
    projectId: PROJECT_ID,
    catalog,
    front,
    mintIdToken,
    pusherEmail: pusher.email,
    env: base,
    ...(options.backoff ? { backoff: options.backoff } : {}),
  });
  stack.defer(async () => {
    // Instances publish until they have ended: what a task made due that is settled just now.
    await pubsub.stopPushing();
    await front.close();
    await pubsub.close();
  });
  addresses.pubsubAddress = pubsub.address;

  const runJobs = await startRunJobs({
    catalog,
    projectId: PROJECT_ID,
    region: REGION,
    accountOf: (token) => metadata.accountOfAccessToken(token)?.email,
    executors: [worker.email],
    environment,
    output: (spec) => logs.of(spec.name),
    scratchRoot,
  });
  stack.defer(() => runJobs.close());
  addresses.runOrigin = runJobs.origin;
  await keepPorts(dataDir, {
    front: front.origin,
    storage: storage.origin,
    ...(ownConvex ? { convex: convexUrl } : {}),
  });
  complete.resolve();

  const serviceToken = createServiceToken({
    apiKey: base["CONVEX_API_KEY"],
    audience,
    metadataHost: apiAccount.metadataHost,
  });
  const token = await serviceToken();
  const apiKey = await loadApiKey({
    dataDir,
    convexUrl,
    token,
    adminKey: ownConvex?.adminKey,
  });

  const scheduler = startScheduler({
    catalog,
    urlOf: front.urlOf,
    mintIdToken: (forUrl) => mintIdToken({ serviceAccountEmail: caller.email, audience: forUrl }),
    // What was handed over to a Cloud Run job has no message any more that would come again.
    ...(ownConvex && ownConvex.cutOff > 0 ? { atOnce: ["sweep"] } : {}),
    ...(options.sweepEveryMs === undefined ? {} : { everyMs: { sweep: options.sweepEveryMs } }),
  });
  stack.defer(() => scheduler.close());
  stack.defer(() => withdraw(dataDir));
  if (options.announced ?? true)
    await announce(dataDir, {
      origin: front.origin,
      apiKey,
      convexUrl,
      storageOrigin: storage.origin,
      bucket: BUCKET,
    });

  const running = stack.move();
  return {
    origin: front.origin,
    found: ownConvex?.found,
    apiKey,
    convexUrl,
    storageOrigin: storage.origin,
    pubsubAddress: addresses.pubsubAddress,
    bucket: BUCKET,
    projectId: PROJECT_ID,
    serviceToken,
    personToken: (person) =>
      people.token({ ...person, audience: base["OIDC_AUDIENCE"] || SERVICE_AUDIENCE }),
    instances: front.instances,
    executions: runJobs.executions,
    reloadFunctions: front.replaceInstances,
    reloadConvex: ownConvex?.reload,
    close: () => running.disposeAsync(),
  };
};

/**
 * What an instance would stumble over at its first task, said before anything starts.
 * @throws {BadEnvironment} with every bad variable
 */
const checkEnvironment = async (base: Env): Promise<void> => {
  const local = "http://127.0.0.1";
  const given = { GOOGLE_CLOUD_PROJECT: PROJECT_ID, BUCKET, CONVEX_URL: local, ...base };
  const problems = [
    ...environmentProblems(given),
    ...convexEnvironmentProblems(base),
    ...pubSubProblems(base),
  ];
  if (problems.length > 0) throw new BadEnvironment(problems);
  await findFfmpeg(base);
};

/** What instances had on disk when all were killed at once is nobody's any more. */
const emptyFolder = (folder: string): string => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(folder, { recursive: true });
  return resolve(folder);
};
