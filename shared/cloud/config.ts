// The environment, read in this one file. A bad environment names every bad variable at once.
import { z } from "zod";
import { SERVICE_AUDIENCE } from "../contract/identity.ts";
import { SPEECH_PROVIDERS } from "../contract/options.ts";

const MIB = 1024 ** 2;
const HOUR_SEC = 3600;

const count = z.coerce.number().int().positive();
const seconds = z.coerce.number().positive();
const flag = z
  .enum(["true", "false", "1", "0"])
  .transform((value) => value === "true" || value === "1");

const jwks = z.string().refine((text) => {
  try {
    return z
      .object({ keys: z.array(z.looseObject({ kty: z.string() })) })
      .safeParse(JSON.parse(text)).success;
  } catch {
    // Not even JSON.
    return false;
  }
}, "must be a JSON Web Key Set");

/** A variable set to nothing counts as not set, as deploy tools write it. */
const blank = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

const Environment = z.object({
  GOOGLE_CLOUD_PROJECT: blank(z.string().min(1)),
  /** Where the metadata server is, as Google's own clients read it. */
  GCE_METADATA_HOST: blank(z.string().optional()),
  /** Bucket of all outputs. */
  BUCKET: blank(z.string().min(3)),
  CONVEX_URL: blank(z.url()),
  /** ES256 private key (JWK) of the pipeline; without it the service account's ID token is used. */
  CONVEX_API_KEY: blank(z.string().optional()),
  /** Audience of that ID token; as `SERVICE_OIDC_AUDIENCE` in Convex. */
  CONVEX_AUDIENCE: blank(z.string().default(SERVICE_AUDIENCE)),
  /** Has writes to `videos` and of assets logged instead of sent; the ledger's are always sent. */
  CONVEX_TEST_MODE: blank(flag.default(false)),
  /** Where callers reach the service; for links in answers. */
  PUBLIC_URL: blank(z.url().optional()),
  /** Where they reach the function that takes new work, where that is another address. */
  SUBMIT_URL: blank(z.url().optional()),
  /** Issuers, by comma, whose tokens people may carry; each an OIDC issuer. */
  OIDC_ISSUERS: blank(z.string().default("")),
  OIDC_AUDIENCE: blank(z.string().default(SERVICE_AUDIENCE)),
  /** One more issuer, whose public keys (JWKS) are given instead of looked up. */
  USERS_ISSUER: blank(z.string().optional()),
  USERS_JWKS: blank(jwks.optional()),
  /** Origin that signed addresses point to, where it is not Google's. */
  STORAGE_SIGNING_ORIGIN: blank(z.url().optional()),

  SPEECH_PROVIDER: blank(z.enum(SPEECH_PROVIDERS).default("captions")),
  OPENAI_BASE_URL: blank(z.url().default("https://api.openai.com/v1")),
  OPENAI_API_KEY: blank(z.string().optional()),
  OPENAI_MODEL: blank(z.string().default("whisper-1")),
  DEEPGRAM_API_KEY: blank(z.string().optional()),
  /** Path or address of a whisper.cpp model; an address needs its SHA-256. */
  WHISPER_MODEL: blank(z.string().optional()),
  WHISPER_MODEL_SHA256: blank(
    z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  ),

  FFMPEG_PATH: blank(z.string().optional()),
  TWITCH_CLIENT_ID: blank(z.string().optional()),
  /** Length of a media range. */
  RANGE_SEC: blank(seconds.default(300)),
  /** Length of a chat window, and the requests at once inside one. */
  CHAT_WINDOW_SEC: blank(seconds.default(1800)),
  CHAT_PARALLEL: blank(count.max(64).default(4)),
  MAX_DURATION_SEC: blank(seconds.default(12 * HOUR_SEC)),
  MAX_SOURCE_BYTES: blank(count.default(32 * 1024 * MIB)),
  MAX_SEGMENTS: blank(count.default(30_000)),
  /** Region of the Cloud Run jobs that take what outgrows a function; without it there are none. */
  JOBS_REGION: blank(z.string().optional()),
  /** Origin of a stand-in for the Cloud Run Admin API. */
  RUN_EMULATOR_HOST: blank(z.url().optional()),
  /** A task is given up before the request's time-out, so that it can say why. */
  TASK_TIMEOUT_SEC: blank(seconds.default(540)),
});

