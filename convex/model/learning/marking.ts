// Marking by hand, with what is marked checked to be where the caller says it is.
import type { Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { type Person, refuse } from "../access.ts";
import { readableChapter, readableItem } from "./gate.ts";
import { watchedSoFar } from "./playback.ts";
import { recordItem } from "./progress.ts";
import { itemIdsOf, legacyVideoId } from "./structure.ts";

interface Mark {
  userId: string;
  completed: boolean;
  now: number;
}

/** @throws {ConvexError} `not_found` for an item that is not of this course and chapter */
export const markItem = async (
  ctx: MutationCtx,
  person: Person,
  where: {
    courseId: Id<"courses">;
    chapterId: Id<"chapters"> | undefined;
    contentItemId: Id<"contentItems">;
  },
  { userId, completed, now }: Mark,
): Promise<void> => {
  const at = await readableItem(ctx, person, where.contentItemId);
  if (
    at.course._id !== where.courseId ||
    (where.chapterId !== undefined && at.chapter._id !== where.chapterId)
  ) {
    throw refuse("not_found", "There is no such item in this course.");
  }
  const isTakenBack = !completed && at.item.type === "video";
  await recordItem(ctx, {
    ...at,
    userId,
    now,
    event: {
      kind: "marked",
      completed,
      ...(isTakenBack ? { watchedPercentage: await watchedSoFar(ctx, userId, at.item) } : {}),
    },
  });
};

/** @throws {ConvexError} `conflict` for a chapter that has items, or has nothing to complete */
export const markChapter = async (
  ctx: MutationCtx,
  person: Person,
  { courseId, chapterId }: { courseId: Id<"courses">; chapterId: Id<"chapters"> },
  { userId, completed, now }: Mark,
): Promise<void> => {
  const at = await readableChapter(ctx, person, chapterId);
  if (at.course._id !== courseId) {
    throw refuse("not_found", "There is no such chapter in this course.");
  }
  if (legacyVideoId(at.chapter, await itemIdsOf(ctx, at.chapter)) === undefined) {
    throw refuse("conflict", "A chapter is completed by its items: name one of those.");
  }
  await recordItem(ctx, { ...at, item: null, userId, now, event: { kind: "marked", completed } });
};
