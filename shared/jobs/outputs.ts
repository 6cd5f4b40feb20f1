// What a job left, with fresh signed addresses. The manifest in the bucket is the one list of it.
import { createHash } from "node:crypto";
import type { z } from "zod";
import type { ObjectStore } from "../cloud/objectStore.ts";
import type { OutputLink } from "../contract/api.ts";
import type { JobView } from "../contract/ledger.ts";
import { MANIFEST, Manifest, type ManifestOutput, jobPrefix } from "../contract/manifest.ts";

/** Everything the manifest lists, and the manifest itself. */
const listOutputs = async (store: ObjectStore, jobId: string): Promise<ManifestOutput[]> => {
  const object = jobPrefix(jobId) + MANIFEST;
  const bytes = await store.read(object);
  const { outputs } = Manifest.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  const manifest: ManifestOutput = {
    name: MANIFEST,
    content_type: "application/json",
    size_bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    object,
  };
  return [...outputs, manifest];
};

/** Nothing before the job has completed. */
export const jobOutputs = async (
  job: JobView,
  store: ObjectStore,
  expiresSec: number,
): Promise<z.infer<typeof OutputLink>[]> => {
  if (job.output === null) return [];
  const outputs = await listOutputs(store, job.jobId);
  return Promise.all(
    outputs.map(async ({ name, content_type, size_bytes, sha256, object }) => ({
      name,
      content_type,
      size_bytes,
      sha256,
      url: await store.signedUrl(object, { expiresSec }),
    })),
  );
};

/** A signed address of one output, or null where the job has none of this name. */
export const outputUrl = async (
  job: JobView,
  name: string,
  store: ObjectStore,
  expiresSec: number,
): Promise<string | null> => {
  if (job.output === null) return null;
  const outputs = await listOutputs(store, job.jobId);
  const found = outputs.find((output) => output.name === name);
  return found ? store.signedUrl(found.object, { expiresSec }) : null;
};
