// What tests of assets have in common: objects of a job, and what must hold between the tables.
import type { StoredObject } from "#shared/contract/assets.ts";
import { api } from "../../_generated/api.js";
import type { Doc } from "../../_generated/dataModel.js";
import type { Backend } from "../../testing.setup.ts";
import { createJob } from "../../testing.setup.ts";
import { loadJob } from "../store.ts";
import { failClip } from "./settle.ts";

/** An object of a job's folder; what it holds is told by `content`. */
export const objectOf = (jobId: string, name: string, content = 1): StoredObject => ({
  bucket: "outputs",
  key: `jobs/${jobId}/${name}`,
  sizeBytes: 100 * content,
  sha256: content.toString(16).padStart(64, "0"),
  contentType: "video/mp4",
});

/** The objects of a clip. */
export const clipOf = (jobId: string, index: number, content = 1) => ({
  videoAsset: objectOf(jobId, `clips/${index}.mp4`, content),
  sourceCodeAsset: objectOf(jobId, `clips/${index}.json`, content),
  thumbnailAsset: objectOf(jobId, `clips/${index}.jpg`, content),
});

/** Opens a scene and makes it ready. */
export const renderClip = async (
  { service }: Backend,
  jobId: string,
  index: number,
  assets: Parameters<typeof service.mutation<typeof api.assets.sceneReady>>[1]["assets"] = clipOf(
    jobId,
    index,
  ),
) => {
  await service.mutation(api.assets.openScene, {
    jobId,
    index,
    startSec: index,
    endSec: index + 1,
  });
  await service.mutation(api.assets.beginUpload, { jobId, index });
  await service.mutation(api.assets.sceneReady, { jobId, index, assets });
};

/** Gives a clip up, as the ledger does in the step that finds it out. */
export const failScene = (
  { nobody }: Backend,
  jobId: string,
  index: number,
  message: string,
): Promise<void> =>
  nobody.run(async (ctx) => {
    const job = await loadJob(ctx, jobId);
    if (!job) throw new Error(`There is no job ${jobId}.`);
    await failClip(ctx, job, index, message, Date.now());
  });

/** A job that has `clips` scenes ready, a reel, and a transcript among its outputs. */
export const finishedJob = async (backend: Backend, clips: number, url?: string) => {
  const { job } = await createJob(backend, url === undefined ? {} : { url });
  const { jobId } = job;
  for (let index = 0; index < clips; index += 1) await renderClip(backend, jobId, index);
  const transcript = objectOf(jobId, "transcript.json");
  await backend.service.mutation(api.assets.recordOutputs, { jobId, outputs: [transcript] });
  await backend.service.mutation(api.assets.sessionReady, {
    jobId,
    sceneCount: clips,
    outputs: ["transcript.json"],
    assets: {
      combinedVideoAsset: objectOf(jobId, "reel.mp4"),
      manifestAsset: objectOf(jobId, "manifest.json"),
    },
  });
  return job;
};

export interface Tables {
  scenes: Doc<"scenes">[];
  sessions: Doc<"videoSessions">[];
  references: Doc<"assetReferences">[];
  uses: Doc<"assetUses">[];
}

export const tablesOf = ({ nobody }: Backend): Promise<Tables> =>
  nobody.run(async ({ db }) => ({
    scenes: await db.query("scenes").take(500),
    sessions: await db.query("videoSessions").take(500),
    references: await db.query("assetReferences").take(500),
    uses: await db.query("assetUses").take(2000),
  }));

/** Everything that must always hold and does not; empty where all is well. */
export const contradictions = ({ scenes, sessions, references, uses }: Tables): string[] => {
  const wrong: string[] = [];
  const places = references.map(({ bucket, key }) => `${bucket}/${key}`);
  if (new Set(places).size !== places.length) wrong.push("an object has two references");
  const fields = uses.map(({ kind, id, field }) => `${kind} ${id} ${field}`);
  if (new Set(fields).size !== fields.length) wrong.push("a field has two uses");
  for (const { _id, key, state, releasedAt } of references) {
    const isUsed = uses.some(({ referenceId }) => referenceId === _id);
    if (isUsed !== (state === "active")) wrong.push(`${key} is ${state}`);
    if (isUsed !== (releasedAt === undefined)) wrong.push(`${key} was released at ${releasedAt}`);
  }
  for (const { _id, totalAssetSize, assetCount } of sessions) {
    const counted = references.filter((reference) =>
      uses.some((use) => use.referenceId === reference._id && use.sessionId === _id),
    );
    const size = counted.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
    if (totalAssetSize !== size) wrong.push(`a session of ${size} B says ${totalAssetSize}`);
    if (assetCount !== counted.length) wrong.push(`${counted.length} objects, says ${assetCount}`);
  }
  const rows = new Set<string>([...scenes, ...sessions].map(({ _id }) => _id));
  for (const { kind, id, referenceId } of uses) {
    if (kind !== "video" && !rows.has(id)) wrong.push(`a use is of a ${kind} that is gone`);
    if (!references.some(({ _id }) => _id === referenceId)) wrong.push("a use has no reference");
  }
  for (const scene of scenes) {
    for (const field of ["videoAsset", "subtitleAsset"] as const) {
      const use = uses.find(({ id, field: used }) => id === scene._id && used === field);
      if (scene[field]?.referenceId !== use?.referenceId) wrong.push(`${field} has another use`);
    }
  }
  return wrong;
};
