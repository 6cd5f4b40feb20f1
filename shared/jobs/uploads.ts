// Where a caller's own files lie in the bucket. The name is made here: of the caller, a random part,
// and what is harmless of the file's own name.
import { createHash, randomUUID } from "node:crypto";
import type { UploadRequest, UploadResponse } from "../contract/api.ts";
import { isUploadName, safeFileName } from "../contract/uploads.ts";
import type { ObjectStore } from "../cloud/objectStore.ts";
import { type SourceLimits, checkSize } from "../source/limits.ts";

const folderOf = (ownerId: string): string =>
  `uploads/${createHash("sha256").update(ownerId).digest("hex").slice(0, 32)}/`;

/** Whether `handle` is one that `createUpload` gave to this owner. */
export const ownsUpload = (ownerId: string, bucket: string, handle: string): boolean => {
  const folder = `gs://${bucket}/${folderOf(ownerId)}`;
  return handle.startsWith(folder) && isUploadName(handle.slice(folder.length));
};

/**
 * @param origin the web page's, where a browser will send the bytes
 * @throws {StageError} `video_too_large` for a file that would be refused once it is there
 */
export const createUpload = async (
  ownerId: string,
  request: UploadRequest,
  { store, limits }: { store: ObjectStore; limits: SourceLimits },
  origin: string | undefined,
): Promise<UploadResponse> => {
  checkSize(request.size_bytes ?? 0, limits);
  const name = `${folderOf(ownerId)}${randomUUID()}/${safeFileName(request.filename)}`;
  const uploadUrl = await store.createUpload(name, {
    contentType: request.content_type,
    ...(request.size_bytes === undefined ? {} : { sizeBytes: request.size_bytes }),
    ...(origin === undefined ? {} : { origin }),
  });
  return { handle: `gs://${store.bucket}/${name}`, upload_url: uploadUrl };
};
