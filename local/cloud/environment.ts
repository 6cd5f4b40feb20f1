// What the instances and the Convex functions see of the environment: this process's own, with the
// addresses of the local services in place of Google's.
import { fileURLToPath } from "node:url";
import type { FunctionSpec } from "#functions/catalog.ts";
import type { LocalAccount } from "../metadata/server.ts";

const COMPILE_CACHE = fileURLToPath(
  new URL("../../node_modules/.cache/klipstream", import.meta.url),
);

export type Env = Record<string, string>;

/** What the Convex functions are set up with; the rest of the environment is not theirs. */
const CONVEX_VARIABLES = [
  "ADMIN_ROLES",
  "CONVEX_SERVICE_JWKS",
  "HAND_OVER_MS",
  "INSTRUCTOR_ROLES",
  "LEASE_MS",
  "LEGACY_ASSET_BUCKET",
  "MAX_RUNNING_JOBS",
  "MAX_RUNNING_JOBS_PER_OWNER",
  "MAX_WAITING_JOBS_PER_OWNER",
  "NOTES_GENERATION_ENDPOINT",
  "OIDC_AUDIENCE",
  "OIDC_ISSUERS",
  "QUIZ_GENERATION_ENDPOINT",
  "ROLE_CLAIM",
  "STUDY_API_KEY",
  "STUDY_PARALLELISM",
  "SWEEP_AGAIN_MS",
  "UNCLAIMED_MS",
  "USERS_ISSUER",
  "USERS_JWKS",
];

/**
 * Led somewhere else by what a developer's shell or an `.env` for Google Cloud holds, an instance would
 * leave the machine, and so would who follows a link in an answer. The caller may say so all the same.
 */
const FOREIGN =
  /^(GOOGLE_|GCLOUD_|CLOUDSDK_|GCE_|GCP_|K_|FUNCTION_)|^(PORT|NODE_OPTIONS|PUBLIC_URL|SUBMIT_URL)$/;

const defined = (env: NodeJS.ProcessEnv): Env =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** The base of all below: this process's environment, then what the caller sets. */
export const baseEnvironment = (given: Env): Env => {
  const own = Object.entries(defined(process.env)).filter(([name]) => !FOREIGN.test(name));
  return { ...Object.fromEntries(own), ...given };
};

/**
 * The Convex deployment to use instead of ours; undefined where none is named. An `.env` for Google Cloud
 * names one as well: it is meant only where there is also the key that opens it for us.
 */
export const givenDeployment = (base: Env): string | undefined =>
  (base["CONVEX_API_KEY"] && base["CONVEX_URL"]) || undefined;

export interface Addresses {
  projectId: string;
  bucket: string;
  audience: string;
  origin: string;
  convexUrl: string;
  storageOrigin: string;
  pubsubAddress: string;
  runOrigin: string;
}

/** Where things are, in the words of Cloud Run. */
export const REGION = "local";

/** An instance is its account, and has only the secrets that the catalog gives it. */
export const instanceEnvironment = (
  base: Env,
  spec: FunctionSpec,
  catalog: readonly FunctionSpec[],
  account: LocalAccount,
  addresses: Addresses,
): Env => {
  const secrets = new Set(catalog.flatMap((one) => one.secrets));
  for (const name of spec.secrets) secrets.delete(name);
  const visible = Object.entries(base).filter(([name]) => !secrets.has(name));
  return {
    ...Object.fromEntries(visible),
    GOOGLE_CLOUD_PROJECT: addresses.projectId,
    GOOGLE_APPLICATION_CREDENTIALS: account.credentialsFile,
    GCE_METADATA_HOST: account.metadataHost,
    // Google's clients sign with the file above and ask nobody whether this is Google Cloud.
    METADATA_SERVER_DETECTION: "none",
    // Instances start often here; what was compiled once is kept, where nobody else can write.
    NODE_COMPILE_CACHE: base["NODE_COMPILE_CACHE"] ?? COMPILE_CACHE,
    NODE_ENV: "production",
    BUCKET: addresses.bucket,
    STORAGE_EMULATOR_HOST: addresses.storageOrigin,
    STORAGE_SIGNING_ORIGIN: addresses.storageOrigin,
    PUBSUB_EMULATOR_HOST: addresses.pubsubAddress,
    RUN_EMULATOR_HOST: addresses.runOrigin,
    JOBS_REGION: REGION,
    CONVEX_URL: addresses.convexUrl,
    CONVEX_AUDIENCE: addresses.audience,
    PUBLIC_URL: base["PUBLIC_URL"] ?? addresses.origin,
  };
};

/** @param services  accounts whose tokens are the pipeline's */
export const convexEnvironment = (
  base: Env,
  issuer: string,
  audience: string,
  services: readonly LocalAccount[],
): Env => {
  const chosen = CONVEX_VARIABLES.flatMap((name) => {
    const value = base[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(chosen),
    SERVICE_OIDC_ISSUER: issuer,
    SERVICE_OIDC_AUDIENCE: audience,
    SERVICE_TOKEN_IDENTIFIERS: services.map((account) => `${issuer}|${account.subject}`).join(","),
  };
};
