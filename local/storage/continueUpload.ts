// A later request of a resumable upload, of either API: more of its bytes, the question how far it is, or its
// end. Its id, which nobody can guess, is what authorises it.
import type { StoredObject } from "./catalog.ts";
import { type Exchange, header, readHashes, sendEmpty, sendProgress } from "./exchange.ts";
import { StorageFailure } from "./failure.ts";
import { parseContentRange } from "./ranges.ts";
import type { Uploads } from "./uploads.ts";

/** In what the two APIs differ. */
export interface UploadAnswers {
  /** Answers a request that cancels it. */
  canceledStatus: number;
  /** Answers the request that made it whole. */
  sendWhole(exchange: Exchange, object: StoredObject): void;
}

export const continueUpload = async (
  uploads: Uploads,
  exchange: Exchange,
  id: string,
  { canceledStatus, sendWhole }: UploadAnswers,
): Promise<void> => {
  const { request, method } = exchange;
  if (method === "DELETE") {
    await uploads.cancel(id);
    return sendEmpty(exchange, canceledStatus);
  }
  if (method !== "PUT") throw new StorageFailure("methodNotAllowed", "An upload goes on by PUT.");
  const range = parseContentRange(header(request, "content-range"));
  if (range === undefined) throw new StorageFailure("badRequest", "Content-Range is malformed.");
  const hashes = readHashes(request);
  const progress = await uploads.request(id, range, hashes, request, () => request.destroy());
  return sendProgress(exchange, progress, (object) => sendWhole(exchange, object));
};
