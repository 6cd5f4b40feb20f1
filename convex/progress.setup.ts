// A published course of Ada's with an item of each kind, and the calls of the learners in it.
import { vi } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { seedCourse } from "./model/learning/course.setup.ts";
import { type Backend, createBackend } from "./testing.setup.ts";

export interface Learning {
  backend: Backend;
  courseId: Id<"courses">;
  video: Id<"contentItems">;
  text: Id<"contentItems">;
  quiz: Id<"contentItems">;
  assignment: Id<"contentItems">;
}

export const seedLearning = async (): Promise<Learning> => {
  vi.setSystemTime(1_000_000);
  const backend = createBackend();
  const { courseId, itemIds } = await seedCourse(backend, [
    { type: "video", startSec: 100, endSec: 300 },
    { type: "text", textContent: "Read." },
    { type: "quiz", quizData: {} },
    { type: "assignment", assignmentData: {} },
  ]);
  const [video, text, quiz, assignment] = itemIds as [
    Id<"contentItems">,
    Id<"contentItems">,
    Id<"contentItems">,
    Id<"contentItems">,
  ];
  return { backend, courseId, video, text, quiz, assignment };
};

/** What learners do, Lea where nobody is named, in the course that `at` says is the test's. */
export const learnersAt = (at: () => Learning) => {
  const user = (name: string) => at().backend.user(name);
  return {
    mark: (contentItemId: Id<"contentItems">, completed = true, name = "lea") => {
      const { courseId } = at();
      return user(name).mutation(api.progress.markCompleted, {
        courseId,
        contentItemId,
        completed,
      });
    },
    courseOf: (name = "lea") =>
      user(name).query(api.progress.getUserCourseProgress, { courseId: at().courseId }),
    detailOf: (name = "lea") =>
      user(name).query(api.progress.getUserProgress, { courseId: at().courseId }),
    enroll: (name = "lea") =>
      user(name).mutation(api.enrollments.enroll, { courseId: at().courseId }),
    watch: (positionSec: number, watchedSec = 10, name = "lea") => {
      const { video } = at();
      return user(name).mutation(api.progress.watched, {
        contentItemId: video,
        positionSec,
        watchedSec,
      });
    },
    playback: () => user("lea").query(api.progress.getPlayback, { contentItemId: at().video }),
    resume: () => user("lea").query(api.progress.getResume, { courseId: at().courseId }),
    removeItem: (itemId: Id<"contentItems">) =>
      at().backend.nobody.run(async ({ db }) => {
        const item = await db.get("contentItems", itemId);
        const chapter = await db.get("chapters", item!.chapterId);
        const itemIds = chapter?.itemIds?.filter((id) => id !== itemId) ?? [];
        await db.patch("chapters", chapter!._id, { itemIds });
        await db.delete("contentItems", itemId);
      }),
  };
};

export const wait = (sec: number) => vi.setSystemTime(Date.now() + sec * 1000);
