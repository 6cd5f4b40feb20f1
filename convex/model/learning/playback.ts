// Where a learner is in a video, as their player tells it every ten seconds or so. The figures come
// from outside: they are held to the item's span and to the time that passed.
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { loadVideo } from "../library/gate.ts";
import { type ItemState, watchedPercentage } from "./completion.ts";
import { type ItemOfLearner, recordItem } from "./progress.ts";

type Item = Doc<"contentItems">;
type Playback = Doc<"playback">;

/** Players round, and know a video's end better than its page does. */
const TOLERANCE_SEC = 5;
/** Seconds watched that one report may add, also after a long pause. */
const MAX_REPORT_SEC = 60;
/** The same for a player's first report, which has none before it. */
const MAX_FIRST_REPORT_SEC = 15;

/** The part of its video that an item shows. */
export interface Span {
  startSec: number;
  /** undefined where nobody has told how long the video is. */
  endSec: number | undefined;
}

export const spanOf = async (ctx: QueryCtx, item: Item): Promise<Span> => {
  const startSec = item.startSec ?? 0;
  if (item.endSec !== undefined) return { startSec, endSec: item.endSec };
  const video = item.videoId && (await loadVideo(ctx, item.videoId));
  const endSec = video?.durationInSeconds;
  return { startSec, endSec: endSec !== undefined && endSec > startSec ? endSec : undefined };
};

const rowOf = (ctx: QueryCtx, userId: string, itemId: Item["_id"]): Promise<Playback | null> =>
  ctx.db
    .query("playback")
    .withIndex("by_userId_contentItemId", (q) => q.eq("userId", userId).eq("contentItemId", itemId))
    .first();

/** What a row says of what the item shows now; null where that was another video, or part of it. */
const ofItem = (
  row: Playback | null,
  { videoId, startSec = 0, endSec = Infinity }: Item,
): Playback | null => {
  const isAboutIt =
    row !== null &&
    row.videoId === videoId &&
    row.lastPositionSec >= startSec - TOLERANCE_SEC &&
    row.furthestPositionSec <= endSec + TOLERANCE_SEC;
  return isAboutIt ? row : null;
};

/** Where somebody is in what an item shows; null where they have not begun it. */
export const playbackOf = async (
  ctx: QueryCtx,
  userId: string,
  itemId: Item["_id"],
): Promise<Playback | null> => {
  const item = await ctx.db.get("contentItems", itemId);
  return item && ofItem(await rowOf(ctx, userId, itemId), item);
};

/** How much of a video somebody has watched, whatever was marked by hand: 0 to 99. */
export const watchedSoFar = async (ctx: QueryCtx, userId: string, item: Item): Promise<number> => {
  const row = ofItem(await rowOf(ctx, userId, item._id), item);
  if (!row) return 0;
  const { startSec, endSec = startSec } = await spanOf(ctx, item);
  return watchedPercentage(row.furthestPositionSec - startSec, endSec - startSec);
};

/** What a player reports. */
export interface Report {
  /** In the video, not in the item's part of it. */
  positionSec: number;
  /** Seconds spent watching since the last report; not seconds of the video. */
  watchedSec: number;
}

const checkReport = ({ positionSec, watchedSec }: Report, { startSec, endSec }: Span): void => {
  if (!Number.isFinite(positionSec) || !Number.isFinite(watchedSec) || watchedSec < 0) {
    throw refuse(
      "invalid_request",
      "`positionSec` and `watchedSec` are seconds: finite, and `watchedSec` not below 0.",
    );
  }
  const isWithin =
    positionSec >= Math.max(0, startSec - TOLERANCE_SEC) &&
    (endSec === undefined || positionSec <= endSec + TOLERANCE_SEC);
  if (!isWithin) {
    throw refuse(
      "invalid_request",
      `The item is ${startSec} s to ${endSec ?? "the end"}${endSec === undefined ? "" : " s"} of its video; ${positionSec} s is not in it.`,
    );
  }
};

/**
 * Takes a player's report: where it is, how far it ever was, and how long was watched, which never
 * grows faster than the clock.
 * @throws {ConvexError} `invalid_request` for figures that cannot be, or an item that is no video
 */
export const recordReport = async (
  ctx: MutationCtx,
  { report, now, ...about }: ItemOfLearner & { item: Item; report: Report; now: number },
): Promise<ItemState> => {
  const { userId, item, course } = about;
  if (item.type !== "video") throw refuse("invalid_request", "Only a video is watched.");
  const span = await spanOf(ctx, item);
  checkReport(report, span);
  const { startSec, endSec } = span;
  const positionSec = Math.min(Math.max(report.positionSec, startSec), endSec ?? Infinity);

  const found = await rowOf(ctx, userId, item._id);
  const row = ofItem(found, item);
  const sinceSec = row ? Math.max(0, (now - row.updatedAt) / 1000) : MAX_FIRST_REPORT_SEC;
  const watchedSec = Math.min(report.watchedSec, sinceSec, MAX_REPORT_SEC);
  const fields = {
    videoId: item.videoId,
    lastPositionSec: positionSec,
    furthestPositionSec: Math.max(row?.furthestPositionSec ?? startSec, positionSec),
    secondsWatched: (row?.secondsWatched ?? 0) + watchedSec,
    updatedAt: now,
  };
  if (found) await ctx.db.patch("playback", found._id, fields);
  else {
    const ids = { userId, courseId: course._id, contentItemId: item._id };
    await ctx.db.insert("playback", { ...ids, ...fields });
  }
  return recordItem(ctx, {
    ...about,
    now,
    event:
      endSec === undefined
        ? { kind: "opened" }
        : {
            kind: "watched",
            furthestPositionSec: fields.furthestPositionSec - startSec,
            durationSec: endSec - startSec,
          },
  });
};
