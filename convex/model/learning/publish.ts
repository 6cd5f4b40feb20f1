// Publishing a course, which takes that nothing is missing, and unpublishing it.
import type { Infer } from "convex/values";
import type { Doc } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import type { courseStatus } from "./courseView.ts";
import { refuse } from "../access.ts";
import { missingContent } from "./content.ts";
import { isPublished, refuseWhileGenerating } from "./gate.ts";
import { legacyVideoId, loadChapters, loadItems } from "./structure.ts";

type Course = Doc<"courses">;

/** What a course lacks; without ids, the whole of it. A type, since only those are JSON. */
// eslint-disable-next-line typescript/consistent-type-definitions -- an interface is no JSON value
export type Missing = { chapterId?: string; contentItemId?: string; what: string };

/** What keeps a course from being published, in the course's order. */
export const missingIn = async (ctx: QueryCtx, course: Course): Promise<Missing[]> => {
  const chapters = await loadChapters(ctx, course._id);
  if (chapters.length === 0) return [{ what: "a chapter" }];
  const missing: Missing[] = [];
  for (const chapter of chapters) {
    const items = await loadItems(ctx, chapter._id);
    if (items.length === 0 && legacyVideoId(chapter, items) === undefined) {
      missing.push({ chapterId: chapter._id, what: "a content item" });
    }
    for (const item of items) {
      const what = missingContent(item);
      if (what !== null) {
        missing.push({ chapterId: chapter._id, contentItemId: item._id, what });
      }
    }
  }
  return missing;
};

/** @throws {ConvexError} `conflict` with `details.missing` */
export const refuseUnfinished = (missing: Missing[]): void => {
  if (missing.length === 0) return;
  throw refuse("conflict", "The course is not complete yet.", { missing });
};

/** What is asked of a course's state, as the documents' `updateCourse` and `createCourse` take it. */
export interface AskedState {
  status?: Infer<typeof courseStatus>;
  isPublished?: boolean;
}
type State = Pick<Course, "status" | "isPublished" | "publishedAt">;

/**
 * What that comes to: `ready` is for what is complete, published or not; a draft is not published.
 * @throws {ConvexError} `invalid_request` where it contradicts itself, or is not for people to say
 */
export const askedState = ({ status, isPublished: publish }: AskedState): State => {
  if (status === "generating" || status === "failed") {
    throw refuse("invalid_request", `A course is ${status} only while it is made from videos.`);
  }
  if (publish === true) {
    if (status === "draft") throw refuse("invalid_request", "A published course is no draft.");
    return { isPublished: true, status: "ready" };
  }
  if (status === "draft") return { isPublished: false, status };
  if (publish === false) return { isPublished: false, status: status ?? "draft" };
  return status === undefined ? {} : { status };
};

/**
 * What to write so that a course is in the state that is asked for.
 * @throws {ConvexError} `conflict` with `details.missing` where it is to be published or ready and is
 *   not complete; `conflict` while it is being made
 */
export const stateChange = async (
  ctx: MutationCtx,
  course: Course,
  asked: AskedState,
): Promise<State & { errorMessage?: undefined }> => {
  refuseWhileGenerating(course);
  const state = askedState(asked);
  const isNewly = state.isPublished === true && !isPublished(course);
  if (isNewly || (state.status === "ready" && (course.status ?? "ready") !== "ready")) {
    refuseUnfinished(await missingIn(ctx, course));
  }
  return {
    ...state,
    ...(isNewly ? { publishedAt: Date.now() } : {}),
    // Whoever says what a failed draft is now, takes it as far as it came.
    ...(state.status === undefined ? {} : { errorMessage: undefined }),
  };
};
