// A caller's own files that a job reads: its video keeps them, from the moment the job is made, so
// that the job can be run again for as long as the video is there. An upload that no job was made
// of has no reference, and is collected.
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { useAsset } from "./references.ts";

/** `gs://bucket/uploads/…`; null for what is no upload's handle. */
const parseHandle = (text: unknown): { bucket: string; key: string } | null => {
  const [, bucket, key] =
    (typeof text === "string" && /^gs:\/\/([^/]+)\/(uploads\/.+)$/.exec(text)) || [];
  return bucket !== undefined && key !== undefined ? { bucket, key } : null;
};

/** What is known of an upload is its name: nobody has read it yet. */
export const keepUploads = async (
  ctx: MutationCtx,
  { url, options, ownerId, videoId }: Doc<"jobs">,
  now: number,
): Promise<void> => {
  for (const text of [url, options.chat, options.captions]) {
    const object = parseHandle(text);
    if (!object) continue;
    // By its name, since other jobs of the video may read others.
    const user = { kind: "video", id: videoId, field: object.key } as const;
    await useAsset(ctx, { ...object, ownerId, type: "upload" }, user, now);
  }
};
