// What the person who deploys decides: by flags, the environment, `.env` or `.env.yaml`, in this
// order. Everything that is wrong is said at once, before anything is done.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { convexEnvironmentProblems } from "#convex/model/env.ts";
import { CATALOG } from "#functions/catalog.ts";
import { environmentProblems, loadConfig } from "#shared/cloud/config.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
import { capacityProblems } from "./capacity.ts";
import { BadEnvFile, canBeWritten, parseEnvFile } from "./envFile.ts";
import { LEAST_VCPU, deployed } from "./sizes.ts";
import { CONVEX_AUTH_VARIABLES, CONVEX_VARIABLES, FUNCTION_VARIABLES } from "./variables.ts";

export type Variables = Readonly<Record<string, string>>;

export interface Settings {
  projectId: string;
  region: string;
  bucket: string;
  convexUrl: string;
  /** Audience of the service accounts' tokens for Convex. */
  convexAudience: string;
  /** Who may speak to the deployment: what Convex's command line reads. */
  convexAccess: Variables;
  /** Where callers reach both public functions, where that is not Cloud Run's own address of each. */
  publicUrl: string | undefined;
  /** Where they reach `submit`, where that is another address than `publicUrl`. */
  submitUrl: string | undefined;
  /** Origins of pages that may upload and play. */
  webOrigins: readonly string[];
  /** Told when something is wrong; nothing: alerts are only shown. */
  alertEmail: string | undefined;
  /** An image that is there already; else one is built of the sources. */
  image: string | undefined;
  /** Processors that Cloud Run grants in the region; undefined where those of the catalog fit. */
  vcpu: number | undefined;
  /** Whether jobs may have whisper.cpp listen, which wants larger functions (functions/catalog.ts). */
  hasWhisper: boolean;
  /** Variables of every function. */
  functionVariables: Variables;
  /** Variables of Convex, without what Google has yet to say. */
  convexVariables: Variables;
  /** By the names of the variables they become. */
  secrets: Variables;
}

