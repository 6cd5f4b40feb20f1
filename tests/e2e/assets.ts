// What the bucket and the database each say of a job's objects.
import { Storage } from "@google-cloud/storage";
import { ConvexHttpClient } from "convex/browser";
import { api } from "#convex/_generated/api.js";
import type { LocalCloud } from "#local/cloud.ts";
import { LOCAL_PERSON } from "#local/people.ts";
import type { ObjectStore } from "#shared/cloud/objectStore.ts";
import { createObjectStore } from "#shared/cloud/storage.ts";
import { jobPrefix } from "#shared/contract/manifest.ts";

type Stored = Pick<LocalCloud, "bucket" | "storageOrigin" | "projectId">;
export const storeOf = ({ bucket, storageOrigin, projectId }: Stored): ObjectStore =>
  createObjectStore({ bucket, storage: new Storage({ projectId, apiEndpoint: storageOrigin }) });

/** Convex as whoever's token it is, without the client's queue. */
const convexAs = async (
  { convexUrl }: Pick<LocalCloud, "convexUrl">,
  token: Promise<string>,
): Promise<ConvexHttpClient> =>
  new ConvexHttpClient(convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: await token,
  });
export const asLocalPerson = (cloud: LocalCloud): Promise<ConvexHttpClient> =>
  convexAs(cloud, cloud.personToken({ name: LOCAL_PERSON }));

interface Measures {
  key: string;
  sizeBytes: number | undefined;
  sha256: string | undefined;
  contentType: string | undefined;
}

/** The job's folder in the bucket, and the references to what is in it; both by key. */
export const accountsOf = async (
  cloud: Stored & Pick<LocalCloud, "convexUrl" | "serviceToken">,
  jobId: string,
): Promise<{ stored: Measures[]; known: Measures[] }> => {
  const prefix = jobPrefix(jobId);
  const stored = await storeOf(cloud).list(prefix);
  const convex = await convexAs(cloud, cloud.serviceToken());
  const { page: known } = await convex.query(api.assetReferences.list, {
    bucket: cloud.bucket,
    prefix,
    paginationOpts: { numItems: 100, cursor: null },
  });
  return {
    stored: stored.map(({ name, sizeBytes, sha256, contentType }) => ({
      key: name,
      sizeBytes,
      sha256,
      contentType,
    })),
    known: known
      .filter(({ state }) => state === "active")
      .map(({ key, sizeBytes, sha256, contentType }) => ({ key, sizeBytes, sha256, contentType })),
  };
};
