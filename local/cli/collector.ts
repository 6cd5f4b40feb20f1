// What `npm run collect` works on: the bucket and the database that the environment names, as a
// deployment's functions have them, or those of the local cloud.
import { existsSync } from "node:fs";
import { Storage } from "@google-cloud/storage";
import type { CollectedBucket } from "#shared/assets/ports.ts";
import { createCollectedBucket } from "#shared/cloud/collectedBucket.ts";
import { loadConfig } from "#shared/cloud/config.ts";
import { type ConvexCalls, createConvexCalls } from "#shared/cloud/convexCalls.ts";
import { createServiceToken } from "#shared/cloud/serviceToken.ts";
import { LOCAL_PERSON } from "../people.ts";
import { personToken, useCloud } from "./cloud.ts";
import { UsageError } from "./command.ts";

export interface CollectorTarget extends AsyncDisposable {
  bucket: CollectedBucket;
  convex: ConvexCalls;
}

/** @throws {BadEnvironment} where the environment names a bucket but lacks something else */
const deployed = (env: NodeJS.ProcessEnv): CollectorTarget => {
  const { bucket, convex, metadataHost } = loadConfig(env);
  return {
    bucket: createCollectedBucket({ bucket }),
    convex: createConvexCalls({
      url: convex.url,
      token: createServiceToken({ ...convex, metadataHost }),
    }),
    [Symbol.asyncDispose]: async () => undefined,
  };
};

const local = async (dataDir: string): Promise<CollectorTarget> => {
  // Started on a name that was mistyped, the local cloud would make that folder.
  if (!existsSync(dataDir)) throw new UsageError(`There is no data folder ${dataDir}.`);
  const cloud = await useCloud(dataDir);
  const { storageOrigin, convexUrl, bucket } = cloud;
  return {
    bucket: createCollectedBucket({
      bucket,
      storage: new Storage({ projectId: bucket, apiEndpoint: storageOrigin }),
    }),
    convex: createConvexCalls({
      url: convexUrl,
      token: () => personToken(dataDir, { name: LOCAL_PERSON }),
    }),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  };
};

/**
 * @param dataDir  of the local cloud, where the environment's `BUCKET` names no deployment
 * @throws {UsageError} for a data folder that is not there
 */
export const openTarget = async (
  dataDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CollectorTarget> => (env["BUCKET"] ? deployed(env) : local(dataDir));
