// Takes scenes and sessions away, with what they alone kept. Nothing here touches the objects: the
// collector does, once their references are released.
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { RELEASE_STEP, releaseUser } from "./references.ts";

/** Counts what a step may still do. */
interface Budget {
  left: number;
}

/**
 * Takes a row away together with all its uses (a scene has some dozens at most), so that none is ever
 * left that still names what it has released.
 * @returns whether the row is gone; if not, the budget is
 */
const removeRow = async (
  ctx: MutationCtx,
  table: "scenes" | "videoSessions",
  id: Id<"scenes"> | Id<"videoSessions">,
  budget: Budget,
  now: number,
): Promise<boolean> => {
  if (budget.left <= 0) return false;
  const kind = table === "scenes" ? "scene" : "videoSession";
  const { released, more } = await releaseUser(ctx, { kind, id }, now);
  budget.left -= released + 1;
  if (more) return false;
  await ctx.db.delete(table, id);
  return true;
};

const removeScenes = async (
  ctx: MutationCtx,
  scenes: readonly Doc<"scenes">[],
  budget: Budget,
  now: number,
): Promise<boolean> => {
  for (const { _id } of scenes) {
    if (!(await removeRow(ctx, "scenes", _id, budget, now))) return false;
  }
  return true;
};

/** Scenes that one step looks at; a row may be a hundred kilobytes. */
const SCENES_AT_ONCE = 20;

/**
 * The scenes of a session that is going: removed, or, where they are another video's, left without
 * a session.
 */
const emptySession = async (
  ctx: MutationCtx,
  session: Doc<"videoSessions">,
  videoId: Id<"videos">,
  budget: Budget,
  now: number,
): Promise<boolean> => {
  const scenes = await ctx.db
    .query("scenes")
    .withIndex("by_session_and_index", (q) => q.eq("sessionId", session._id))
    .take(SCENES_AT_ONCE);
  for (const scene of scenes) {
    if (scene.videoId !== undefined && scene.videoId !== videoId) {
      await ctx.db.patch("scenes", scene._id, { sessionId: undefined });
      budget.left -= 1;
    } else if (!(await removeRow(ctx, "scenes", scene._id, budget, now))) {
      return false;
    }
  }
  return scenes.length < SCENES_AT_ONCE;
};

/**
 * Takes away a step of what hangs on a video: its scenes, its sessions, and the uses of all three.
 * Objects that something else uses as well stay as they are.
 * @param limit  uses and rows after which no other row is begun
 * @returns whether there is more to do; call again then, in another transaction
 */
export const removeVideoAssets = async (
  ctx: MutationCtx,
  videoId: Id<"videos">,
  limit: number = RELEASE_STEP,
  now: number = Date.now(),
): Promise<{ more: boolean }> => {
  const budget: Budget = { left: limit };
  const scenes = await ctx.db
    .query("scenes")
    .withIndex("by_video", (q) => q.eq("videoId", videoId))
    .take(SCENES_AT_ONCE);
  if (!(await removeScenes(ctx, scenes, budget, now))) return { more: true };
  if (scenes.length === SCENES_AT_ONCE) return { more: true };
  const session = await ctx.db
    .query("videoSessions")
    .withIndex("by_video", (q) => q.eq("videoId", videoId))
    .first();
  if (session) {
    if (await emptySession(ctx, session, videoId, budget, now)) {
      await removeRow(ctx, "videoSessions", session._id, budget, now);
    }
    return { more: true };
  }
  if (budget.left <= 0) return { more: true };
  const { more } = await releaseUser(ctx, { kind: "video", id: videoId }, now, budget.left);
  return { more };
};

/**
 * Takes away a step of a job's scenes from `index` on: a retry may have fewer clips.
 * @returns whether there is more to do
 */
export const removeScenesFrom = async (
  ctx: MutationCtx,
  jobId: string,
  index: number,
  now: number,
): Promise<{ more: boolean }> => {
  const scenes = await ctx.db
    .query("scenes")
    .withIndex("by_job_and_index", (q) => q.eq("jobId", jobId).gte("index", index))
    .take(SCENES_AT_ONCE);
  const gone = await removeScenes(ctx, scenes, { left: RELEASE_STEP }, now);
  return { more: !gone || scenes.length === SCENES_AT_ONCE };
};
