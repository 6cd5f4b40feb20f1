// Random edits of a course against lists in memory: order, `itemIds` and `contentBytes` hold after any.
import fc from "fast-check";
import { beforeEach, expect, it } from "vitest";
import { api } from "../../_generated/api.js";
import type { Id } from "../../_generated/dataModel.js";
import { type Backend, createBackend, standInEnvironment } from "../../testing.setup.ts";
import { contentBytes } from "./limits.ts";

beforeEach(standInEnvironment);

interface Model {
  id: Id<"chapters">;
  items: Id<"contentItems">[];
}

const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length];
const insertAfter = <T>(list: T[], one: T, after: T | null): void => {
  list.splice(after === null ? 0 : list.indexOf(after) + 1, 0, one);
};
/** A permutation that a number stands for. */
const shuffled = <T>(list: readonly T[], by: number): T[] =>
  list
    .map((one, index) => ({ one, key: ((index + 1) * (by + 1) * 7919) % 101 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ one }) => one);

const at = fc.nat(11);
const text = fc.string({ maxLength: 40, unit: "grapheme" });
const edit = fc.oneof(
  fc.record({ kind: fc.constant("addChapter" as const) }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("addItem" as const), at, text }) },
  fc.record({ kind: fc.constant("changeItem" as const), at, to: at, text }),
  fc.record({ kind: fc.constant("moveChapter" as const), at, to: fc.option(at) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("moveItem" as const),
      at,
      into: at,
      to: fc.option(at),
    }),
  },
  fc.record({ kind: fc.constant("reorderChapters" as const), by: at }),
  fc.record({ kind: fc.constant("reorderItems" as const), at, by: at }),
  fc.record({ kind: fc.constant("removeChapter" as const), at }),
  fc.record({ kind: fc.constant("removeItem" as const), at }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

const apply = async (
  user: ReturnType<Backend["user"]>,
  courseId: Id<"courses">,
  model: Model[],
  step: Edit,
): Promise<void> => {
  const placed = model.flatMap((chapter) => chapter.items.map((id) => ({ id, chapter })));
  switch (step.kind) {
    case "addChapter": {
      const id = await user.mutation(api.chapters.createChapter, { courseId, name: "A chapter" });
      model.push({ id, items: [] });
      return;
    }
    case "addItem": {
      const chapter = pick(model, step.at);
      if (!chapter) return;
      const item = { chapterId: chapter.id, type: "text" as const, textContent: step.text };
      chapter.items.push(await user.mutation(api.contentItems.create, item));
      return;
    }
    case "changeItem": {
      const found = pick(placed, step.at);
      if (!found) return;
      const change = { id: found.id, textContent: step.text };
      await user.mutation(api.contentItems.update, change);
      return;
    }
    case "moveChapter": {
      const chapter = pick(model, step.at);
      if (!chapter) return;
      const rest = model.filter((each) => each !== chapter);
      const after = step.to === null ? null : (pick(rest, step.to) ?? null);
      await user.mutation(api.chapters.moveChapter, {
        chapterId: chapter.id,
        afterId: after?.id ?? null,
      });
      model.splice(model.indexOf(chapter), 1);
      insertAfter(model, chapter, after);
      return;
    }
    case "moveItem": {
      const found = pick(placed, step.at);
      const into = pick(model, step.into);
      if (!found || !into) return;
      const rest = into.items.filter((id) => id !== found.id);
      const afterId = step.to === null ? null : (pick(rest, step.to) ?? null);
      await user.mutation(api.contentItems.moveItem, {
        contentItemId: found.id,
        chapterId: into.id,
        afterId,
      });
      found.chapter.items.splice(found.chapter.items.indexOf(found.id), 1);
      insertAfter(into.items, found.id, afterId);
      return;
    }
    case "reorderChapters": {
      model.splice(0, model.length, ...shuffled(model, step.by));
      const chapterIds = model.map(({ id }) => id);
      await user.mutation(api.chapters.reorderChapters, { courseId, chapterIds });
      return;
    }
    case "reorderItems": {
      const chapter = pick(model, step.at);
      if (!chapter) return;
      chapter.items = shuffled(chapter.items, step.by);
      const { id: chapterId, items: itemIds } = chapter;
      await user.mutation(api.contentItems.reorderItems, { chapterId, itemIds });
      return;
    }
    case "removeChapter": {
      const chapter = pick(model, step.at);
      if (!chapter) return;
      await user.mutation(api.chapters.deleteChapter, { chapterId: chapter.id });
      model.splice(model.indexOf(chapter), 1);
      return;
    }
    case "removeItem": {
      const found = pick(placed, step.at);
      if (!found) return;
      await user.mutation(api.contentItems.remove, { id: found.id });
      found.chapter.items.splice(found.chapter.items.indexOf(found.id), 1);
      return;
    }
    default:
      step satisfies never;
  }
};

const isAscending = (rows: readonly { order: number }[]): boolean =>
  rows.every(({ order }, index) => {
    const before = rows[index - 1];
    return Number.isFinite(order) && (before === undefined || before.order < order);
  });

it("holds order, item lists and sizes after any edits", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 15, maxLength: 45 }), async (edits) => {
      const backend = createBackend();
      const user = backend.user("ada", "instructor");
      const courseId = await user.mutation(api.courses.createCourse, { name: "A course" });
      const model: Model[] = [];
      await apply(user, courseId, model, { kind: "addChapter" });
      for (const step of edits) await apply(user, courseId, model, step);

      const course = await user.query(api.courses.getCourseWithStructure, { courseId });
      const shown = course.chapters.map(({ _id, contentItems }) => ({
        id: _id,
        items: contentItems.map((item) => item._id),
      }));
      expect(shown).toEqual(model);
      const items = course.chapters.flatMap(({ contentItems }) => contentItems);
      expect([course.chapters, ...course.chapters.map((each) => each.contentItems)]).toSatisfy(
        (lists: { order: number }[][]) => lists.every(isAscending),
      );
      expect(course.contentBytes).toBe(items.reduce((sum, item) => sum + contentBytes(item), 0));
      const rows = await backend.nobody.run(({ db }) => db.query("chapters").take(100));
      const kept = new Map(rows.map(({ _id, itemIds }) => [_id, itemIds?.toSorted()]));
      expect(kept).toEqual(new Map(model.map(({ id, items: ids }) => [id, ids.toSorted()])));
    }),
    { numRuns: 12 },
  );
});
