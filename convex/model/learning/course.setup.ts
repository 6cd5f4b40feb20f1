// A small published course of Ada's, for the tests of what learners do in it.
import type { WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "../../_generated/dataModel.js";
import { type Backend, ownerIdOf } from "../../testing.setup.ts";

type NewItem = Partial<WithoutSystemFields<Doc<"contentItems">>> &
  Pick<Doc<"contentItems">, "type">;

/** A video of somebody's library. */
export const insertVideo = (
  backend: Backend,
  owner: string,
  over: Partial<WithoutSystemFields<Doc<"videos">>> = {},
): Promise<Id<"videos">> =>
  backend.nobody.run(({ db }) =>
    db.insert("videos", { ownerId: ownerIdOf(owner), title: "A talk", ...over }),
  );

/** A course with one chapter that has these items. */
export const seedCourse = (
  backend: Backend,
  items: readonly NewItem[],
  over: Partial<WithoutSystemFields<Doc<"courses">>> = {},
): Promise<{ courseId: Id<"courses">; itemIds: Id<"contentItems">[] }> =>
  backend.nobody.run(async ({ db }) => {
    const courseId = await db.insert("courses", {
      name: "A course",
      createdAt: 0,
      updatedAt: 0,
      status: "ready",
      isPublished: true,
      createdBy: ownerIdOf("ada"),
      ...over,
    });
    const chapterId = await db.insert("chapters", {
      courseId,
      name: "One",
      order: 1,
      createdAt: 0,
    });
    const itemIds: Id<"contentItems">[] = [];
    for (const [index, item] of items.entries()) {
      const order = index + 1;
      itemIds.push(
        await db.insert("contentItems", { chapterId, courseId, order, createdAt: 0, ...item }),
      );
    }
    await db.patch("chapters", chapterId, { itemIds });
    return { courseId, itemIds };
  });

/** A learner's progress row of an item. */
export const progressOf = (backend: Backend, name: string, itemId: Id<"contentItems">) =>
  backend.nobody.run(({ db }) =>
    db
      .query("progress")
      .withIndex("by_userId_contentItemId", (q) =>
        q.eq("userId", ownerIdOf(name)).eq("contentItemId", itemId),
      )
      .unique(),
  );
