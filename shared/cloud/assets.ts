// What the pipeline says to Convex of the objects it stores.
import { api } from "#convex/_generated/api.js";
import type { JobObjects } from "../assets/jobObjects.ts";
import type { AssetRecorder } from "../assets/recorder.ts";
import { MAX_OUTPUTS_PER_CALL, type SceneFacts } from "../contract/assets.ts";
import { StageError } from "../contract/errors.ts";
import type { Log } from "../pipeline/log.ts";
import type { ConvexCalls } from "./convexCalls.ts";

/** @param testMode logs what would be recorded instead of sending it (`CONVEX_TEST_MODE`) */
export const createAssetRecorder = (
  { mutation }: ConvexCalls,
  { testMode, log }: { testMode: boolean; log: Log },
): AssetRecorder => {
  const openScene = (jobId: string, index: number, facts: SceneFacts) =>
    mutation(api.assets.openScene, { jobId, index, ...facts });

  const sceneReady = async (
    jobId: string,
    { index, assets }: JobObjects["scenes"][number],
    facts: SceneFacts | undefined,
  ): Promise<void> => {
    try {
      await mutation(api.assets.sceneReady, { jobId, index, assets });
    } catch (error) {
      // Found by an earlier version of us, which opened none.
      const isUnopened = error instanceof StageError && error.code === "not_found";
      if (!isUnopened || !facts) throw error;
      await openScene(jobId, index, facts);
      await mutation(api.assets.sceneReady, { jobId, index, assets });
    }
  };

  const recorder: AssetRecorder = {
    // One after another: all of them count in one session's row.
    openScenes: async (jobId, scenes) => {
      for (const [index, facts] of scenes.entries()) await openScene(jobId, index, facts);
    },
    beginUpload: async (jobId, index) => {
      await mutation(api.assets.beginUpload, { jobId, index });
    },
    jobReady: async (jobId, facts, { scenes, outputs, session }) => {
      for (const scene of scenes) await sceneReady(jobId, scene, facts[scene.index]);
      for (let at = 0; at < outputs.length; at += MAX_OUTPUTS_PER_CALL) {
        const some = outputs.slice(at, at + MAX_OUTPUTS_PER_CALL).map(({ object }) => object);
        await mutation(api.assets.recordOutputs, { jobId, outputs: some });
      }
      await mutation(api.assets.sessionReady, {
        jobId,
        sceneCount: facts.length,
        outputs: outputs.map(({ name }) => name),
        assets: session,
      });
    },
  };
  return testMode ? logged(log) : recorder;
};

const logged = (log: Log): AssetRecorder => ({
  openScenes: async (jobId, { length }) =>
    log.info("test mode: scenes not sent", { jobId, scenes: length }),
  beginUpload: async (jobId, index) =>
    log.info("test mode: upload of a clip not sent", { jobId, index }),
  jobReady: async (jobId, _facts, { scenes, outputs }) =>
    log.info("test mode: objects not sent", {
      jobId,
      scenes: scenes.length,
      outputs: outputs.length,
    }),
});
