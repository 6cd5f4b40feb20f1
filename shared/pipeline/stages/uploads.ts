// Handles of uploads were checked when the job was made; here they are names in the bucket.
import { StageError } from "../../contract/errors.ts";

/** `gs://bucket/uploads/…` as the name inside the bucket. */
export const uploadObject = (handle: string): string => {
  const [, object] = /^gs:\/\/[^/]+\/(uploads\/.+)$/.exec(handle) ?? [];
  if (object === undefined) throw new StageError("internal", "An upload's handle is damaged.");
  return object;
};
