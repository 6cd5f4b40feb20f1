// The description of one function as a service of Cloud Run, for `gcloud run services replace`. One
// image serves all functions; which one an instance is, FUNCTION_TARGET says.
import type { FunctionSpec } from "#functions/catalog.ts";
import type { JsonObject } from "./json.ts";
import { LABELS } from "./resource.ts";
import type { Settings } from "./settings.ts";

export const serviceName = (functionName: string): string => `klipstream-${functionName}`;

/** The address that Cloud Run gives a service beside its older, random one. */
export const serviceUrl = (
  functionName: string,
  { region }: Pick<Settings, "region">,
  projectNumber: string,
): string => `https://${serviceName(functionName)}-${projectNumber}.${region}.run.app`;

/**
 * Where callers reach the two public functions: Cloud Run gives each an address of its own; PUBLIC_URL
 * is one for both.
 */
const publicAddresses = (
  settings: Pick<Settings, "publicUrl" | "submitUrl" | "region">,
  projectNumber: string,
): { status: string; submit: string } => {
  const { publicUrl, submitUrl } = settings;
  return {
    status: publicUrl ?? serviceUrl("status", settings, projectNumber),
    submit: submitUrl ?? publicUrl ?? serviceUrl("submit", settings, projectNumber),
  };
};

export const accountEmail = (account: string, projectId: string): string =>
  `klipstream-${account}@${projectId}.iam.gserviceaccount.com`;

export const secretName = (variable: string): string =>
  `klipstream-${variable.toLowerCase().replaceAll("_", "-")}`;

/** The second generation is whole Linux, for ffmpeg, but starts slower and wants this much. */
const SECOND_GENERATION_MIB = 512;

/** A revision that is deployed under a tag, and gets no traffic before it is tried. */
export const revisionName = (functionName: string, tag: string): string =>
  `${serviceName(functionName)}-${tag}`;

/** Where requests go: to the newest revision, or as `release.ts` says. */
export type Traffic = readonly JsonObject[];
export const NEWEST: Traffic = [{ latestRevision: true, percent: 100 }];

/** What is not the function's own to say. */
export interface Surroundings {
  /** Tag that the revision is named after; without one, Cloud Run names it. */
  tag?: string | undefined;
  traffic?: Traffic;
  /** Says that this is another attempt: Cloud Run starts nothing anew that is described the same. */
  nonce?: string | undefined;
  settings: Settings;
  image: string;
  projectNumber: string;
  /** Version of each secret that is there, by the variable it becomes. */
  secretVersions: Readonly<Record<string, string>>;
}

/** Variables of a function, and of its Cloud Run job where it has one. */
export const environmentOf = (
  spec: FunctionSpec,
  {
    settings,
    projectNumber,
    secretVersions,
  }: Pick<Surroundings, "settings" | "projectNumber" | "secretVersions">,
): JsonObject[] => {
  const addresses = publicAddresses(settings, projectNumber);
  const values: Record<string, string> = {
    ...settings.functionVariables,
    NODE_ENV: "production",
    FUNCTION_TARGET: spec.name,
    GOOGLE_CLOUD_PROJECT: settings.projectId,
    BUCKET: settings.bucket,
    CONVEX_URL: settings.convexUrl,
    CONVEX_AUDIENCE: settings.convexAudience,
    // Links in answers are routes of `status`, whoever answers.
    PUBLIC_URL: addresses.status,
    SUBMIT_URL: addresses.submit,
    ...(spec.job ? { JOBS_REGION: settings.region } : {}),
  };
  const plain = Object.entries(values)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
  const secret = spec.secrets.flatMap((name) => {
    const version = secretVersions[name];
    // A version and not "latest", so that a new key makes a new revision, which can be rolled back.
    const valueFrom = { secretKeyRef: { name: secretName(name), key: version ?? "" } };
    return version === undefined ? [] : [{ name, valueFrom }];
  });
  return [...plain, ...secret];
};

/** Knative's `serving.knative.dev/v1` Service, as Cloud Run reads it. */
export const describeService = (spec: FunctionSpec, around: Surroundings): JsonObject => {
  const { settings, image } = around;
  const isStage = spec.trigger.kind === "topic" && spec.memoryMiB >= SECOND_GENERATION_MIB;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name: serviceName(spec.name),
      labels: { ...LABELS, function: spec.name },
      annotations: {
        // Pub/Sub and Scheduler of the same project count as internal.
        "run.googleapis.com/ingress": spec.public ? "all" : "internal",
      },
    },
    spec: {
      template: {
        metadata: {
          ...(around.tag === undefined ? {} : { name: revisionName(spec.name, around.tag) }),
          labels: { ...LABELS, function: spec.name },
          annotations: {
            "autoscaling.knative.dev/maxScale": String(spec.maxInstances),
            "run.googleapis.com/execution-environment": isStage ? "gen2" : "gen1",
            "run.googleapis.com/startup-cpu-boost": "true",
            ...(around.nonce === undefined ? {} : { "client.knative.dev/nonce": around.nonce }),
          },
        },
        spec: {
          serviceAccountName: accountEmail(spec.account, settings.projectId),
          containerConcurrency: spec.concurrency,
          timeoutSeconds: spec.timeoutSec,
          containers: [
            {
              image,
              env: environmentOf(spec, around),
              resources: {
                limits: { cpu: String(spec.cpu), memory: `${spec.memoryMiB}Mi` },
              },
            },
          ],
        },
      },
      traffic: around.traffic ?? NEWEST,
    },
  };
};
