// What `npm run collect` works on: the bucket and the database that the environment names, as a
// deployment's functions have them, or those of the local cloud.
import { Storage } from "@google-cloud/storage";
import type { CollectedBucket } from "#shared/assets/ports.ts";
import { createCollectedBucket } from "#shared/cloud/collectedBucket.ts";
import { loadConfig } from "#shared/cloud/config.ts";
import { type ConvexCalls, createConvexCalls } from "#shared/cloud/convexCalls.ts";
import { createServiceToken } from "#shared/cloud/serviceToken.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
import { LOCAL_PERSON, loadPeople } from "../people.ts";
import { useCloud } from "./cloud.ts";

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

const local = async (dataDir: string, env: NodeJS.ProcessEnv): Promise<CollectorTarget> => {
  const cloud = await useCloud(dataDir);
  const { storageOrigin, convexUrl, bucket } = cloud;
  const people = await loadPeople(dataDir);
  const audience = env["OIDC_AUDIENCE"] || SERVICE_AUDIENCE;
  const asAdmin = () => people.token({ name: LOCAL_PERSON, role: "admin", audience });
  const apiKey = env["CONVEX_API_KEY"];
  const asService = createServiceToken({ apiKey, audience: SERVICE_AUDIENCE });
  return {
    bucket: createCollectedBucket({
      bucket,
      storage: new Storage({ projectId: bucket, apiEndpoint: storageOrigin }),
    }),
    convex: createConvexCalls({ url: convexUrl, token: apiKey ? asService : asAdmin }),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  };
};

/** @param dataDir  of the local cloud, where the environment's `BUCKET` names no deployment */
export const openTarget = async (
  dataDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CollectorTarget> => (env["BUCKET"] ? deployed(env) : local(dataDir, env));
