// Videos of the library, many at once. A person sees their own, an admin everybody's. A row may have
// hundreds of KiB of text, so a list ends at a number of bytes as well as of rows.
import { getDocumentSize } from "convex/values";
import type { PaginationOptions, PaginationResult } from "convex/server";
import type { Doc } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { LIBRARY_STATUSES, type LibraryStatus } from "../../tables/library.ts";
import { type Person, ownUserId } from "../access.ts";
import { libraryVideos } from "./counts.ts";
import { MAX_PAGE_ROWS, boundedPage, checkLimit, checkQuery } from "../listing.ts";
import { type VideoEntry, entryOf } from "./view.ts";

const MAX_FOUND = 50;
/** Half of what Convex reads in a transaction. */
const MAX_BYTES_READ = 8 * 1024 * 1024;

type Videos = AsyncIterable<Doc<"videos">>;

const isShown = (video: Doc<"videos">): boolean => video.deletingAt === undefined;

/** The first so many, or as many as may be read at once; one in any case. */
const takeWithin = async (videos: Videos, limit: number): Promise<VideoEntry[]> => {
  const entries: VideoEntry[] = [];
  let bytes = 0;
  for await (const video of videos) {
    bytes += getDocumentSize(video);
    if (isShown(video)) entries.push(entryOf(video));
    if (entries.length >= limit || bytes >= MAX_BYTES_READ) break;
  }
  return entries;
};

/** Newest first. */
const listed = (ctx: QueryCtx, { role, ownerId }: Person, status: LibraryStatus | undefined) => {
  const videos = ctx.db.query("videos");
  if (role === "admin") {
    return status === undefined
      ? videos.order("desc")
      : videos.withIndex("by_library_status", (q) => q.eq("libraryStatus", status)).order("desc");
  }
  return status === undefined
    ? videos.withIndex("by_owner", (q) => q.eq("ownerId", ownerId)).order("desc")
    : videos
        .withIndex("by_owner_and_library_status", (q) =>
          q.eq("ownerId", ownerId).eq("libraryStatus", status),
        )
        .order("desc");
};

export const videosByStatus = (
  ctx: QueryCtx,
  person: Person,
  status: LibraryStatus,
  limit: number,
): Promise<VideoEntry[]> =>
  takeWithin(listed(ctx, person, status), checkLimit(limit, MAX_PAGE_ROWS));

export const pageOfVideos = async (
  ctx: QueryCtx,
  person: Person,
  status: LibraryStatus | undefined,
  asked: PaginationOptions,
): Promise<PaginationResult<VideoEntry>> => {
  const found = await listed(ctx, person, status).paginate({
    ...boundedPage(asked),
    maximumBytesRead: MAX_BYTES_READ,
  });
  return { ...found, page: found.page.filter(isShown).map(entryOf) };
};

/** Best match first. */
export const foundVideos = async (
  ctx: QueryCtx,
  { role, ownerId }: Person,
  given: { query: string; status: LibraryStatus | undefined; limit: number },
): Promise<VideoEntry[]> => {
  const { status } = given;
  const query = checkQuery(given.query);
  const limit = checkLimit(given.limit, MAX_FOUND);
  if (query === "") return [];
  const found = ctx.db.query("videos").withSearchIndex("search_title", (q) => {
    const matching = q.search("title", query);
    const own = role === "admin" ? matching : matching.eq("ownerId", ownerId);
    return status === undefined ? own : own.eq("libraryStatus", status);
  });
  return takeWithin(found, limit);
};

export type VideoCounts = Record<LibraryStatus | "total", number>;

/**
 * How many videos an owner has, by library status.
 * @param ownerId  whose; one's own by default
 * @throws {ConvexError} `forbidden` for another's, but to an admin
 */
export const countVideos = async (
  ctx: QueryCtx,
  person: Person,
  ownerId: string | undefined,
): Promise<VideoCounts> => {
  const namespace =
    person.role === "admin" && ownerId !== undefined ? ownerId : ownUserId(person, ownerId);
  const counted = await libraryVideos.countBatch(
    ctx,
    LIBRARY_STATUSES.map((key) => ({
      namespace,
      bounds: { lower: { key, inclusive: true }, upper: { key, inclusive: true } },
    })),
  );
  const counts: VideoCounts = { pending: 0, processing: 0, completed: 0, failed: 0, total: 0 };
  for (const [i, status] of LIBRARY_STATUSES.entries()) {
    counts[status] = counted[i] ?? 0;
    counts.total += counts[status];
  }
  return counts;
};
