// Whatever an instructor adds, removes and moves while learners learn: percentages are those of a
// simple model, learners do not see each other, and analytics add up.
import fc from "fast-check";
import { beforeEach, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { percentageOf } from "./model/learning/completion.ts";
import { type Backend, createBackend, ownerIdOf, standInEnvironment } from "./testing.setup.ts";

beforeEach(standInEnvironment);

const LEARNERS = ["lea", "bob"] as const;
type Learner = (typeof LEARNERS)[number];
const SPAN_SEC = 100;

interface ModelItem {
  id: Id<"contentItems">;
  type: "video" | "text";
  chapter: number;
  done: Set<Learner>;
  begun: Set<Learner>;
  /** How far each was at the furthest. */
  furthestSec: Map<Learner, number>;
}

const learner = fc.constantFrom(...LEARNERS);
const which = fc.nat(50);
const chapter = fc.nat(1);
type Step =
  | { do: "add"; type: "video" | "text"; chapter: number }
  | { do: "remove"; which: number }
  | { do: "move"; which: number; chapter: number; first: boolean }
  | { do: "mark"; which: number; learner: Learner; completed: boolean }
  | { do: "watch"; which: number; learner: Learner; positionSec: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      type: fc.constantFrom("video" as const, "text" as const),
      chapter,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("move" as const),
      which,
      chapter,
      first: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("mark" as const),
      which,
      learner,
      completed: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("watch" as const),
      which,
      learner,
      positionSec: fc.nat(SPAN_SEC),
    }),
  },
);

/** The backend and what it should say. */
class World {
  readonly backend: Backend = createBackend();
  readonly items: ModelItem[] = [];
  courseId!: Id<"courses">;
  chapterIds: Id<"chapters">[] = [];
  videoId!: Id<"videos">;

  get ada() {
    return this.backend.user("ada", "instructor");
  }

  async start(): Promise<void> {
    const row = { title: "Talk", ownerId: ownerIdOf("ada"), durationInSeconds: SPAN_SEC };
    this.videoId = await this.backend.nobody.run(({ db }) => db.insert("videos", row));
    this.courseId = await this.ada.mutation(api.courses.createCourse, { name: "A course" });
    const { courseId } = this;
    for (const name of ["One", "Two"]) {
      this.chapterIds.push(await this.ada.mutation(api.chapters.createChapter, { courseId, name }));
    }
    await this.take({ do: "add", type: "video", chapter: 0 });
    await this.take({ do: "add", type: "text", chapter: 1 });
    await this.ada.mutation(api.courses.updateCourse, {
      id: courseId,
      status: "ready",
      isPublished: true,
    });
    for (const name of LEARNERS) {
      await this.backend.user(name).mutation(api.enrollments.enroll, { courseId });
    }
  }

  async take(step: Step): Promise<void> {
    const { courseId, items } = this;
    if (step.do === "add") {
      const content =
        step.type === "video" ? { videoId: this.videoId } : { textContent: "Read this." };
      const chapterId = this.chapterIds[step.chapter]!;
      const args = { chapterId, type: step.type, ...content };
      const id = await this.ada.mutation(api.contentItems.create, args);
      const { type, chapter } = step;
      const nobody = { done: new Set<Learner>(), begun: new Set<Learner>() };
      items.push({ id, type, chapter, ...nobody, furthestSec: new Map() });
      return;
    }
    const item = items[step.which % items.length];
    if (!item) return;
    const contentItemId = item.id;
    switch (step.do) {
      case "remove":
        await this.ada.mutation(api.contentItems.remove, { id: contentItemId });
        items.splice(items.indexOf(item), 1);
        return;
      case "move": {
        const others = items.filter((it) => it.chapter === step.chapter && it !== item);
        const afterId = step.first ? null : (others[0]?.id ?? null);
        const chapterId = this.chapterIds[step.chapter]!;
        await this.ada.mutation(api.contentItems.moveItem, {
          contentItemId,
          chapterId,
          afterId,
        });
        item.chapter = step.chapter;
        return;
      }
      case "mark": {
        const { learner, completed } = step;
        const args = { courseId, contentItemId, completed };
        await this.backend.user(learner).mutation(api.progress.markCompleted, args);
        if (completed) {
          item.done.add(learner);
          item.begun.add(learner);
        } else item.done.delete(learner);
        return;
      }
      case "watch": {
        if (item.type !== "video") return;
        const { learner, positionSec } = step;
        const args = { contentItemId, positionSec, watchedSec: 5 };
        await this.backend.user(learner).mutation(api.progress.watched, args);
        item.begun.add(learner);
        const before = item.furthestSec.get(learner) ?? 0;
        if (before < 90 && positionSec >= 90) item.done.add(learner);
        item.furthestSec.set(learner, Math.max(before, positionSec));
        return;
      }
      default:
        step satisfies never;
    }
  }

