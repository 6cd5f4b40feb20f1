// The part of Cloud Build's published schema that cloudbuild.yaml uses, strict, so that a misspelt field
// is found without Google's tools: https://cloud.google.com/build/docs/build-config-file-schema
import { z } from "zod";

const Duration = z.string().regex(/^\d+(\.\d{1,9})?s$/);
const Variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=/);
const Volume = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/),
  path: z.string().startsWith("/"),
});

const Step = z
  .strictObject({
    name: z.string().min(1),
    id: z.string().min(1).optional(),
    args: z.array(z.string()).optional(),
    entrypoint: z.string().optional(),
    script: z.string().optional(),
    dir: z.string().optional(),
    env: z.array(Variable).optional(),
    secretEnv: z.array(z.string()).optional(),
    volumes: z.array(Volume).optional(),
    waitFor: z.array(z.string()).optional(),
    timeout: Duration.optional(),
    allowFailure: z.boolean().optional(),
    allowExitCodes: z.array(z.int()).optional(),
    automapSubstitutions: z.boolean().optional(),
  })
  .refine(({ script, args, entrypoint }) => script === undefined || !(args ?? entrypoint), {
    error: "a step has a script, or arguments and an entrypoint",
  });

const Options = z.strictObject({
  machineType: z.enum(["E2_MEDIUM", "E2_HIGHCPU_8", "E2_HIGHCPU_32", "N1_HIGHCPU_8"]).optional(),
  diskSizeGb: z.int().min(1).max(4000).optional(),
  logging: z.enum(["LEGACY", "GCS_ONLY", "CLOUD_LOGGING_ONLY", "NONE"]).optional(),
  substitutionOption: z.enum(["MUST_MATCH", "ALLOW_LOOSE"]).optional(),
  dynamicSubstitutions: z.boolean().optional(),
  automapSubstitutions: z.boolean().optional(),
  env: z.array(Variable).optional(),
  secretEnv: z.array(z.string()).optional(),
  volumes: z.array(Volume).optional(),
});

const Secret = z.strictObject({
  versionName: z.string().regex(/^projects\/[^/]+\/secrets\/[^/]+\/versions\/[^/]+$/),
  env: z.string(),
});

/** Steps wait only for steps before them, and have only secrets that are there. */
export const BuildConfig = z
  .strictObject({
    steps: z.array(Step).min(1).max(300),
    substitutions: z.record(z.string().regex(/^_[A-Z0-9_]+$/), z.string().max(4000)).optional(),
    availableSecrets: z.strictObject({ secretManager: z.array(Secret).optional() }).optional(),
    images: z.array(z.string()).optional(),
    tags: z.array(z.string()).optional(),
    serviceAccount: z.string().optional(),
    timeout: Duration.optional(),
    queueTtl: Duration.optional(),
    logsBucket: z.string().optional(),
    options: Options.optional(),
  })
  .superRefine(({ steps, availableSecrets }, context) => {
    const say = (i: number, message: string) =>
      context.addIssue({ code: "custom", path: ["steps", i], message });
    const secrets = new Set((availableSecrets?.secretManager ?? []).map(({ env }) => env));
    const before = new Set(["-"]);
    for (const [i, { id, waitFor = [], secretEnv = [] }] of steps.entries()) {
      for (const other of waitFor)
        if (!before.has(other)) say(i, `waits for "${other}", which is no step before it`);
      for (const name of secretEnv) if (!secrets.has(name)) say(i, `has no secret ${name}`);
      if (id === undefined) continue;
      if (before.has(id)) say(i, `is called as another: ${id}`);
      before.add(id);
    }
  });
