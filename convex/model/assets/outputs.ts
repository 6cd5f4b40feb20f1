// The other objects in a job's folder (transcript, chat, waveform, …), which its video keeps.
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { MAX_OUTPUTS_PER_CALL, type StoredObject } from "#shared/contract/assets.ts";
import { jobPrefix } from "#shared/contract/manifest.ts";
import { refuse } from "../access.ts";
import { checkObject } from "./object.ts";
import { RELEASE_STEP, releaseUse, useAsset } from "./references.ts";

/** In which field a video uses an output: `<job>/<name>`. */
const fieldOf = (jobId: string, name: string): string => `${jobId}/${name}`;

/** @throws {ConvexError} `invalid_request` for too many, or for one outside the job's folder */
export const recordOutputs = async (
  ctx: MutationCtx,
  { jobId, videoId, ownerId }: Doc<"jobs">,
  outputs: readonly StoredObject[],
  now: number,
): Promise<void> => {
  if (outputs.length > MAX_OUTPUTS_PER_CALL) {
    throw refuse("invalid_request", `At most ${MAX_OUTPUTS_PER_CALL} outputs go in one call.`);
  }
  const prefix = jobPrefix(jobId);
  for (const object of outputs) {
    checkObject(object, prefix);
    const field = fieldOf(jobId, object.key.slice(prefix.length));
    const user = { kind: "video", id: videoId, field } as const;
    await useAsset(ctx, { ...object, ownerId, type: "output" }, user, now);
  }
};

/**
 * Releases a job's outputs that its last run did not make, a step at a time.
 * @param names  what it made, below its folder
 * @param after  the field the last step ended with
 * @returns where to go on, or null at the end
 */
export const releaseOtherOutputs = async (
  ctx: MutationCtx,
  { jobId, videoId }: Pick<Doc<"jobs">, "jobId" | "videoId">,
  names: readonly string[],
  after: string | null,
  now: number,
): Promise<string | null> => {
  const kept = new Set(names.map((name) => fieldOf(jobId, name)));
  const uses = await ctx.db
    .query("assetUses")
    .withIndex("by_kind_and_id_and_field", (q) =>
      q
        .eq("kind", "video")
        .eq("id", videoId)
        .gt("field", after ?? fieldOf(jobId, ""))
        // The next character after the slash.
        .lt("field", `${jobId}0`),
    )
    .take(RELEASE_STEP);
  for (const use of uses) {
    if (!kept.has(use.field)) await releaseUse(ctx, use, now);
  }
  return uses.length < RELEASE_STEP ? null : (uses.at(-1)?.field ?? null);
};