  /** That every answer is the model's. */
  async check(): Promise<void> {
    const { courseId, items } = this;
    for (const name of LEARNERS) {
      const user = this.backend.user(name);
      const done = items.filter((item) => item.done.has(name));
      const expected = {
        completed: done.length,
        total: items.length,
        percentage: percentageOf(done.length, items.length),
      };
      expect(await user.query(api.progress.getUserCourseProgress, { courseId })).toEqual(expected);
      const detail = await user.query(api.progress.getUserProgress, { courseId });
      const ids = detail.chapters.map((chapter) =>
        chapter.items.filter((item) => item.completed).map((item) => item.contentItemId),
      );
      for (const [at, listed] of ids.entries()) {
        const of = done.filter((item) => item.chapter === at).map((item) => item.id);
        expect(new Set(listed)).toEqual(new Set(of));
      }
      const { next } = await user.query(api.progress.getResume, { courseId });
      const isOpen = items.some((item) => item.id === next?.contentItemId && !item.done.has(name));
      expect(isOpen).toBe(done.length < items.length);
    }
    const figures = await this.ada.query(api.analytics.getCourseAnalytics, { courseId });
    expect(figures.items).toHaveLength(items.length);
    for (const { contentItemId, began, finished } of figures.items) {
      const item = items.find(({ id }) => id === contentItemId)!;
      expect([began, finished]).toEqual([item.begun.size, item.done.size]);
      const { gaveUp } = await this.ada.query(api.analytics.getItemAnalytics, { contentItemId });
      expect(gaveUp.reduce((sum, { count }) => sum + count, finished)).toBe(began);
    }
  }

  /** That who has completed the course is found, once all that is scheduled is done. */
  async checkCompleted(): Promise<void> {
    const { courseId, items } = this;
    const completed = LEARNERS.filter(
      (name) => items.length > 0 && items.every(({ done }) => done.has(name)),
    );
    for (const name of LEARNERS) {
      const { page } = await this.backend.user(name).query(api.enrollments.listMine, {
        paginationOpts: { numItems: 1, cursor: null },
      });
      expect([name, page[0]?.completedAt !== null]).toEqual([name, completed.includes(name)]);
    }
    const figures = await this.ada.query(api.analytics.getCourseAnalytics, { courseId });
    expect(figures.completed).toBe(completed.length);
  }
}

it("keeps percentages and figures as a simple model has them", async () => {
  const property = fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const world = new World();
      await world.start();
      for (const [index, taken] of steps.entries()) {
        vi.setSystemTime(Date.now() + 5_000);
        await world.take(taken);
        if (index % 8 === 7) await world.check();
      }
      const settle = () => world.backend.nobody.finishAllScheduledFunctions(vi.runAllTimers);
      await settle();
      await world.check();
      await world.checkCompleted();
      // The last item that is open goes, and another comes.
      for (let index = 1; index < world.items.length; index += 1) {
        await world.take({ do: "mark", which: index, learner: "lea", completed: true });
      }
      await world.take({ do: "remove", which: 0 });
      await settle();
      await world.checkCompleted();
      await world.take({ do: "add", type: "text", chapter: 0 });
      await settle();
      await world.checkCompleted();
    }),
    { numRuns: 8 },
  );
  await expect(property).resolves.toBeUndefined();
});
