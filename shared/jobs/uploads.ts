// Where a caller's own files lie in the bucket. The name is made here: of the caller, a random
// part, and the file's ending, which players and tools go by; nothing else of the caller's survives.
import { createHash, randomUUID } from "node:crypto";
import { extname } from "node:path";
import type { UploadRequest, UploadResponse } from "../contract/api.ts";
import type { ObjectStore } from "../cloud/objectStore.ts";
import { type SourceLimits, checkSize } from "../source/limits.ts";

const folderOf = (ownerId: string): string =>
  `uploads/${createHash("sha256").update(ownerId).digest("hex").slice(0, 32)}/`;

/** A file's name in there. */
const UPLOAD_NAME = /^[0-9a-f-]{36}(?:\.[a-z0-9]{1,8})?$/;

/** Whether `handle` is one that `createUpload` gave to this owner. */
export const ownsUpload = (ownerId: string, bucket: string, handle: string): boolean => {
  const folder = `gs://${bucket}/${folderOf(ownerId)}`;
  return handle.startsWith(folder) && UPLOAD_NAME.test(handle.slice(folder.length));
};

const endingOf = (filename: string): string => {
  const ending = extname(filename).toLowerCase();
  return /^\.[a-z0-9]{1,8}$/.test(ending) ? ending : "";
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
  const name = `${folderOf(ownerId)}${randomUUID()}${endingOf(request.filename)}`;
  const uploadUrl = await store.createUpload(name, {
    contentType: request.content_type,
    ...(request.size_bytes === undefined ? {} : { sizeBytes: request.size_bytes }),
    ...(origin === undefined ? {} : { origin }),
  });
  return { handle: `gs://${store.bucket}/${name}`, upload_url: uploadUrl };
};