export interface Config {
  projectId: string;
  metadataHost: string | undefined;
  bucket: string;
  convex: { url: string; apiKey: string | undefined; audience: string; testMode: boolean };
  publicUrl: string | undefined;
  submitUrl: string | undefined;
  oidc: {
    issuers: string[];
    audience: string;
    /** An issuer whose JWKS is given. */
    withKeys: { issuer: string; jwks: string } | undefined;
  };
  storageSigningOrigin: string | undefined;
  speech: {
    provider: (typeof SPEECH_PROVIDERS)[number];
    openai: { baseUrl: string; apiKey: string | undefined; model: string };
    deepgramApiKey: string | undefined;
    whisper: { model: string | undefined; sha256: string | undefined };
  };
  ffmpegPath: string | undefined;
  twitchClientId: string | undefined;
  rangeSec: number;
  chat: { windowSec: number; parallel: number };
  limits: { maxDurationSec: number; maxBytes: number; maxSegments: number };
  taskTimeoutSec: number;
  jobs: { region: string | undefined; endpoint: string | undefined };
}

/** One line, `NAME: what is wrong`, for each variable that is missing or wrong. */
export const environmentProblems = (env: NodeJS.ProcessEnv): string[] =>
  (Environment.safeParse(env).error?.issues ?? []).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );

/** Says every bad variable of an environment at once. */
export class BadEnvironment extends Error {
  override name = "BadEnvironment";
  constructor(problems: readonly string[]) {
    super(`The environment is not good:\n${problems.map((line) => `  ${line}`).join("\n")}`);
  }
}

/** @throws {BadEnvironment} */
export const loadConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const read = Environment.safeParse(env);
  if (!read.success) throw new BadEnvironment(environmentProblems(env));
  const e = read.data;
  return {
    projectId: e.GOOGLE_CLOUD_PROJECT,
    metadataHost: e.GCE_METADATA_HOST,
    bucket: e.BUCKET,
    convex: {
      url: e.CONVEX_URL,
      apiKey: e.CONVEX_API_KEY,
      audience: e.CONVEX_AUDIENCE,
      testMode: e.CONVEX_TEST_MODE,
    },
    publicUrl: e.PUBLIC_URL,
    submitUrl: e.SUBMIT_URL,
    oidc: {
      issuers: e.OIDC_ISSUERS.split(",")
        .map((issuer) => issuer.trim())
        .filter(Boolean),
      audience: e.OIDC_AUDIENCE,
      withKeys:
        e.USERS_ISSUER !== undefined && e.USERS_JWKS !== undefined
          ? { issuer: e.USERS_ISSUER, jwks: e.USERS_JWKS }
          : undefined,
    },
    storageSigningOrigin: e.STORAGE_SIGNING_ORIGIN,
    speech: {
      provider: e.SPEECH_PROVIDER,
      openai: { baseUrl: e.OPENAI_BASE_URL, apiKey: e.OPENAI_API_KEY, model: e.OPENAI_MODEL },
      deepgramApiKey: e.DEEPGRAM_API_KEY,
      whisper: { model: e.WHISPER_MODEL, sha256: e.WHISPER_MODEL_SHA256 },
    },
    ffmpegPath: e.FFMPEG_PATH,
    twitchClientId: e.TWITCH_CLIENT_ID,
    rangeSec: e.RANGE_SEC,
    chat: { windowSec: e.CHAT_WINDOW_SEC, parallel: e.CHAT_PARALLEL },
    limits: {
      maxDurationSec: e.MAX_DURATION_SEC,
      maxBytes: e.MAX_SOURCE_BYTES,
      maxSegments: e.MAX_SEGMENTS,
    },
    taskTimeoutSec: e.TASK_TIMEOUT_SEC,
    jobs: { region: e.JOBS_REGION, endpoint: e.RUN_EMULATOR_HOST },
  };
};
