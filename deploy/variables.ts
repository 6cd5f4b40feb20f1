// Which variables go where. A name that a function or Convex reads and that is missing here would
// never reach it: `variables.test.ts` compares with the sources.

/** Passed on to the functions as they are, where they are set. */
export const FUNCTION_VARIABLES = [
  "CHAT_PARALLEL",
  "CHAT_WINDOW_SEC",
  "CONVEX_AUDIENCE",
  "CONVEX_TEST_MODE",
  "MAX_DURATION_SEC",
  "MAX_SEGMENTS",
  "MAX_SOURCE_BYTES",
  "OIDC_AUDIENCE",
  "OIDC_ISSUERS",
  "OPENAI_BASE_URL",
  "OPENAI_MODEL",
  "RANGE_SEC",
  "SPEECH_PROVIDER",
  "TASK_TIMEOUT_SEC",
  "TWITCH_CLIENT_ID",
  "USERS_ISSUER",
  "USERS_JWKS",
  "WHISPER_MODEL",
  "WHISPER_MODEL_SHA256",
] as const;

/** Read by the functions, and made here or not for Google Cloud. */
export const OWN_FUNCTION_VARIABLES = [
  "BUCKET",
  "CONVEX_URL",
  "GOOGLE_CLOUD_PROJECT",
  "PUBLIC_URL",
  "SUBMIT_URL",
  "JOBS_REGION",
  // The service accounts' tokens take the place of this key.
  "CONVEX_API_KEY",
  // The image has its own ffmpeg; the three addresses are Google's.
  "FFMPEG_PATH",
  "GCE_METADATA_HOST",
  "RUN_EMULATOR_HOST",
  "STORAGE_SIGNING_ORIGIN",
] as const;

/** Read by `auth.config.ts`: Convex refuses a deploy while one is not set, even to nothing. */
export const CONVEX_AUTH_VARIABLES = [
  "CONVEX_SERVICE_JWKS",
  "OIDC_AUDIENCE",
  "OIDC_ISSUERS",
  "USERS_ISSUER",
  "USERS_JWKS",
] as const;

/** Passed on to Convex as they are, where they are set. */
export const CONVEX_VARIABLES = [
  "ADMIN_ROLES",
  "HAND_OVER_MS",
  "INSTRUCTOR_ROLES",
  "LEASE_MS",
  "LEGACY_ASSET_BUCKET",
  "MAX_RUNNING_JOBS",
  "MAX_RUNNING_JOBS_PER_OWNER",
  "MAX_WAITING_JOBS_PER_OWNER",
  "NOTES_GENERATION_ENDPOINT",
  "QUIZ_GENERATION_ENDPOINT",
  "ROLE_CLAIM",
  "STUDY_API_KEY",
  "STUDY_PARALLELISM",
  "SWEEP_AGAIN_MS",
  "UNCLAIMED_MS",
] as const;

/** Made here, of what Google answers. */
export const OWN_CONVEX_VARIABLES = [
  "SERVICE_OIDC_AUDIENCE",
  "SERVICE_OIDC_ISSUER",
  "SERVICE_TOKEN_IDENTIFIERS",
] as const;