/** Says everything that is wrong at once. */
export class BadSettings extends Error {
  override name = "BadSettings";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const REQUIRED = "is missing; set it in .env or .env.yaml";
const text = (pattern: RegExp, what: string) =>
  z.string({ error: REQUIRED }).regex(pattern, `must be ${what}`);

const isOrigin = (value: string): boolean =>
  value === "*" || (URL.canParse(value) && new URL(value).origin === value);

const Given = z.object({
  GOOGLE_CLOUD_PROJECT: text(
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    "a project's id; it may be given as --project",
  ),
  REGION: text(/^[a-z]+-[a-z]+\d+$/, "a region such as us-central1").default("us-central1"),
  BUCKET: text(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, "a bucket's name").optional(),
  CONVEX_URL: z.url({
    protocol: /^https$/,
    error: "must be https://….convex.cloud, as Convex's dashboard shows it",
  }),
  CONVEX_DEPLOY_KEY: z.string().optional(),
  CONVEX_SELF_HOSTED_URL: z.url().optional(),
  CONVEX_SELF_HOSTED_ADMIN_KEY: z.string().optional(),
  CONVEX_AUDIENCE: z.string().default(SERVICE_AUDIENCE),
  PUBLIC_URL: z.url({ protocol: /^https$/ }).optional(),
  SUBMIT_URL: z.url({ protocol: /^https$/ }).optional(),
  WEB_ORIGINS: z
    .string()
    .default("*")
    .transform((list) =>
      list
        .split(",")
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .refine((origins) => origins.length > 0 && origins.every(isOrigin), {
      error: "must be origins by comma, such as https://example.com, or *",
    }),
  ALERT_EMAIL: z.email().optional(),
  IMAGE: text(/^[a-z0-9.-]+\/[\w./-]+[:@][\w.:-]+$/, "an image with its tag or digest").optional(),
  CLOUD_RUN_VCPU: z.coerce
    .number()
    .int()
    .min(LEAST_VCPU, `must be ${LEAST_VCPU} at least, which the largest Cloud Run job takes`)
    .optional(),
});

/** Jobs would run, and each would end without a transcript. */
const speechProblems = (given: Variables): string[] =>
  given["SPEECH_PROVIDER"] === "whisper" && !given["WHISPER_MODEL"]
    ? ["WHISPER_MODEL is missing; SPEECH_PROVIDER is whisper, which needs a model"]
    : [];

/** Convex takes its variables as lines of `.env`. */
const unwritable = (variables: Variables): string[] =>
  Object.entries(variables)
    .filter(([, value]) => !canBeWritten(value))
    .map(
      ([name]) =>
        `${name} must not hold ', " and \` at once or a carriage return, nor end in a backslash`,
    );

/** Whether there is a key, and whether it is the one of this deployment. */
const convexKeyProblems = (given: Variables): string[] => {
  const key = given["CONVEX_DEPLOY_KEY"];
  if (key === undefined) {
    return given["CONVEX_SELF_HOSTED_URL"] && given["CONVEX_SELF_HOSTED_ADMIN_KEY"]
      ? []
      : [
          "CONVEX_DEPLOY_KEY is missing; Convex's dashboard makes one, in the deployment's settings",
        ];
  }
  const [, keyOf] = /^(?:prod|dev):([a-z0-9-]+)\|/.exec(key) ?? [];
  const url = given["CONVEX_URL"] ?? "";
  const [, urlOf] = /^https:\/\/([a-z0-9-]+)\.[a-z0-9.-]*convex\.cloud/.exec(url) ?? [];
  return keyOf !== undefined && urlOf !== undefined && keyOf !== urlOf
    ? [`CONVEX_DEPLOY_KEY is the key of ${keyOf}, and CONVEX_URL is ${urlOf}`]
    : [];
};

/** Variables that tell the deployment itself; flags and the environment may give any of them. */
export const DEPLOY_VARIABLES = Object.keys(Given.shape);
export const SECRET_VARIABLES = [...new Set(CATALOG.flatMap((spec) => spec.secrets))];
const KNOWN = new Set<string>([
  ...DEPLOY_VARIABLES,
  ...FUNCTION_VARIABLES,
  ...CONVEX_AUTH_VARIABLES,
  ...CONVEX_VARIABLES,
  ...SECRET_VARIABLES,
]);

/** Those of `names` that are set to something. */
const pick = (from: Variables, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (from[name] ? [[name, from[name]]] : [])));

/** What is set, by whoever comes first. @throws {BadSettings} for a file that cannot be read */
export const gather = (flags: Variables, env: NodeJS.ProcessEnv, folder: string): Variables => {
  const merged: Record<string, string> = {};
  for (const name of [".env.yaml", ".env"]) {
    const file = join(folder, name);
    if (!existsSync(file)) continue;
    try {
      Object.assign(merged, parseEnvFile(name, readFileSync(file, "utf8")));
    } catch (error) {
      if (!(error instanceof BadEnvFile)) throw error;
      throw new BadSettings([error.message]);
    }
  }
  for (const name of KNOWN) {
    const value = flags[name] ?? env[name];
    if (value !== undefined) merged[name] = value;
  }
  return merged;
};

/** As many highlights as a caller may ask for (shared/contract/options.ts). */
const MAX_CLIPS = 50;
/** As many jobs as the database admits by itself. */
const ADMITTED = 20;

/** @param variables that the functions can be set up with */
const loadProblems = (
  variables: Variables,
  runningJobs: string | undefined,
  sizes: Pick<Settings, "hasWhisper" | "vcpu">,
): string[] => {
  const { GOOGLE_CLOUD_PROJECT = "", BUCKET = "any-bucket" } = variables;
  const config = loadConfig({ ...variables, GOOGLE_CLOUD_PROJECT, BUCKET });
  return capacityProblems(deployed(CATALOG, sizes), {
    runningJobs: runningJobs === undefined ? ADMITTED : Number(runningJobs),
    maxDurationSec: config.limits.maxDurationSec,
    rangeSec: config.rangeSec,
    chatWindowSec: config.chat.windowSec,
    clips: MAX_CLIPS,
  });
};

/** @param given as `gather` answers it. @throws {BadSettings} */
export const readSettings = (given: Variables): Settings => {
  const set = pick(given, Object.keys(given).toSorted());
  const read = Given.safeParse(set);
  const problems = (read.error?.issues ?? []).map(
    ({ path, message }) => `${path.join(".")} ${message}`,
  );
  problems.push(...convexKeyProblems(set), ...speechProblems(set));
  const functionVariables = pick(set, FUNCTION_VARIABLES);
  const secrets = pick(set, SECRET_VARIABLES);
  const convexVariables = {
    ...Object.fromEntries(CONVEX_AUTH_VARIABLES.map((name) => [name, set[name] ?? ""])),
    ...pick(set, CONVEX_VARIABLES),
  };
  problems.push(...unwritable(convexVariables));
  // As the functions will read them: what is said above is not said twice.
  const said = new Set(DEPLOY_VARIABLES);
  const asRead = { ...functionVariables, ...secrets };
  problems.push(
    ...[...environmentProblems(asRead), ...convexEnvironmentProblems(convexVariables)].filter(
      (line) => !said.has(line.split(":")[0] ?? ""),
    ),
  );
  if (!read.success || problems.length > 0) throw new BadSettings(problems);
  const e = read.data;
  const sizes = {
    hasWhisper: functionVariables["WHISPER_MODEL"] !== undefined,
    vcpu: e.CLOUD_RUN_VCPU,
  };
  const tooMany = loadProblems({ ...set, ...asRead }, set["MAX_RUNNING_JOBS"], sizes);
  if (tooMany.length > 0) throw new BadSettings(tooMany);
  return {
    projectId: e.GOOGLE_CLOUD_PROJECT,
    region: e.REGION,
    bucket: e.BUCKET ?? `${e.GOOGLE_CLOUD_PROJECT}-klipstream`,
    convexUrl: e.CONVEX_URL,
    convexAudience: e.CONVEX_AUDIENCE,
    convexAccess: pick(set, [
      "CONVEX_DEPLOY_KEY",
      "CONVEX_SELF_HOSTED_URL",
      "CONVEX_SELF_HOSTED_ADMIN_KEY",
    ]),
    publicUrl: e.PUBLIC_URL,
    submitUrl: e.SUBMIT_URL,
    webOrigins: e.WEB_ORIGINS,
    alertEmail: e.ALERT_EMAIL,
    image: e.IMAGE,
    ...sizes,
    functionVariables,
    convexVariables,
    secrets,
  };
};
