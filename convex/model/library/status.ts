// The library's status of a video, and the one way to write a video's row, which keeps that status
// and the counts by it in step with whatever else the row says.
import type { WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import type { LibraryStatus } from "../../tables/library.ts";
import { libraryVideos } from "./counts.ts";

type Video = Doc<"videos">;
/** What a row says without what follows from it. */
export type VideoFields = Omit<WithoutSystemFields<Video>, "libraryStatus">;
/** A field that is there and undefined is taken off the row. */
export type VideoPatch = { [Name in keyof VideoFields]?: VideoFields[Name] | undefined };

/**
 * The library's status, from the analysis and the making of notes and quiz. Work that is going on
 * comes first; then the analysis; and what the study made stays, also when an analysis fails after it.
 */
export const libraryStatusOf = ({
  status,
  study,
}: {
  status?: Video["status"];
  study?: { state: NonNullable<Video["study"]>["state"] };
}): LibraryStatus => {
  if (study?.state === "processing") return "processing";
  switch (status) {
    case "Queued":
      return "pending";
    case "Downloading":
    case "Fetching chat":
    case "Transcribing":
    case "Analyzing":
    case "Finding highlights":
      return "processing";
    case "Failed":
    case "Canceled":
      return study?.state === "completed" ? "completed" : "failed";
    case "Completed":
      return study?.state === "failed" ? "failed" : "completed";
    case undefined:
      return study?.state ?? "pending";
  }
};

/** Under which owner a row is counted. */
const countedFor = ({ ownerId }: { ownerId?: string }): string => ownerId ?? "";

/** A new row, with its status, counted. */
export const insertVideo = async (ctx: MutationCtx, fields: VideoFields): Promise<Id<"videos">> => {
  const libraryStatus = libraryStatusOf(fields);
  const id = await ctx.db.insert("videos", { ...fields, libraryStatus });
  await libraryVideos.insert(ctx, { namespace: countedFor(fields), key: libraryStatus, id });
  return id;
};

/**
 * Writes a row and what follows from it. Every write of a `videos` row comes through here; the counts
 * are touched only where the library's status changes, since progress is written each second. A row
 * from before these statuses gets its own, and is counted, by its first write.
 * @param video  as it is in the table now
 * @returns      the row as it is then
 */
export const patchVideo = async (
  ctx: MutationCtx,
  video: Video,
  patch: VideoPatch,
): Promise<Video> => {
  const after: Video = { ...video, ...patch };
  const was = video.libraryStatus;
  const { deletingAt } = after;
  const now = deletingAt === undefined ? libraryStatusOf(after) : undefined;
  await ctx.db.patch("videos", video._id, now === was ? patch : { ...patch, libraryStatus: now });
  if (now !== was || countedFor(after) !== countedFor(video)) await recount(ctx, video, after, now);
  return { ...after, libraryStatus: now };
};

/** Rows that a step of filling looks at; one may be hundreds of KiB. */
const FILL_ROWS = 16;

/**
 * Gives a page of the rows that have no status theirs.
 * @returns where to go on; null at the end
 */
export const backfillPage = async (
  ctx: MutationCtx,
  cursor: string | null,
): Promise<string | null> => {
  const found = await ctx.db
    .query("videos")
    .withIndex("by_library_status", (q) => q.eq("libraryStatus", undefined))
    .paginate({ cursor, numItems: FILL_ROWS });
  for (const video of found.page) await patchVideo(ctx, video, {});
  return found.isDone ? null : found.continueCursor;
};

const recount = async (
  ctx: MutationCtx,
  before: Video,
  after: Video,
  now: LibraryStatus | undefined,
): Promise<void> => {
  const id = before._id;
  const was = before.libraryStatus;
  const earlier = { namespace: countedFor(before), key: was ?? "pending" };
  if (now === undefined) {
    await libraryVideos.deleteIfExists(ctx, { ...earlier, id });
    return;
  }
  await libraryVideos.replaceOrInsert(
    ctx,
    { ...earlier, id },
    { namespace: countedFor(after), key: now },
  );
};
