// One bucket of Cloud Storage as the collector sees it: listings by the page, and deletes of one
// generation.
import type { FileMetadata, Storage } from "@google-cloud/storage";
import type { CollectedBucket, ObjectGeneration } from "../assets/ports.ts";
import { defaultClient } from "./storageClient.ts";
import { isStatus, toStageError } from "./storageErrors.ts";

/** As many as Cloud Storage answers at once. */
const MAX_PAGE = 1000;

const toGeneration = ({ name, size, generation, timeCreated }: FileMetadata): ObjectGeneration => ({
  key: String(name),
  sizeBytes: Number(size),
  generation: String(generation),
  writtenAt: Date.parse(String(timeCreated)),
});

/** Methods throw {StageError} `storage_unavailable`. */
export const createCollectedBucket = (options: {
  bucket: string;
  /** As of `createObjectStore`. */
  storage?: Storage;
  pageSize?: number;
}): CollectedBucket => {
  const open = async () => (options.storage ?? (await defaultClient())).bucket(options.bucket);
  const stat = async (key: string): Promise<ObjectGeneration | null> => {
    const file = (await open()).file(key);
    try {
      return toGeneration((await file.getMetadata())[0]);
    } catch (error) {
      // 400: a name that no object can have; one such reference must not hold up all others.
      if (isStatus(error, 404) || isStatus(error, 400)) return null;
      throw toStageError(error, `${key} cannot be looked up.`);
    }
  };

  return {
    bucket: options.bucket,
    stat,

    async page(prefix, from, cursor) {
      try {
        const [files, next] = await (
          await open()
        ).getFiles({
          prefix,
          startOffset: from,
          maxResults: options.pageSize ?? MAX_PAGE,
          autoPaginate: false,
          fields: "items(name,size,generation,timeCreated),nextPageToken",
          ...(cursor === null ? {} : { pageToken: cursor }),
        });
        // Where fields are named, the client gives the answer's items as they came.
        const items = files as unknown as FileMetadata[];
        return { items: items.map(toGeneration), next: next?.pageToken ?? null };
      } catch (error) {
        throw toStageError(error, `What begins with ${prefix} cannot be listed.`);
      }
    },

    async deleteGeneration(key, generation) {
      const file = (await open()).file(key);
      try {
        await file.delete({ ifGenerationMatch: generation, ignoreNotFound: true });
        return true;
      } catch (error) {
        // Another generation, or none.
        if (isStatus(error, 412)) return (await stat(key)) === null;
        throw toStageError(error, `${key} cannot be deleted.`);
      }
    },
  };
};
